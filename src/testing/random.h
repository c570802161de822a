/// \file
/// Small, fast random numbers that are the same on every machine.
///
/// Source: SplitMix64, in Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
/// OOPSLA 2014.
#pragma once

#include <cstdint>
#include <string>

#include "base/assert.h"

namespace ashlar::testing {

/// A stream of random numbers.
///
/// Threads: confined to one thread; give each its own, from a seed and the number of the thread.
class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : state_(seed ^ (stream * 0xd1b54a32d192ed03U)) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// 0 to `bound` - 1. The bias is below 2^-32 for the bounds that tests use.
  std::uint64_t below(std::uint64_t bound) noexcept {
    ASHLAR_ASSERT(bound > 0, "there is a number to choose");
    return next() % bound;
  }

  /// `low` to `high`, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
    return low + below(high - low + 1);
  }

  /// True in `percent` of 100 cases.
  bool chance(std::uint64_t percent) noexcept { return below(100) < percent; }

  /// Any bytes, NUL included.
  std::string bytes(std::size_t count) {
    std::string result(count, '\0');
    for (std::size_t i = 0; i < count; i += 8) {
      std::uint64_t word = next();
      for (std::size_t j = i; j < count && j < i + 8; ++j, word >>= 8U) {
        result[j] = static_cast<char>(word & 0xffU);
      }
    }
    return result;
  }

 private:
  std::uint64_t state_;
};

}  // namespace ashlar::testing
