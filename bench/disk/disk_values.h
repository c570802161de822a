/// \file
/// Values of any length for the rows of the disk engines. A value is made from its key, so that
/// who has both can tell whether they belong together.
///
///     offset          field
///          0          identity  from bytes [8, 16) of the key, in which two keys differ
///          8          version
///         16          words that look random, up to 48 % of the value
///       48 %          the same byte up to the end, for a compressor to take
///
/// Invariants:
///   G9  A value that is cut, of another key or mixed of two versions is seen, for a nanosecond or
///       two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "keys.h"

namespace ashlar::bench {

/// Makes values of one length.
///
/// Threads: confined to the thread that made it.
class DiskValueMaker {
 public:
  /// Input: value_bytes  at least `kValueBytesMin`
  explicit DiskValueMaker(std::size_t value_bytes) : bytes_(value_bytes, kFiller) {}

  /// The value of `key`, which is one of keys.h, in its `version`. Cost: about 1 ns a random word.
  ///
  /// Lifetime: the view dies with the next call.
  std::string_view make(std::string_view key, std::uint64_t version) noexcept {
    const std::uint64_t identity = identity_of(key);
    store_word(bytes_.data(), identity);
    store_word(bytes_.data() + 8, version);
    const std::uint64_t both = identity ^ (version * kVersionFactor);
    const std::size_t word_count = random_words(bytes_.size());
    for (std::size_t i = 2; i < word_count; ++i) {
      store_word(bytes_.data() + 8 * i, random_word(both, i));
    }
    return bytes_;
  }

  /// Whether `value` is a whole value of `key` and `value_bytes` long, in any version.
  static bool is_value_of(std::string_view key, std::string_view value,
                          std::size_t value_bytes) noexcept {
    if (value.size() != value_bytes || value.back() != kFiller) return false;
    const std::uint64_t identity = load_word(value, 0);
    const std::uint64_t both = identity ^ (load_word(value, 8) * kVersionFactor);
    const std::size_t last = random_words(value_bytes) - 1;
    return identity == identity_of(key) && load_word(value, 8 * last) == random_word(both, last);
  }

  static constexpr std::size_t kValueBytesMin = 64;

 private:
  static std::size_t random_words(std::size_t value_bytes) noexcept {
    return value_bytes * 48 / 100 / 8;
  }
  static std::uint64_t identity_of(std::string_view key) noexcept {
    return (load_word(key, 8) + kIdentityStart) * kIdentityFactor;
  }
  static std::uint64_t random_word(std::uint64_t both, std::size_t position) noexcept {
    const std::uint64_t word = (both + position) * kWordFactor;
    return word ^ (word >> 29U);
  }

  static constexpr char kFiller = '.';
  static constexpr std::uint64_t kIdentityStart = 0x2545f4914f6cdd1dU;
  static constexpr std::uint64_t kIdentityFactor = 0x9fb21c651e98df25U;
  static constexpr std::uint64_t kVersionFactor = 0xc2b2ae3d27d4eb4fU;
  static constexpr std::uint64_t kWordFactor = 0x165667b19e3779f9U;

  std::string bytes_;
};

}  // namespace ashlar::bench
