// A write is whole or was never there: whatever its size, whoever refuses it.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

/// A log that takes nothing.
class Refusal final : public engine::Commit {
 public:
  bool append() noexcept override {
    ++asked_count;
    return false;
  }
  int asked_count = 0;
};

/// Has another thread wait for it while it is on its way.
class WaitedFor final : public engine::Commit {
 public:
  explicit WaitedFor(engine::StorageEngine& engine) : engine_(engine) {}
  bool append() noexcept override {
    waiter_ = std::jthread([this] {
      engine_.wait_for_commits();
      seen_sequence = engine_.stats().sequence;
      has_returned_ = true;
    });
    for (int i = 0; i < 2000 && !has_returned_; ++i) std::this_thread::yield();
    has_returned_early = has_returned_;
    return true;
  }
  void join() { waiter_.join(); }

  bool has_returned_early = false;
  Sequence seen_sequence = 0;

 private:
  engine::StorageEngine& engine_;
  std::atomic<bool> has_returned_{false};
  std::jthread waiter_;
};

// What a transaction that begins relies on: no commit is between its log and its showing.
TEST(DiskEngineWrite, IsWaitedForUntilItIsShown) {
  DiskEngineRig rig;
  rig.open();
  const Sequence before = rig.engine->stats().sequence;
  WaitedFor commit(*rig.engine);
  const engine::Operation put{.key = "key", .value = "value"};
  ASSERT_TRUE(rig.engine->apply({&put, 1}, &commit).has_value());
  commit.join();
  EXPECT_FALSE(commit.has_returned_early);
  EXPECT_EQ(commit.seen_sequence, before + 1);
}

// C1: a batch that is larger than any memtable is one commit all the same.
TEST(DiskEngineWrite, TakesABatchLargerThanAMemtable) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("before", "value").has_value());
  const std::string value(1000, 'v');
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(key_of(i));
  std::vector<engine::Operation> batch;
  for (const std::string& key : keys) batch.push_back({.key = key, .value = value});
  ASSERT_TRUE(rig.engine->apply(batch, nullptr).has_value());
  for (const std::string& key : keys) ASSERT_EQ(rig.get(key), value);
  ASSERT_TRUE(rig.engine->compact().has_value());
  for (const std::string& key : keys) ASSERT_EQ(rig.get(key), value);
  EXPECT_EQ(rig.get("before"), "value");
  rig.engine->check();
}

// C1: the log is asked before anybody can see the commit.
TEST(DiskEngineWrite, LeavesNothingOfWhatTheLogRefuses) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  const Sequence before = rig.engine->stats().sequence;
  Refusal commit;
  const engine::Operation batch[] = {
      {.key = "key", .value = "other"},
      {.kind = engine::OperationKind::kErase, .key = "key", .value = {}}};
  EXPECT_EQ(rig.engine->apply(batch, &commit).error().code(), ErrorCode::kBusy);
  EXPECT_EQ(rig.engine->apply({&batch[1], 1}, &commit).error().code(), ErrorCode::kBusy);
  EXPECT_EQ(rig.engine->expire("key", 5, &commit).error().code(), ErrorCode::kBusy);
  EXPECT_EQ(commit.asked_count, 3);
  EXPECT_EQ(rig.get("key"), "value");
  EXPECT_EQ(rig.engine->stats().sequence, before + 3) << "announced, and so used up";
}

// Where nothing changes nothing is written: neither to the log nor to the memtable.
TEST(DiskEngineWrite, WritesNothingForAKeyThatIsNotThere) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("gone", "value", rig.clock.now_ms() + 10).has_value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  rig.clock.advance(20);
  Refusal commit;
  for (const std::string_view key : {"gone", "never there"}) {
    const engine::Operation erase{.kind = engine::OperationKind::kErase, .key = key, .value = {}};
    EXPECT_EQ(rig.engine->apply({&erase, 1}, &commit).value(), 0U);
    EXPECT_EQ(rig.engine->expire(key, engine::kNever, &commit).value(), std::nullopt);
  }
  EXPECT_EQ(commit.asked_count, 0);
  EXPECT_EQ(rig.engine->stats().sequence, 1U);
}

// A deadline goes with the value, wherever that lies.
TEST(DiskEngineWrite, GivesADeadlineToAValueOfATable) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  ASSERT_TRUE(rig.engine->compact().has_value());
  const engine::TimeMs deadline_ms = rig.clock.now_ms() + 10;
  EXPECT_EQ(rig.engine->expire("key", deadline_ms, nullptr).value(), engine::kNever);
  EXPECT_EQ(rig.get("key"), "value");
  EXPECT_EQ(rig.engine->expire("key", deadline_ms + 5, nullptr).value(), deadline_ms);
  rig.clock.advance(15);
  EXPECT_EQ(rig.get("key"), std::nullopt);
}

// M1: what a snapshot holds in memory is in the budget; writers are refused with its name.
TEST(DiskEngineWrite, RefusesWritesWhenTheBudgetIsUsedUp) {
  DiskEngineRig rig;
  rig.open();
  std::vector<engine::View> views;
  Result<void> last;
  for (int i = 0; last && i < 5000; ++i) {
    last = rig.put(key_of(i % 50), std::string(20'000, 'v'));  // Two fill a memtable.
    if (i % 2 == 0) views.push_back(rig.engine->acquire_snapshot().value());
  }
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(last.error().message(), "memory budget of 67108864 bytes is used up");
  EXPECT_LE(rig.engine->memory_bytes(), std::size_t{64} << 20U);
  for (const engine::View& view : views) rig.engine->release_snapshot(view.sequence);
  EXPECT_TRUE(rig.put("again", "value").has_value());
  EXPECT_EQ(rig.engine->stats().refused_write_count, 1U);
}

}  // namespace
}  // namespace ashlar::lsm
