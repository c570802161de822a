/// \file
/// The first eight bytes of a key as a number, so that most comparisons of two keys are one of two
/// registers and touch neither key.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/coding.h"

namespace ashlar::base {

inline constexpr std::size_t kKeyHeadBytes = sizeof(std::uint64_t);

/// The first eight bytes of `key`, the first the most significant; what it lacks counts as zero.
///
/// Heads are ordered as their keys are, except that keys with equal heads may be any way round: one
/// that ends in zero bytes has the head of the one without them.
inline std::uint64_t key_head(std::string_view key) noexcept {
  if (key.size() >= kKeyHeadBytes) return __builtin_bswap64(load_number<std::uint64_t>(key.data()));
  // Loads that overlap, of lengths that are known: a copy of `size` bytes would be a call.
  const char* const bytes = key.data();
  const std::size_t size = key.size();
  if (size >= 4) {
    const std::uint64_t first = __builtin_bswap32(load_number<std::uint32_t>(bytes));
    const std::uint64_t last = __builtin_bswap32(load_number<std::uint32_t>(bytes + size - 4));
    return first << 32U | last << 8 * (kKeyHeadBytes - size);
  }
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < size; ++i) {
    head |= std::uint64_t{load_number<std::uint8_t>(bytes + i)} << (56 - 8 * i);
  }
  return head;
}

}  // namespace ashlar::base
