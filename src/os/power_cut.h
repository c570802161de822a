/// \file
/// What a power cut leaves of that which was written and not made durable, and the chance that
/// decides where it is left to chance.
#pragma once

#include <cstdint>

#include "base/assert.h"

namespace ashlar::os {

enum class PowerCut : std::uint8_t {
  kKeepNothing,     ///< Only what was durable.
  kKeepEverything,  ///< As if all had become durable just in time.
  kKeepRandom,      ///< Each sector, each length, each change of a name is kept or lost.
  kTorn,            ///< All, but of the last write to each file only some of its sectors.
  kTorn4K,          ///< As kTorn on a drive that writes 4 KiB or nothing.
};

/// Chance from a seed: one seed, one power cut. SplitMix64.
///
/// Threads: confined.
/// Source:  Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014.
class CutRandom {
 public:
  explicit CutRandom(std::uint64_t seed) noexcept : state_(seed) {}

  /// True in `sixteenths` of 16 cases.
  bool chance(std::uint64_t sixteenths) noexcept {
    ASHLAR_ASSERT(sixteenths <= 16, "a chance is at most certain");
    return next() % 16 < sixteenths;
  }

  /// 1 to 15: how likely things are to be kept. Drawn for each file anew, so that over many cuts
  /// nearly all and nearly nothing come up as often as half.
  std::uint64_t sixteenths() noexcept { return 1 + (next() % 15); }

 private:
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_;
};

}  // namespace ashlar::os
