// What a test with random input may rely on: it has one seed for its whole life, and whoever knows
// that seed sees the same input again.

#include "testing/seed.h"

#include <gtest/gtest.h>

#include <array>

#include "testing/random.h"

namespace ashlar::testing {
namespace {

TEST(Seed, StaysTheSameForTheWholeProcess) {
  EXPECT_EQ(seed(), seed());
}

TEST(Seed, IsReadAsDecimalOrHexadecimal) {
  EXPECT_EQ(seed_of("17", 1), 17U);
  EXPECT_EQ(seed_of("0x11", 1), 17U);
}

TEST(Seed, IsLeftToChanceWhenTheTextIsNoNumber) {
  EXPECT_EQ(seed_of(nullptr, 1), 1U);
  EXPECT_EQ(seed_of("", 1), 1U);
  EXPECT_EQ(seed_of("12 monkeys", 1), 1U);
}

TEST(Random, RepeatsItselfFromTheSameSeed) {
  Random first(42);
  Random second(42);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(first.next(), second.next());
}

TEST(Random, StaysBelowItsBoundAndReachesEachNumber) {
  Random random(seed());
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) {
    const std::uint64_t number = random.below(seen.size());
    ASSERT_LT(number, seen.size());
    ++seen[number];
  }
  for (const int count : seen) EXPECT_GT(count, 700);
}

}  // namespace
}  // namespace ashlar::testing
