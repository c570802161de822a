/// \file
/// The hash of keys: XXH3, keyed. One hash of a key serves every structure that needs one.
#pragma once

#include <cstdint>
#include <string_view>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ashlar::base {

/// Hashes `key` under `seed`. Whoever knows neither the seed nor the hashes cannot aim at a bucket.
///
/// Cost: about 3 ns for 16 bytes.
inline std::uint64_t hash_key(std::string_view key, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

}  // namespace ashlar::base
