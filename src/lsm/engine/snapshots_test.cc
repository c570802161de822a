// V32: a snapshot keeps its state until it is released, and one state serves all of one sequence.

#include "lsm/engine/snapshots.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

struct SnapshotsRig {
  base::Ref<State> state() {
    auto memtable = base::make_ref<SharedMemtable>(Memtable::make(spares).value());
    return base::make_ref<State>(memtable, base::make_ref<SharedVersion>(Version()));
  }

  base::MemoryBudget budget{std::size_t{64} << 20U};
  SpareArenas spares{budget, std::size_t{2} << 20U, 0};
  Snapshots snapshots;
};

TEST(Snapshots, OfOneSequenceShareTheStateOfTheFirst) {
  SnapshotsRig rig;
  const base::Ref<State> first = rig.state();
  rig.snapshots.add({.sequence = 5, .taken_at_ms = 10}, first);
  rig.snapshots.add({.sequence = 5, .taken_at_ms = 20}, rig.state());
  rig.snapshots.add({.sequence = 9, .taken_at_ms = 30}, rig.state());
  EXPECT_EQ(&rig.snapshots.state_at(5), first.get());
  EXPECT_NE(&rig.snapshots.state_at(9), first.get());
  EXPECT_EQ(rig.snapshots.count(), 3U);
  EXPECT_EQ(rig.snapshots.oldest_ms(), 10);
  rig.snapshots.remove(5);
  EXPECT_EQ(&rig.snapshots.state_at(5), first.get()) << "the other one holds it";
  rig.snapshots.remove(5);
  EXPECT_EQ(rig.snapshots.oldest_ms(), 30);
  rig.snapshots.remove(9);
  EXPECT_EQ(rig.snapshots.count(), 0U);
  EXPECT_EQ(rig.snapshots.oldest_ms(), std::nullopt);
}

TEST(Snapshots, CountWalksToo) {
  SnapshotsRig rig;
  rig.snapshots.begin_walk();
  EXPECT_EQ(rig.snapshots.count(), 1U);
  EXPECT_EQ(rig.snapshots.oldest_ms(), std::nullopt);
  rig.snapshots.end_walk();
  EXPECT_EQ(rig.snapshots.count(), 0U);
}

TEST(SnapshotsDeathTest, AreReadAndReleasedWhileTheyAreHeldOnly) {
  SnapshotsRig rig;
  EXPECT_DEATH(static_cast<void>(rig.snapshots.state_at(1)), "only a snapshot that is held");
  EXPECT_DEATH(rig.snapshots.remove(1), "a snapshot is released once");
}

// M1: a snapshot keeps the rows of its moment, not the memory that was taken ahead for more.
TEST(Snapshots, HoldLittleMoreThanTheRowsOfTheirMemtables) {
  DiskEngineRig rig;
  rig.open();
  constexpr int kCount = 400;
  std::vector<engine::View> views;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(rig.put("key", std::to_string(i)).has_value()) << "memtables take 4 MiB at first";
    views.push_back(*rig.engine->acquire_snapshot());
    ASSERT_TRUE(rig.engine->flush().has_value());
  }
  const std::size_t held_bytes = rig.engine->memory_bytes();
  EXPECT_LT(held_bytes, kCount * (std::size_t{96} << 10U));
  for (int i = 0; i < kCount; ++i) {
    EXPECT_EQ(rig.get("key", views[static_cast<std::size_t>(i)]), std::to_string(i));
    rig.engine->release_snapshot(views[static_cast<std::size_t>(i)].sequence);
  }
  rig.engine->maintain();
  EXPECT_LT(rig.engine->memory_bytes(), held_bytes / 2);
}

}  // namespace
}  // namespace ashlar::lsm
