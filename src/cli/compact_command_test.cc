// What a person relies on who compacts with the command: rows stay, space goes, and it says so.

#include <gtest/gtest.h>

#include <string>

#include "cli/cli_rig_test.h"

namespace ashlar::cli {
namespace {

class CompactCommandTest : public ::testing::Test, protected CliRig {
 protected:
  /// Rows that were written twice and erased in part, in several tables.
  void fill_with_waste() {
    Db db = open("data", Engine::kDisk);
    for (const std::string round : {"first", "second"}) {
      for (int i = 0; i < 2'000; ++i) {
        ASSERT_TRUE(db.put("key:" + std::to_string(i), round + std::string(100, '.')).has_value());
      }
      ASSERT_TRUE(db.checkpoint().has_value());
    }
    for (int i = 0; i < 2'000; i += 2) {
      ASSERT_TRUE(db.erase("key:" + std::to_string(i)).has_value());
    }
    ASSERT_TRUE(db.close().has_value());
  }
};

TEST_F(CompactCommandTest, KeepsTheRowsAndGivesSpaceBack) {
  fill_with_waste();
  const std::string rows = run({"dump", path()}).out;
  const Answer answer = run({"compact", path()});
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_TRUE(answer.out.starts_with(path() + ": 1 tables of ")) << answer.out;
  EXPECT_NE(answer.out.find(", from 3 tables of "), std::string::npos) << answer.out;
  EXPECT_EQ(run({"dump", path()}).out, rows);
  EXPECT_EQ(run({"check", path()}).status, 0);
}

TEST_F(CompactCommandTest, HasNothingToDoInMemory) {
  fill(100);
  const Answer answer = run({"compact", path()});
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_TRUE(answer.out.starts_with(path() + ": 0 tables of 0 bytes")) << answer.out;
}

TEST_F(CompactCommandTest, MakesNoDatabase) {
  EXPECT_EQ(run({"compact", path("nowhere")}).status, 2);
  EXPECT_EQ(run({"compact", ""}).status, 2);
}

}  // namespace
}  // namespace ashlar::cli
