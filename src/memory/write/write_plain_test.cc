// What single writes rely on: the plain path does exactly what the general one does, and steps
// aside where somebody needs the version before, the order of keys or a deadline.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

// R1: lengths around size classes, around the plain limit and beyond, each after each.
TEST(WritePlain, OverwritesByValuesOfAnyLength) {
  const std::vector<std::size_t> lengths = {0, 1, 17, 18, 100, 144, 145, 900, 1008, 1009, 20'000};
  EngineRig rig;
  for (const std::size_t before : lengths) {
    for (const std::size_t after : lengths) {
      ASSERT_TRUE(rig.put("key", std::string(before, 'b')));
      ASSERT_TRUE(rig.put("key", std::string(after, 'a')));
      ASSERT_EQ(rig.get("key"), std::string(after, 'a')) << before << " to " << after;
    }
  }
  EXPECT_EQ(rig->stats().key_count, 1U);
  rig->check();
}

// An overwrite of the same size class takes no memory, so it succeeds at the budget too.
TEST(WritePlain, OverwritesInPlaceAtTheBudget) {
  EngineRig rig;
  int count = 0;
  while (rig.put("key:" + std::to_string(count), std::string(100, 'b'))) ++count;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(rig.put("key:" + std::to_string(i), std::string(100, 'a'))) << i;
  }
  EXPECT_EQ(rig.get("key:0"), std::string(100, 'a'));
  rig->check();
}

// C3: what a snapshot sees is neither overwritten nor erased.
TEST(WritePlain, LeavesWhatASnapshotSees) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("overwritten", "before"));
  ASSERT_TRUE(rig.put("erased", "before"));
  const auto view = rig->acquire_snapshot();
  ASSERT_TRUE(view.has_value());
  ASSERT_TRUE(rig.put("overwritten", "after."));
  ASSERT_TRUE(rig.put("added", "after"));
  ASSERT_TRUE(rig.erase("erased"));
  EXPECT_EQ(rig.get("overwritten", *view), "before");
  EXPECT_EQ(rig.get("erased", *view), "before");
  EXPECT_EQ(rig.get("added", *view), std::nullopt);
  EXPECT_EQ(rig.get("overwritten"), "after.");
  EXPECT_EQ(rig.get("erased"), std::nullopt);
  rig->release_snapshot(view->sequence);
  rig->check();
}

// T1: a value without a deadline ends the deadline of the one before.
TEST(WritePlain, EndsADeadline) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value", rig.in(10)));
  ASSERT_TRUE(rig.put("key", "value"));
  rig.clock().advance(20);
  EXPECT_EQ(rig.get("key"), "value");
  EXPECT_EQ(rig->stats().key_count, 1U);
  rig->check();
}

}  // namespace
}  // namespace ashlar::memory
