/// \file
/// Random numbers with what tests ask of them besides: ranges, chances, bytes.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"

namespace ashlar::testing {

/// A stream of random numbers.
///
/// Threads: confined to one thread; give each its own, from a seed and the number of the thread.
class Random : public base::Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) noexcept
      : base::Random(seed ^ (stream * 0xd1b54a32d192ed03U)) {}

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
};

}  // namespace ashlar::testing
