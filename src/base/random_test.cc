// What a seed promises: the same numbers everywhere and for ever. Campaigns are repeated by theirs.

#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "testing/random.h"

namespace ashlar::base {
namespace {

// The numbers that the authors' own program gives.
TEST(Random, GivesTheNumbersOfSplitMix64) {
  Random zero(0);
  EXPECT_EQ(zero.next(), 0xe220a8397b1dcdafU);
  EXPECT_EQ(zero.next(), 0x6e789e6aa1b965f4U);
  EXPECT_EQ(zero.next(), 0x06c45d188009454fU);
  Random other(1'234'567);
  EXPECT_EQ(other.next(), 6'457'827'717'110'365'317U);
  EXPECT_EQ(other.next(), 3'203'168'211'198'807'973U);
}

TEST(Random, ChoosesEveryNumberBelowABoundAndNoOther) {
  Random random(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) ++counts.at(random.below(counts.size()));
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(RandomDeathTest, HasNothingToChooseBelowZero) {
  Random random(1);
  EXPECT_DEATH(random.below(0), "there is a number to choose");
}

// Seeds that are written down were drawn through these two faces: neither may move.
TEST(Random, GivesTestsTheSameNumbers) {
  testing::Random plain(0);
  EXPECT_EQ(plain.next(), 0xe220a8397b1dcdafU);
  testing::Random first(42, 1);
  Random same(42U ^ 0xd1b54a32d192ed03U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(first.next(), same.next());
}

}  // namespace
}  // namespace ashlar::base
