// V36: writers are slowed down by how far compactions are behind, and never stopped by it.

#include "lsm/upkeep/pace.h"

#include <gtest/gtest.h>

namespace ashlar::lsm {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

TEST(Pace, LetsWritersGoBelowHalfOfTheStop) {
  Pace pace(24);
  for (std::uint64_t count = 0; count < 12; ++count) {
    EXPECT_EQ(pace.delay_of(kMiB, count), Pace::Duration{}) << count;
  }
}

TEST(Pace, HoldsWritersToWhatDrainsAndToLessTowardsTheStop) {
  constexpr std::uint64_t kBytes = 100'000;
  Pace pace(24);
  for (int i = 0; i < 20; ++i) pace.note_drain(50 * kMiB, milliseconds(1000));
  Pace::Duration before{};
  for (const std::uint64_t count : {12U, 16U, 20U, 24U, 100U}) {
    const Pace::Duration delay = pace.delay_of(kBytes, count);
    EXPECT_GE(delay, before) << count;
    before = delay;
  }
  // A hundred kilobytes at fifty mebibytes a second.
  const Pace::Duration at_half = pace.delay_of(kBytes, 12);
  EXPECT_GT(at_half, std::chrono::microseconds(1800));
  EXPECT_LT(at_half, std::chrono::microseconds(2000));
}

TEST(Pace, SavesUpWhatIsTooShortToSleepFor) {
  Pace pace(24);
  Pace::Duration slept{};
  int sleeps = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Pace::Duration delay = pace.delay_of(100, 12);
    slept += delay;
    if (delay != Pace::Duration{}) ++sleeps;
  }
  EXPECT_GT(slept, milliseconds(8)) << "a megabyte at a hundred a second";
  EXPECT_LE(sleeps, 10);
}

TEST(Pace, DelaysNobodyForLong) {
  Pace pace(24);
  EXPECT_EQ(pace.delay_of(std::uint64_t{1} << 40U, 24), Pace::kDelayMax);
  EXPECT_EQ(pace.delay_of(1, 24), Pace::Duration{}) << "what is owed beyond it is forgiven";
}

}  // namespace
}  // namespace ashlar::lsm
