// What callers of `expire` rely on: the deadline moves, the value stays, and snapshots see neither.

#include <gtest/gtest.h>

#include <optional>

#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

engine::TimeMs deadline_at(const EngineRig& rig, const engine::View& view) {
  engine::TimeMs deadline_ms = 0;
  EXPECT_TRUE(rig->get("key", view, nullptr, &deadline_ms).value());
  return deadline_ms;
}

// T1: given, moved and taken away.
TEST(Expire, MovesTheDeadline) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value"));
  EXPECT_EQ(rig->expire("key", rig.in(100)).value(), engine::kNever);
  EXPECT_EQ(rig->stats().expiring_key_count, 1U);
  EXPECT_EQ(rig->expire("key", rig.in(50)).value(), rig.in(100));
  EXPECT_EQ(rig->expire("key", engine::kNever).value(), rig.in(50));
  EXPECT_EQ(rig->stats().expiring_key_count, 0U);
  rig.pass(1000);
  rig.pass(1000);
  EXPECT_EQ(rig.get("key"), "value");
  rig->check();
}

TEST(Expire, FindsNoKeyThatIsAbsentErasedOrExpired) {
  EngineRig rig;
  EXPECT_EQ(rig->expire("key", rig.in(100)).value(), std::nullopt);
  ASSERT_TRUE(rig.put("key", "value", rig.in(10)));
  rig.clock().advance(10);
  EXPECT_EQ(rig->expire("key", rig.in(100)).value(), std::nullopt);
  EXPECT_EQ(rig.get("key"), std::nullopt);
}

// C3, R1: in place where no snapshot sees the version, as a copy where one does.
TEST(Expire, LeavesSnapshotsTheDeadlineTheySaw) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value", rig.in(100)));
  ASSERT_TRUE(rig->expire("key", rig.in(200)).value().has_value());
  EXPECT_EQ(rig->stats().kept_version_count, 0U);
  const engine::View view = rig->acquire_snapshot().value();
  ASSERT_TRUE(rig->expire("key", rig.in(300)).value().has_value());
  ASSERT_TRUE(rig->expire("key", rig.in(400)).value().has_value());
  EXPECT_EQ(deadline_at(rig, view), rig.in(200));
  EXPECT_EQ(deadline_at(rig, engine::kLatest), rig.in(400));
  EXPECT_EQ(rig.get("key", view), "value");
  rig->check();
  rig->release_snapshot(view.sequence);
}

// T1: a key is reclaimed at the moved deadline, earlier or later than the first.
TEST(Expire, ReclaimsAtTheMovedDeadline) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value", rig.in(1000)));
  rig->maintain();
  ASSERT_TRUE(rig->expire("key", rig.in(100)).value().has_value());
  rig->maintain();
  rig.pass(120);
  EXPECT_EQ(rig->stats().key_count, 0U);

  ASSERT_TRUE(rig.put("key", "value", rig.in(100)));
  rig->maintain();
  ASSERT_TRUE(rig->expire("key", rig.in(1000)).value().has_value());
  rig.pass(500);
  EXPECT_EQ(rig->stats().key_count, 1U);
  rig.pass(520);
  EXPECT_EQ(rig->stats().key_count, 0U);
  rig->check();
}

}  // namespace
}  // namespace ashlar::memory
