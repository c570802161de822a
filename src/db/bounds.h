/// \file
/// What a caller may ask for: ranges of options, lengths of keys and values. The predicates are for
/// the fast paths; the errors name the key, its size and the limit, and are made only on refusal.
///
/// Invariants:
///   A1  No key, value or batch outside its limits reaches an engine.
///   A2  An error names at most `kKeyBytesShown` bytes of a key, all of them printable.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "ashlar/options.h"
#include "ashlar/result.h"
#include "ashlar/write_batch.h"

namespace ashlar::db {

/// How much of a key an error shows, in bytes of the key.
inline constexpr std::size_t kKeyBytesShown = 32;

/// Checks the range of each option.
///
/// Errors: kInvalidArgument  one is outside, named with its value and range
Result<void> check_options(const Options& options);

inline bool is_key_allowed(std::string_view key, const Options& options) noexcept {
  return key.size() - 1 < options.key_bytes_max;  // An empty key wraps around and is refused too.
}

inline bool is_value_allowed(std::string_view value, const Options& options) noexcept {
  return value.size() <= options.value_bytes_max;
}

/// Why `key` is not allowed. Asserts that it is not.
[[gnu::cold]] Error key_refusal(std::string_view key, const Options& options);

/// Why `value` is not allowed under `key`. Asserts that it is not.
[[gnu::cold]] Error value_refusal(std::string_view key, std::string_view value,
                                  const Options& options);

/// Checks each operation of `batch`, and that none was left out of it.
///
/// Errors: kInvalidArgument  names the operation by its index
Result<void> check_batch(const WriteBatch& batch, const Options& options);

/// `key` in quotes for a message: shortened, and what cannot be printed written as \xNN.
std::string printable_key(std::string_view key);

}  // namespace ashlar::db
