/// \file
/// A key of sixteen bytes in place, for peers that get it. A `std::string` of sixteen bytes just
/// misses the short form and costs an allocation and a cache miss more; this fits no other length.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "keys.h"

namespace ashlar::bench {

struct Key16 {
  Key16() = default;
  explicit Key16(std::string_view key) noexcept {
    std::memcpy(bytes.data(), key.data(), kKeyBytes);
  }

  std::string_view view() const noexcept { return {bytes.data(), kKeyBytes}; }

  friend bool operator==(const Key16& left, const Key16& right) noexcept {
    return load_word(left.view(), 0) == load_word(right.view(), 0) &&
           load_word(left.view(), 8) == load_word(right.view(), 8);
  }
  friend std::strong_ordering operator<=>(const Key16& left, const Key16& right) noexcept {
    const auto order = word(left, 0) <=> word(right, 0);
    return order != 0 ? order : word(left, 8) <=> word(right, 8);
  }

  std::array<char, kKeyBytes> bytes;

 private:
  static std::uint64_t word(const Key16& key, std::size_t offset) noexcept {
    return __builtin_bswap64(load_word(key.view(), offset));
  }
};

inline std::size_t hash_of(std::string_view key) noexcept {
  return XXH3_64bits(key.data(), key.size());
}

inline std::size_t hash_of(const Key16& key) noexcept {
  return XXH3_64bits(key.bytes.data(), kKeyBytes);
}

}  // namespace ashlar::bench
