/// \file
/// Keys and values of every row, made in registers from an index: no array of keys is read, so that
/// a row times the store and not the cache misses of its driver.
///
/// Invariants:
///   G1  Two indices have two keys, and `index_of(Key(index).view()) == index`.
///   G2  The order of keys has nothing to do with the order of their indices.
///   G3  A value tells whose it is and whether it is whole, for some nanoseconds.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ashlar::bench {

inline constexpr std::size_t kKeyBytes = 16;
inline constexpr std::size_t kValueBytes = 100;

static_assert(std::endian::native == std::endian::little, "keys are written by byte swaps");

/// A bijection of 64-bit numbers that looks random. Source: the finaliser of SplitMix64 (Steele,
/// Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// The inverse of `mix`.
constexpr std::uint64_t unmix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 31U) ^ (x >> 62U)) * 0x319642b2d24d8ec3U;
  x = (x ^ (x >> 27U) ^ (x >> 54U)) * 0x96de1b173f119089U;
  return x ^ (x >> 30U) ^ (x >> 60U);
}

/// The eight bytes of `bytes` from `offset` on, which it must have.
inline std::uint64_t load_word(std::string_view bytes, std::size_t offset) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

inline void store_word(char* bytes, std::uint64_t word) noexcept {
  std::memcpy(bytes, &word, sizeof(word));
}

/// The key of an index: sixteen bytes, most significant byte first.
class Key {
 public:
  explicit Key(std::uint64_t index) noexcept {
    const std::uint64_t high = mix(index + kStart);
    store_word(bytes_.data(), __builtin_bswap64(high));
    store_word(bytes_.data() + 8, high * kLowFactor);
  }

  std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }

  static constexpr std::uint64_t kStart = 0x9e3779b97f4a7c15U;
  static constexpr std::uint64_t kLowFactor = 0xd6e8feb86659fd93U;

 private:
  std::array<char, kKeyBytes> bytes_;
};

/// The key of an index in the order of the indices.
class AscendingKey {
 public:
  explicit AscendingKey(std::uint64_t index) noexcept {
    bytes_.fill('0');
    store_word(bytes_.data() + 8, __builtin_bswap64(index));
  }
  std::string_view view() const noexcept { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, kKeyBytes> bytes_;
};

/// The first eight bytes of `key` as a number, ordered as keys are.
inline std::uint64_t rank_of(std::string_view key) noexcept {
  return __builtin_bswap64(load_word(key, 0));
}

/// The index that `key` was made from.
inline std::uint64_t index_of(std::string_view key) noexcept {
  return unmix(rank_of(key)) - Key::kStart;
}

/// Makes values: 48 bytes that look random, then 52 that are always the same, so that a compressor
/// takes a value to about half.
///
/// Threads: confined to the thread that made it.
class ValueMaker {
 public:
  ValueMaker() noexcept { std::memset(bytes_.data(), kFiller, bytes_.size()); }

  /// The value of the key of `index`, in its `version`.
  ///
  /// Lifetime: the view dies with the next call.
  std::string_view make(std::uint64_t index, std::uint64_t version) noexcept {
    const std::uint64_t first = mix(index);
    const std::uint64_t both = first ^ (version * kFactors[0]);
    store_word(bytes_.data(), first);
    store_word(bytes_.data() + 8, version);
    for (std::size_t i = 2; i < kRandomWords; ++i) {
      store_word(bytes_.data() + 8 * i, both * kFactors[i]);
    }
    return {bytes_.data(), bytes_.size()};
  }

  /// Whether `value` is a whole value of the key of `index`, in any version.
  static bool is_value_of(std::uint64_t index, std::string_view value) noexcept {
    if (value.size() != kValueBytes || value.back() != kFiller) return false;
    const std::uint64_t first = load_word(value, 0);
    const std::uint64_t both = first ^ (load_word(value, 8) * kFactors[0]);
    return first == mix(index) && load_word(value, 40) == both * kFactors[5];
  }

 private:
  static constexpr std::size_t kRandomWords = 6;
  static constexpr char kFiller = '.';
  static constexpr std::array<std::uint64_t, kRandomWords> kFactors = {
      0x2545f4914f6cdd1dU, 0x9fb21c651e98df25U, 0xc2b2ae3d27d4eb4fU,
      0x165667b19e3779f9U, 0x85ebca77c2b2ae63U, 0x27d4eb2f165667c5U};

  std::array<char, kValueBytes> bytes_;
};

}  // namespace ashlar::bench
