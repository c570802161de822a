/// \file
/// Numbers that look random and cost a nanosecond, the same in every run.
#pragma once

#include <bit>
#include <cstdint>

#include "keys.h"

namespace ashlar::bench {

/// A stream of random numbers. Source: SplitMix64.
///
/// Threads: confined.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(mix(seed + Key::kStart)) {}

  std::uint64_t next() noexcept { return mix(state_ += Key::kStart); }

  /// A number in [0, `bound`); `bound` is at most 2^32.
  std::uint64_t below(std::uint64_t bound) noexcept { return ((next() >> 32U) * bound) >> 32U; }

  /// A number in [0, 1).
  double fraction() noexcept { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

/// The numbers [0, count) in an order that looks random, each exactly once.
///
/// Threads: immutable.
class Shuffle {
 public:
  /// Input: count  1 to 2^32
  explicit Shuffle(std::uint64_t count) noexcept
      : count_(count),
        mask_(std::bit_ceil(count) - 1),
        shift_((static_cast<unsigned>(std::bit_width(mask_)) + 1) / 2) {}

  /// The number at `position`, which is below the count.
  std::uint64_t at(std::uint64_t position) const noexcept {
    do {
      position = permute(position);
    } while (position >= count_);
    return position;
  }

 private:
  /// A bijection of [0, mask_]: each step of it can be undone.
  std::uint64_t permute(std::uint64_t x) const noexcept {
    x = ((x ^ (x >> shift_)) * 0x9e3779b97f4a7c15U) & mask_;
    x = ((x ^ (x >> shift_)) * 0xd6e8feb86659fd93U + 0x5851f42dU) & mask_;
    return x ^ (x >> shift_);
  }

  std::uint64_t count_;
  std::uint64_t mask_;
  unsigned shift_;
};

}  // namespace ashlar::bench
