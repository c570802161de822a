// What an engine may rely on: each snapshot is released once, by its sequence, however its handle
// was moved about.

#include "ashlar/snapshot.h"

#include <gtest/gtest.h>

#include <utility>

#include "db/access.h"
#include "os/manual_clock.h"

namespace ashlar {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  Snapshot take() { return std::move(db_.snapshot().value()); }
  std::size_t held_count() { return db::Access::engine(db_).snapshot_count(); }

  os::ManualClock clock_{5'000};
  Db db_ = db::Access::open({}, {.clock = &clock_, .has_background = false}).value();
};

TEST_F(SnapshotTest, IsHeldUntilItIsDestroyed) {
  {
    const Snapshot first = take();
    const Snapshot second = take();
    EXPECT_EQ(held_count(), 2U);
  }
  EXPECT_EQ(held_count(), 0U);
}

TEST_F(SnapshotTest, IsReleasedOnce) {
  Snapshot snapshot = take();
  const Snapshot other = take();
  snapshot.release();
  snapshot.release();
  EXPECT_EQ(held_count(), 1U);
}

TEST_F(SnapshotTest, MovingPassesTheHoldOn) {
  Snapshot from = take();
  const Sequence sequence = from.sequence();
  const Snapshot to = std::move(from);
  from.release();  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(held_count(), 1U);
  EXPECT_EQ(to.sequence(), sequence);
  EXPECT_EQ(to.taken_at_ms(), 5'000);
}

TEST_F(SnapshotTest, AssigningReleasesWhatWasHeldBefore) {
  Snapshot kept = take();
  ASSERT_TRUE(db_.put("k", "v"));
  Snapshot later = take();
  const Sequence sequence = later.sequence();
  kept = std::move(later);
  EXPECT_EQ(held_count(), 1U);
  EXPECT_EQ(kept.sequence(), sequence);
  Snapshot& self = kept;
  kept = std::move(self);
  EXPECT_EQ(held_count(), 1U);
}

}  // namespace
}  // namespace ashlar
