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
  char bytes[kKeyHeadBytes] = {};
  if (!key.empty()) std::memcpy(bytes, key.data(), key.size());  // No bytes may have no address.
  return __builtin_bswap64(load_number<std::uint64_t>(bytes));
}

}  // namespace ashlar::base
