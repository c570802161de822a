/// \file
/// Random numbers that are small, fast, and the same on every machine for one seed: what a test or
/// a simulated fault does by chance can be done again. Not for keys of hashes or anything secret.
///
/// Source: SplitMix64, in Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
/// OOPSLA 2014.
#pragma once

#include <cstdint>

#include "base/assert.h"

namespace ashlar::base {

/// A stream of random numbers. Any seed is as good as any other, 0 included.
///
/// Threads: externally synchronised; one whose numbers are to repeat belongs to one thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  /// Any 64 bits; each value once in 2^64 calls.
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// 0 to `bound` - 1. Some come up more often than others, by a share of `bound` / 2^64 at most.
  std::uint64_t below(std::uint64_t bound) noexcept {
    ASHLAR_ASSERT(bound > 0, "there is a number to choose");
    return next() % bound;
  }

 private:
  std::uint64_t state_;
};

}  // namespace ashlar::base
