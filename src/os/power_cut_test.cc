// What the seed of a power cut promises: the same cut again, also in a later version.

#include "os/power_cut.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace ashlar::os {
namespace {

// Written down when the seeds in docs/campaigns.md were drawn.
TEST(CutRandom, RepeatsByItsSeed) {
  CutRandom random(1);
  constexpr std::array<std::uint64_t, 12> kExpected = {6, 5, 1, 6, 7, 9, 1, 4, 1, 11, 13, 11};
  for (const std::uint64_t sixteenths : kExpected) EXPECT_EQ(random.sixteenths(), sixteenths);
  constexpr std::array<bool, 12> kChances = {true,  false, false, false, true,  true,
                                             false, false, true,  false, false, false};
  for (const bool chance : kChances) EXPECT_EQ(random.chance(8), chance);
}

TEST(CutRandom, KnowsNeverAndAlways) {
  CutRandom random(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(16));
  }
}

}  // namespace
}  // namespace ashlar::os
