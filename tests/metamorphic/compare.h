/// \file
/// Plays one script under many variants and compares each with the plain one, answer by answer.
#pragma once

#include <cstdint>
#include <string>

#include "variant.h"

namespace ashlar::metamorphic {

struct Comparison {
  std::string difference;  ///< The first that was found, with all that makes it again; or empty.
  ChosenValues chosen;
  std::uint64_t variant_count = 0;
  std::uint64_t answer_count = 0;
  std::uint64_t compaction_count = 0;
};

/// Plays the script of `step_count` steps that `seed` makes under `variant_count` variants of it.
Comparison compare(std::uint64_t seed, std::uint64_t step_count, std::uint64_t variant_count);

}  // namespace ashlar::metamorphic
