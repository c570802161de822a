// When a transaction may commit: by what was announced since its snapshot, and not by its own.

#include "txn/announcement.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/stub_engine.h"

namespace ashlar::txn {
namespace {

constexpr Sequence kSnapshot = 10;

engine::Operation put(std::string_view key) {
  return {.key = key, .value = {}};
}

class ValidationTest : public ::testing::Test {
 protected:
  ~ValidationTest() override { conflicts_.leave(); }

  /// As any other commit does.
  void write(std::string_view key, Sequence stamp) {
    const engine::Operation operation = put(key);
    conflicts_.announce({&operation, 1}, stamp);
  }
  void read(std::string_view key) { reads_.add_key(entered_.tables->keys.slot_of(key)); }

  bool commits(std::string_view key, Sequence stamp = 20,
               Validation::Writes writes = Validation::Writes::kFree) {
    const engine::Operation operation = put(key);
    Validation validation({.conflicts = conflicts_,
                           .entered = entered_,
                           .reads = reads_,
                           .snapshot = kSnapshot,
                           .writes = writes},
                          {&operation, 1});
    validation.announce(stamp);
    validation.announce(stamp + 1);
    return validation.is_good();
  }

  testing::StubEngine engine_;
  Conflicts conflicts_{engine_, std::size_t{64} << 20U, 7};
  Conflicts::Entered entered_ = *conflicts_.enter();
  ReadSet reads_;
};

TEST_F(ValidationTest, StandsWhileNothingThatWasReadIsWritten) {
  write("read", kSnapshot);
  read("read");
  write("other", 15);
  EXPECT_TRUE(commits("mine"));
}

TEST_F(ValidationTest, FallsWithWhatWasRead) {
  read("read");
  write("read", kSnapshot + 1);
  EXPECT_FALSE(commits("mine"));
}

TEST_F(ValidationTest, DoesNotFallByItsOwnWrites) {
  read("mine");
  EXPECT_TRUE(commits("mine"));
  reads_.add_range().pass_to_end("", std::nullopt);
  EXPECT_FALSE(commits("mine")) << "the one before is another by now";
}

TEST_F(ValidationTest, FallsWithWhatItWritesWhereTheFirstCommitterWins) {
  write("mine", kSnapshot + 1);
  EXPECT_TRUE(commits("mine"));
  EXPECT_FALSE(commits("mine", 20, Validation::Writes::kFirstCommitterWins));
}

// Somebody announces a key that only shares the word, between this one's announcement and its
// validation.
TEST_F(ValidationTest, SeesWhoComesBetweenInItsOwnSlot) {
  read("mine");
  const engine::Operation operation = put("mine");
  Validation validation(
      {.conflicts = conflicts_, .entered = entered_, .reads = reads_, .snapshot = kSnapshot},
      {&operation, 1});
  validation.announce(20);
  write("mine", 20);
  EXPECT_FALSE(validation.is_good());
  EXPECT_FALSE(validation.was_good());
}

TEST_F(ValidationTest, FallsWithRangesThatWereWrittenInto) {
  reads_.add_range().pass("b", "d");
  EXPECT_TRUE(commits("c")) << "its own";
  write("a", 15);
  EXPECT_TRUE(commits("mine")) << "c of before is of its own, too: one owner";
  write("c", 15);
  EXPECT_FALSE(commits("mine"));
}

// It was announced before the transaction began, and is shown after its snapshot.
TEST_F(ValidationTest, SeesWhatWasOnItsWayWhenItBegan) {
  write("c", kSnapshot + 1);
  conflicts_.leave();
  entered_ = *conflicts_.enter();
  reads_.add_range().pass("b", "d");
  EXPECT_FALSE(commits("mine"));
}

TEST_F(ValidationTest, FallsInDoubtAboutRanges) {
  reads_.add_range().pass("b", "d");
  for (std::size_t i = 0; i < entered_.tables->ring.bytes() / 64; ++i) write("x", 15);
  EXPECT_FALSE(commits("mine")) << "entries have been written over";
}

// X3: nobody is told any more, since the transaction had left; it must not rely on what it heard.
TEST_F(ValidationTest, FallsWhenNobodyToldForAWhile) {
  conflicts_.leave();
  for (int i = 0; i < 5000; ++i) write("x", 15);
  EXPECT_FALSE(conflicts_.is_told_all(entered_));
  EXPECT_FALSE(commits("mine"));
  entered_ = *conflicts_.enter();
  EXPECT_TRUE(commits("mine"));
  read("read");
  write("read", kSnapshot + 1);
  EXPECT_FALSE(commits("mine")) << "those who write are told to tell again";
}

}  // namespace
}  // namespace ashlar::txn
