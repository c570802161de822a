/// \file
/// What a power cut leaves of that which was written and not made durable, and the chance that
/// decides where it is left to chance.
#pragma once

#include <cstdint>

#include "base/assert.h"
#include "base/random.h"

namespace ashlar::os {

enum class PowerCut : std::uint8_t {
  kKeepNothing,     ///< Only what was durable.
  kKeepEverything,  ///< As if all had become durable just in time.
  kKeepRandom,      ///< Each sector, each length, each change of a name is kept or lost.
  kTorn,            ///< All, but of the last write to each file only some of its sectors.
  kTorn4K,          ///< As kTorn on a drive that writes 4 KiB or nothing.
};

/// Chance from a seed: one seed, one power cut.
///
/// Threads: confined.
class CutRandom {
 public:
  explicit CutRandom(std::uint64_t seed) noexcept : random_(seed) {}

  /// True in `sixteenths` of 16 cases.
  bool chance(std::uint64_t sixteenths) noexcept {
    ASHLAR_ASSERT(sixteenths <= 16, "a chance is at most certain");
    return random_.below(16) < sixteenths;
  }

  /// 1 to 15: how likely things are to be kept. Drawn for each file anew, so that over many cuts
  /// nearly all and nearly nothing come up as often as half.
  std::uint64_t sixteenths() noexcept { return 1 + random_.below(15); }

 private:
  base::Random random_;
};

}  // namespace ashlar::os
