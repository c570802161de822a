// What the rows with uneven popularity rely on: ranks come as often as the law says, and the
// popular keys are strewn over all indices.

#include "zipf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace ashlar::bench {
namespace {

TEST(Zipf, ZetaOfManyTermsIsTheSumOfThem) {
  double sum = 0;
  for (std::uint64_t i = 1; i <= 200'000; ++i) sum += std::pow(static_cast<double>(i), -0.99);
  EXPECT_NEAR(zeta(200'000, 0.99), sum, 1e-8);
  EXPECT_DOUBLE_EQ(zeta(2, 0.5), 1 + std::pow(2.0, -0.5));
}

TEST(Zipf, SharesSumToOne) {
  const Zipf zipf(1000, 0.99);
  double sum = 0;
  for (std::uint64_t rank = 0; rank < 1000; ++rank) sum += zipf.share_of(rank);
  EXPECT_NEAR(sum, 1, 1e-9);
}

// The method is exact for the first two ranks and an approximation from there on.
TEST(Zipf, RanksComeAsOftenAsTheLawSays) {
  constexpr std::uint64_t kCount = 10'000;
  constexpr int kDraws = 400'000;
  const Zipf zipf(kCount, 0.99);
  Random random(1);
  std::vector<int> times(kCount, 0);
  for (int i = 0; i < kDraws; ++i) ++times.at(zipf.draw(random));

  for (const std::uint64_t rank : {0U, 1U}) {
    const double share = static_cast<double>(times[rank]) / kDraws;
    EXPECT_NEAR(share, zipf.share_of(rank), 0.003) << "rank " << rank;
  }
  double expected = 0;
  double found = 0;
  for (std::uint64_t rank = 0; rank < 100; ++rank) {
    expected += zipf.share_of(rank);
    found += static_cast<double>(times[rank]) / kDraws;
  }
  EXPECT_NEAR(found, expected, 0.02);
}

TEST(Zipf, ScrambledDrawsKeepThePopularityAndNotTheOrder) {
  constexpr std::uint64_t kCount = 10'000;
  const auto draws = scrambled_zipf(kCount, 0.99, 200'000, 1);
  std::vector<int> times(kCount, 0);
  for (const auto index : draws) ++times.at(index);

  const auto top = std::ranges::max_element(times) - times.begin();
  const double share = static_cast<double>(times[static_cast<std::size_t>(top)]) / 200'000;
  EXPECT_NEAR(share, Zipf(kCount, 0.99).share_of(0), 0.004);

  // Unscrambled, the lower half of the indices would have nine draws in ten.
  const auto low = std::ranges::count_if(draws, [](auto index) { return index < kCount / 2; });
  EXPECT_GT(low, 200'000 * 2 / 10);
  EXPECT_LT(low, 200'000 * 8 / 10);
}

TEST(Zipf, TheSameSeedGivesTheSameDraws) {
  EXPECT_EQ(scrambled_zipf(1000, 0.99, 100, 7), scrambled_zipf(1000, 0.99, 100, 7));
  EXPECT_NE(scrambled_zipf(1000, 0.99, 100, 7), scrambled_zipf(1000, 0.99, 100, 8));
}

}  // namespace
}  // namespace ashlar::bench
