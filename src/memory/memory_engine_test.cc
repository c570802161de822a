// What the layers above rely on: an engine starts empty, tells what it holds, and lives and dies by
// its options.

#include "memory/memory_engine.h"

#include <gtest/gtest.h>

#include <string>

#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

TEST(MemoryEngine, StartsEmptyAndSmall) {
  const EngineRig rig;
  const Stats stats = rig->stats();
  EXPECT_EQ(stats.key_count, 0U);
  EXPECT_EQ(stats.put_count, 0U);
  EXPECT_EQ(stats.memory_budget_bytes, std::size_t{32} << 20U);
  EXPECT_LT(stats.memory_bytes, std::size_t{1} << 20U);
  EXPECT_EQ(rig->snapshot_count(), 0U);
  EXPECT_FALSE(rig->maintain().has_value()) << "nothing is pending";
  rig->check();
}

// M1: what is counted adds up.
TEST(MemoryEngine, CountsWhatItHoldsAndDoes) {
  EngineRig rig;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(
        rig.put("key:" + std::to_string(i), "value", i % 4 == 0 ? rig.in(1000) : engine::kNever));
  }
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.erase("key:" + std::to_string(i)));
  EXPECT_FALSE(rig.erase("key:0"));
  const Stats stats = rig->stats();
  EXPECT_EQ(stats.key_count, 900U);
  EXPECT_EQ(stats.expiring_key_count, 225U);
  EXPECT_EQ(stats.put_count, 1000U);
  EXPECT_EQ(stats.erase_count, 100U);
  EXPECT_EQ(stats.memory_bytes, stats.index_bytes + stats.record_bytes + stats.bookkeeping_bytes);
  EXPECT_EQ(stats.memory_bytes, rig->memory_bytes());
  rig->check();
}

// C3: snapshots rise, and each is counted until it is released.
TEST(MemoryEngine, KnowsItsSnapshots) {
  EngineRig rig;
  const engine::View first = rig->acquire_snapshot().value();
  rig.clock().advance(50);
  const engine::View second = rig->acquire_snapshot().value();
  EXPECT_LT(first.sequence, second.sequence);
  EXPECT_EQ(rig->snapshot_count(), 2U);
  EXPECT_EQ(rig->stats().oldest_snapshot_ms, 50U);
  EXPECT_EQ(rig->stats().sequence, second.sequence + 1);
  rig->release_snapshot(first.sequence);
  rig->release_snapshot(second.sequence);
  EXPECT_EQ(rig->snapshot_count(), 0U);
}

TEST(MemoryEngine, WakesTheBackgroundWhenADeadlineComes) {
  EngineRig rig;
  int wake_count = 0;
  rig->on_work([](void* count) { ++*static_cast<int*>(count); }, &wake_count);
  ASSERT_TRUE(rig.put("a", "1"));
  EXPECT_EQ(wake_count, 0);
  ASSERT_TRUE(rig.put("a", "1", rig.in(1000)));
  EXPECT_EQ(wake_count, 1);
  ASSERT_TRUE(rig.put("b", "1", rig.in(2000)));
  EXPECT_EQ(wake_count, 1) << "a later one needs no other call";
}

TEST(MemoryEngine, IsRefusedWhenTheSystemHasNoSpaceForTheBudget) {
  const os::ManualClock clock;
  Options options;
  options.memory_budget_bytes = std::size_t{1} << 60U;  // More than any address has bits for.
  const auto made = make_memory_engine(options, clock, 1);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace ashlar::memory
