/// \file
/// Popularity as real caches see it: the k-th most popular key is asked for in proportion to
/// 1 / k^theta.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "random.h"

namespace ashlar::bench {

/// Draws ranks by popularity, 0 the most popular.
///
/// Source:  Gray et al., Quickly Generating Billion-Record Synthetic Databases, SIGMOD 1994, as in
///          YCSB.
/// Threads: immutable.
class Zipf {
 public:
  /// Input: count  2 or more;  theta  in (0, 1)
  Zipf(std::uint64_t count, double theta);

  /// A rank in [0, count). Cost: one `pow`, so draw before the clock runs.
  std::uint64_t draw(Random& random) const;

  /// The share of all draws that go to `rank`.
  double share_of(std::uint64_t rank) const;

 private:
  std::uint64_t count_;
  double theta_;
  double zeta_;
  double alpha_;
  double eta_;
};

/// The sum of 1 / i^theta for i from 1 to `count`, to nine digits.
double zeta(std::uint64_t count, double theta);

/// `draws` indices in [0, count) with the popularity of `Zipf`, the popular ones strewn over the
/// whole range: what a timed loop reads one after the other.
std::vector<std::uint32_t> scrambled_zipf(std::uint64_t count, double theta, std::size_t draws,
                                          std::uint64_t seed);

}  // namespace ashlar::bench
