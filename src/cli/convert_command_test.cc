// What whoever outgrows memory relies on: all rows are in the new directory, with their deadlines,
// before it has its name, and the old one stays as it is.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "cli/cli_rig_test.h"
#include "db/directory.h"

namespace ashlar::cli {
namespace {

class ConvertTest : public ::testing::TestWithParam<Engine> {
 protected:
  Engine from() const { return GetParam(); }
  Engine to() const { return from() == Engine::kDisk ? Engine::kMemory : Engine::kDisk; }
  std::string name_of_to() const { return to() == Engine::kDisk ? "disk" : "memory"; }
  CliRig::Answer convert(const std::string& output) {
    return rig_.run({"convert", rig_.path(), "--to", name_of_to(), "--output", rig_.path(output)});
  }
  std::string dump(const std::string& name) { return rig_.run({"dump", rig_.path(name)}).out; }

  os::PosixDisk disk_;
  CliRig rig_;
};

TEST_P(ConvertTest, BringsEveryRowAlong) {
  rig_.fill(5000, from());
  const auto answer = convert("new");
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_TRUE(answer.out.starts_with(rig_.path("new") + ": 5000 rows, checksum ")) << answer.out;
  EXPECT_EQ(db::engine_of(disk_, rig_.path("new")).value(), to());
  EXPECT_EQ(dump("new"), dump("data"));
  for (const char* name : {"data", "new"}) {
    EXPECT_EQ(rig_.run({"check", rig_.path(name)}).status, 0) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(rig_.path("new.unfinished")));
}

TEST_P(ConvertTest, KeepsDeadlinesAndBytesOfAnyKind) {
  const std::string binary("\0\n\xff\"", 4);
  {
    Db db = rig_.open("data", from());
    ASSERT_TRUE(db.put(binary, binary, Expiry::never()).has_value());
    ASSERT_TRUE(db.put("later", "", Expiry::at_ms(4'000'000'000'000)).has_value());
    ASSERT_TRUE(db.put("gone", "x", Expiry::never()).has_value());
    ASSERT_TRUE(db.erase("gone").has_value());
    ASSERT_TRUE(db.close().has_value());
  }
  ASSERT_EQ(convert("new").status, 0);
  Db db = rig_.open("new", to());
  EXPECT_EQ(db.get(binary).value(), binary);
  EXPECT_EQ(db.expiry_of("later").value()->resolve_ms(0), 4'000'000'000'000);
  EXPECT_FALSE(db.get("gone").value().has_value());
}

TEST_P(ConvertTest, ConvertsADatabaseWithoutRows) {
  rig_.fill(0, from());
  const auto answer = convert("new");
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_TRUE(answer.out.starts_with(rig_.path("new") + ": 0 rows")) << answer.out;
}

TEST_P(ConvertTest, NamesTheNewDirectoryByTheEngineUnlessTold) {
  rig_.fill(10, from());
  EXPECT_EQ(rig_.run({"convert", rig_.path() + "/", "--to", name_of_to()}).status, 0);
  EXPECT_EQ(dump("data." + name_of_to()), dump("data"));
}

TEST_P(ConvertTest, PutsNothingIntoTheSource) {
  rig_.fill(10, from());
  const auto answer = convert("data/new");
  EXPECT_EQ(answer.status, 2);
  EXPECT_NE(answer.err.find("is inside of what is to be converted"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(rig_.path("data/new.unfinished")));
}

TEST_P(ConvertTest, TakesAnEmptyDirectoryAndNoOther) {
  rig_.fill(10, from());
  std::filesystem::create_directory(rig_.path("new"));
  EXPECT_EQ(convert("new").status, 0);
  const auto answer = convert("new");
  EXPECT_EQ(answer.status, 2);
  EXPECT_EQ(answer.err, "ashlar: " + rig_.path("new") + ": is there already, and not empty\n");
}

TEST_P(ConvertTest, RefusesWhatAnEarlierOneLeft) {
  rig_.fill(10, from());
  std::filesystem::create_directory(rig_.path("new.unfinished"));
  const auto answer = convert("new");
  EXPECT_EQ(answer.status, 2);
  EXPECT_NE(answer.err.find("remove it first"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(rig_.path("new")));
}

TEST_P(ConvertTest, RefusesTheEngineThatItIsOf) {
  rig_.fill(10, from());
  const auto answer =
      rig_.run({"convert", rig_.path(), "--to", from() == Engine::kDisk ? "disk" : "memory"});
  EXPECT_EQ(answer.status, 2);
  EXPECT_NE(answer.err.find("engine already"), std::string::npos) << answer.err;
}

TEST_P(ConvertTest, NeedsADatabase) {
  EXPECT_EQ(convert("new").status, 2);
  EXPECT_FALSE(std::filesystem::exists(rig_.path("data")));
  EXPECT_FALSE(std::filesystem::exists(rig_.path("new.unfinished")));
}

// Db::open itself refuses, and says which command helps.
TEST_P(ConvertTest, IsWhatAnOpeningWithTheOtherEngineNames) {
  rig_.fill(10, from());
  const auto opened = Db::open({.directory = rig_.path(), .engine = to()});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(opened.error().message().find("`ashlar convert`"), std::string_view::npos);
}

INSTANTIATE_TEST_SUITE_P(, ConvertTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         [](const auto& engine) {
                           return engine.param == Engine::kMemory ? "memory" : "disk";
                         });

}  // namespace
}  // namespace ashlar::cli
