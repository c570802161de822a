/// \file
/// Eight tags against one: the inner step of a point read in a block.
#pragma once

#include <cstdint>

#include "base/coding.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ashlar::table {

inline constexpr std::uint32_t kTagsPerMatch = 8;

/// Which of the eight tags at `tags` are `tag`, one after the other: the specification.
///
/// Returns: bit 2 i set when the i-th is
inline std::uint32_t match_tags_plainly(const char* tags, std::uint16_t tag) noexcept {
  std::uint32_t matches = 0;
  for (std::uint32_t i = 0; i < kTagsPerMatch; ++i) {
    const bool is_match = base::load_number<std::uint16_t>(tags + std::size_t{2} * i) == tag;
    matches |= static_cast<std::uint32_t>(is_match) << 2 * i;
  }
  return matches;
}

/// The same at once, where the processor can (SSE2 belongs to every x86-64).
inline std::uint32_t match_tags(const char* tags, std::uint16_t tag) noexcept {
#if defined(__SSE2__)
  constexpr std::uint32_t kOneOfTwoBits = 0x5555;  // Each equal tag sets two bits of the mask.
  __m128i eight;
  std::memcpy(&eight, tags, sizeof(eight));
  const __m128i equal = _mm_cmpeq_epi16(eight, _mm_set1_epi16(static_cast<std::int16_t>(tag)));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(equal)) & kOneOfTwoBits;
#else
  return match_tags_plainly(tags, tag);
#endif
}

}  // namespace ashlar::table
