// A step is done when nobody came between, goes on where somebody did, waits in a queue then, and
// never for long.

#include "db/atomic/step.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "db/atomic/atomic_rig_test.h"

namespace ashlar::db {
namespace {

class AtomicStepTest : public AtomicRig {
 protected:
  bool is_locked(std::string_view key) {
    auto transaction = db_->begin();
    return transaction && !transaction->lock(key, std::chrono::milliseconds(0)).has_value();
  }
  /// A step that has the lock by the time at which it is done.
  void write_with_the_lock(std::string_view key, Durability durability) {
    AtomicStep step(*db_, key, durability);
    for (int i = 0; i < AtomicStep::kTriesWithoutLock; ++i) {
      ASSERT_TRUE(step.look());
      ASSERT_TRUE(db_->put(key, "other", Expiry::never(), Durability::kProcess));
      ASSERT_FALSE(step.finish(step.put_of("mine", Expiry::never())).value());
    }
    ASSERT_TRUE(step.look());
    EXPECT_TRUE(is_locked(key));
    ASSERT_TRUE(step.finish(step.put_of("mine", Expiry::never())).value());
    EXPECT_FALSE(is_locked(key));
  }
};

INSTANTIATE_TEST_SUITE_P(, AtomicStepTest, ::testing::Values(Place::kMemory, Place::kDirectory),
                         place_name);

TEST_P(AtomicStepTest, SeesTheKeyAndWritesIt) {
  ASSERT_TRUE(db_->put("a", "1", Expiry::at_ms(kStartMs + 50)));
  AtomicStep step(*db_, "a", Durability::kDisk);
  ASSERT_TRUE(step.look());
  EXPECT_TRUE(step.seen().is_there);
  EXPECT_EQ(step.seen().value, "1");
  EXPECT_EQ(step.seen().deadline_ms, kStartMs + 50);
  EXPECT_EQ(read("a"), "1") << "nothing has happened yet";
  EXPECT_TRUE(step.finish(step.put_keeping_deadline("2")).value());
  EXPECT_EQ(read("a"), "2");
  EXPECT_EQ(db_->expiry_of("a").value()->resolve_ms(0), kStartMs + 50);
  EXPECT_EQ(code_of(db_->close()), "ok") << "nothing is held";
}

TEST_P(AtomicStepTest, IsNotDoneWhenAnotherWriteCameBetween) {
  ASSERT_TRUE(db_->put("a", "1"));
  const auto is_done_beside = [&](const auto& between) {
    AtomicStep step(*db_, "a", Durability::kProcess);
    EXPECT_TRUE(step.look());
    between();
    return step.finish(step.put_of("mine", Expiry::never())).value();
  };
  EXPECT_FALSE(is_done_beside([&] { (void)db_->put("a", "2"); }));
  EXPECT_FALSE(is_done_beside([&] { (void)db_->put("a", "2"); })) << "the same again";
  EXPECT_FALSE(is_done_beside([&] { (void)db_->expire("a", Expiry::at_ms(kStartMs + 9)); }));
  EXPECT_FALSE(is_done_beside([&] { (void)db_->erase("a"); }));
  EXPECT_EQ(read("a"), "-");
  EXPECT_TRUE(is_done_beside([&] { (void)db_->put("other", "1"); }));
  EXPECT_EQ(read("a"), "mine");
}

// An erase that finds the key gone has seen what is no longer so.
TEST_P(AtomicStepTest, IsNotDoneWhenWhatItErasesIsGone) {
  ASSERT_TRUE(db_->put("a", "1", Expiry::at_ms(kStartMs + 50)));
  AtomicStep step(*db_, "a", Durability::kProcess);
  ASSERT_TRUE(step.look());
  clock_.advance(50);
  EXPECT_FALSE(step.finish(step.erase()).value());
  ASSERT_TRUE(step.look());
  EXPECT_FALSE(step.seen().is_there);
  EXPECT_EQ(step.seen().deadline_ms, engine::kNever) << "not that of the look before";
  EXPECT_TRUE(step.finish(step.erase()).value()) << "there is nothing to do";
}

TEST_P(AtomicStepTest, TakesTheLockWhenItHasFailedAFewTimesAndKeepsItUntilItIsDone) {
  AtomicStep step(*db_, "a", Durability::kDisk);
  for (int i = 0; i < AtomicStep::kTriesWithoutLock + 3; ++i) {
    ASSERT_TRUE(step.look());
    EXPECT_EQ(is_locked("a"), i >= AtomicStep::kTriesWithoutLock) << "try " << i;
    ASSERT_TRUE(db_->put("a", std::to_string(i)));
    ASSERT_FALSE(step.finish(step.put_of("mine", Expiry::never())).value());
  }
  EXPECT_TRUE(is_locked("a"));
  ASSERT_TRUE(step.look());
  EXPECT_TRUE(step.finish(step.put_of("mine", Expiry::never())).value());
  EXPECT_FALSE(is_locked("a"));
  EXPECT_EQ(read("a"), "mine");
}

// The holder may be a transaction of the calling thread.
TEST_P(AtomicStepTest, GoesOnWithoutTheLockWhenItIsNotFree) {
  auto holder = db_->begin();
  ASSERT_TRUE(holder->lock("a"));
  AtomicStep step(*db_, "a", Durability::kProcess);
  for (int i = 0; i < AtomicStep::kTriesWithoutLock + 2; ++i) {
    ASSERT_TRUE(step.look());
    ASSERT_TRUE(db_->put("a", std::to_string(i)));
    ASSERT_FALSE(step.finish(step.put_of("mine", Expiry::never())).value());
  }
  ASSERT_TRUE(step.look());
  EXPECT_TRUE(step.finish(step.put_of("mine", Expiry::never())).value());
  EXPECT_EQ(read("a"), "mine");
  EXPECT_TRUE(is_locked("a")) << "by the transaction";
}

// C2: whether by the first try, with the lock or with nothing to do.
TEST_P(AtomicStepTest, IsAsDurableAsItWasAskedToBe) {
  if (GetParam() == Place::kMemory) return;  // It has no disk, or is the same once more.
  ASSERT_TRUE(db_->put("seen", "1", Expiry::never(), Durability::kProcess));
  {
    AtomicStep nothing(*db_, "seen", Durability::kDisk);
    ASSERT_TRUE(nothing.look());
    ASSERT_TRUE(nothing.finish(std::nullopt).value());
  }
  lose_power();
  EXPECT_EQ(read("seen"), "1");

  write_with_the_lock("locked", Durability::kDisk);
  lose_power();
  EXPECT_EQ(read("locked"), "mine");
  write_with_the_lock("lost", Durability::kProcess);
  lose_power();
  EXPECT_EQ(read("lost"), "-") << "no more was asked";
}

TEST_P(AtomicStepTest, RefusesWhatIsOutsideItsLimits) {
  AtomicStep empty(*db_, "", Durability::kProcess);
  EXPECT_EQ(code_of(empty.look()), "InvalidArgument");
  AtomicStep step(*db_, "a", Durability::kProcess);
  EXPECT_EQ(step.value_bytes_max(), kValueBytesMax);
  EXPECT_EQ(code_of(step.check_value(std::string(kValueBytesMax, 'v'))), "ok");
  EXPECT_EQ(code_of(step.check_value(std::string(kValueBytesMax + 1, 'v'))), "InvalidArgument");
  ASSERT_TRUE(db_->close());
  EXPECT_EQ(code_of(step.look()), "Closed");
}

// D2: the moment of a step keeps the database open.
TEST_P(AtomicStepTest, HoldsTheDatabaseOpenFromTheLookOn) {
  AtomicStep step(*db_, "a", Durability::kProcess);
  ASSERT_TRUE(step.look());
  EXPECT_EQ(code_of(db_->close()), "Busy");
  EXPECT_TRUE(step.finish(step.put_of("1", Expiry::never())).value());
  EXPECT_EQ(code_of(db_->close()), "ok");
}

}  // namespace
}  // namespace ashlar::db
