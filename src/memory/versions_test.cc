// What writers and snapshots agree on: sequences rise with each snapshot, and what is held is
// known.

#include "memory/versions.h"

#include <gtest/gtest.h>

#include <vector>

#include "os/manual_clock.h"

namespace ashlar::memory {
namespace {

// C3: each snapshot ends the current sequence and starts the next.
TEST(Versions, DrawASequenceForEachSnapshot) {
  const os::ManualClock clock(500);
  Versions versions;
  const Sequence first = versions.current();
  EXPECT_GT(first, 0U);
  for (Sequence i = 0; i < 5; ++i) {
    const auto view = versions.acquire(clock);
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->sequence, first + i);
    EXPECT_EQ(view->taken_at_ms, 500);
    EXPECT_EQ(versions.current(), first + i + 1);
    EXPECT_EQ(versions.newest_live(), first + i);  // V1
  }
}

// V1: the newest one held is known in whatever order they go; none is 0.
TEST(Versions, KnowWhatIsHeld) {
  os::ManualClock clock(500);
  Versions versions;
  std::vector<Sequence> taken;
  for (int i = 0; i < 4; ++i) {
    taken.push_back(versions.acquire(clock)->sequence);
    clock.advance(10);
  }
  EXPECT_EQ(versions.live(), taken);
  EXPECT_EQ(versions.oldest_taken_at_ms(), 500);
  versions.release(taken[0]);
  versions.release(taken[3]);
  EXPECT_EQ(versions.live(), (std::vector<Sequence>{taken[1], taken[2]}));
  EXPECT_EQ(versions.newest_live(), taken[2]);
  EXPECT_EQ(versions.oldest_taken_at_ms(), 510);
  EXPECT_EQ(versions.live_count(), 2U);
  versions.release(taken[1]);
  versions.release(taken[2]);
  EXPECT_EQ(versions.newest_live(), 0U);
  EXPECT_EQ(versions.oldest_taken_at_ms(), engine::kNever);
  EXPECT_EQ(versions.released_count(), 4U);
  EXPECT_EQ(versions.current(), taken[3] + 1);  // C3
}

TEST(VersionsDeathTest, RefuseASecondRelease) {
  const os::ManualClock clock;
  Versions versions;
  const Sequence sequence = versions.acquire(clock)->sequence;
  versions.release(sequence);
  EXPECT_DEATH(versions.release(sequence), "only a held snapshot");
}

}  // namespace
}  // namespace ashlar::memory
