// What files of histories promise: what a session did is there after its process was killed at any
// moment, and what no writer makes is refused by file and line.

#include "testing/isolation/history_file.h"

#include <gtest/gtest.h>

#include "os/posix_disk.h"
#include "testing/isolation/history_rig_test.h"
#include "testing/temporary_directory.h"

namespace ashlar::testing {
namespace {

class HistoryFileTest : public ::testing::Test {
 protected:
  std::string path() const { return directory_.path() / "session-3"; }

  void put(std::string_view text) {
    auto file = os::File::open(disk_, path(), os::OpenMode::kCreate);
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE((*file)->write(0, text).has_value());
  }

  Result<void> read_back(std::uint64_t ended_by = kNeverEnded) {
    return read_history(disk_, {.path = path(), .session = 3, .ended_by = ended_by}, history_);
  }

  os::PosixDisk disk_;
  TemporaryDirectory directory_;
  TransactionHistory history_;
};

TEST_F(HistoryFileTest, BringsBackWhatWasWritten) {
  auto writer = HistoryWriter::create(disk_, path());
  ASSERT_TRUE(writer.has_value());
  writer->begin(10);
  writer->add(append("x", 1));
  writer->add(list("x", {1}));
  ASSERT_TRUE(writer->committing().has_value());
  ASSERT_TRUE(writer->end(Outcome::kCommitted, 20).has_value());
  writer->begin(30);
  writer->add(write("y", 2));
  ASSERT_TRUE(writer->end(Outcome::kAborted, 40).has_value());

  ASSERT_TRUE(read_back().has_value());

  ASSERT_EQ(history_.count(), 2U);
  EXPECT_EQ(history_.header(0).session, 3U);
  EXPECT_EQ(history_.header(0).begin, 10U);
  EXPECT_EQ(history_.header(0).end, 20U);
  EXPECT_EQ(history_.steps(0).size(), 2U);
  EXPECT_EQ(history_.header(1).outcome, Outcome::kAborted);
  EXPECT_EQ(history_.steps(1).size(), 1U);
}

TEST_F(HistoryFileTest, HasWhatAsksToCommitBeforeItIsCommitted) {
  auto writer = HistoryWriter::create(disk_, path());
  ASSERT_TRUE(writer.has_value());
  writer->begin(10);
  writer->add(append("x", 1));
  ASSERT_TRUE(writer->committing().has_value());

  ASSERT_TRUE(read_back(77).has_value());

  ASSERT_EQ(history_.count(), 1U);
  EXPECT_EQ(history_.header(0).outcome, Outcome::kUnknown);
  EXPECT_EQ(history_.header(0).end, 77U);
}

TEST_F(HistoryFileTest, TakesEveryTornTail) {
  const std::string whole = "b 10\na x 1\nc\nC 20\nb 30\na x 2\nc\n";
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    put(whole.substr(0, cut));
    history_ = TransactionHistory();
    const auto done = read_back();
    ASSERT_TRUE(done.has_value()) << "cut at " << cut << ": " << done.error().message();
    const std::uint32_t expected = cut < 5 ? 0 : cut < 23 ? 1 : 2;
    ASSERT_EQ(history_.count(), expected) << "cut at " << cut;
    if (expected == 0) {
      // Nothing had begun.
    } else if (cut < 11) {
      EXPECT_EQ(history_.steps(0).size(), 0U);
    } else if (cut >= 13 && cut < 18) {
      EXPECT_EQ(history_.header(0).outcome, Outcome::kUnknown);
      EXPECT_EQ(history_.header(0).end, kNeverEnded);
    } else if (cut >= 18) {
      EXPECT_EQ(history_.header(0).outcome, Outcome::kCommitted);
    }
    if (cut == 23) {
      EXPECT_EQ(history_.header(1).outcome, Outcome::kAborted);
    }
    if (cut == whole.size()) {
      EXPECT_EQ(history_.header(1).outcome, Outcome::kUnknown);
    }
    ASSERT_TRUE(os::remove_file(disk_, path()).has_value());
  }
}

TEST_F(HistoryFileTest, RefusesADamagedLineByFileAndNumber) {
  put("b 10\na x 1\nc\nC 20\nb 30\na ! 2\nc\n");

  const auto done = read_back();

  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(done.error().message().find("session-3:6: "), std::string::npos)
      << done.error().message();
}

TEST_F(HistoryFileTest, RefusesATransactionThatMakesNoSense) {
  put("b 10\na x 1\nc\nC 20\nb 30\nw x 2\nc\nC 40\n");

  const auto done = read_back();

  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(done.error().message().find("session-3:8: "), std::string::npos)
      << done.error().message();
}

TEST_F(HistoryFileTest, RefusesAFileThatIsNotThere) {
  const auto done = read_back();

  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(HistoryFileTest, NeverWritesOverAnotherHistory) {
  put("b 10\n");
  EXPECT_FALSE(HistoryWriter::create(disk_, path()).has_value());
}

}  // namespace
}  // namespace ashlar::testing
