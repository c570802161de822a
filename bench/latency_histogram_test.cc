// What the rows of latencies rely on: a percentile is never below the true one, and near it.

#include "latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "random.h"

namespace ashlar::bench {
namespace {

TEST(LatencyHistogram, OfNothingIsZero) {
  EXPECT_EQ(LatencyHistogram().percentile_ns(99.9), 0);
}

TEST(LatencyHistogram, TellsPercentilesToASixteenth) {
  Random random(1);
  LatencyHistogram histogram;
  std::vector<std::uint64_t> times;
  for (int i = 0; i < 10'000; ++i) {
    times.push_back(random.next() >> (random.below(63) + 1));
    histogram.add(times.back());
  }
  std::ranges::sort(times);
  EXPECT_EQ(histogram.count(), times.size());
  for (const std::size_t at : {1U, 100U, 5'000U, 9'000U, 9'990U, 10'000U}) {
    const auto exact = static_cast<double>(times[at - 1]);
    const double told = histogram.percentile_ns(static_cast<double>(at) / 100);
    EXPECT_GE(told, exact) << at;
    EXPECT_LE(told, exact * 17 / 16 + 1) << at;
  }
}

TEST(LatencyHistogram, TakesTheLongestTimeThereIs) {
  LatencyHistogram histogram;
  histogram.add(~std::uint64_t{0});
  EXPECT_GT(histogram.percentile_ns(50), 1e19);
}

}  // namespace
}  // namespace ashlar::bench
