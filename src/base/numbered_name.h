/// \file
/// Names of files that stand in a sequence: a number of at least ten digits and what they are, so
/// that a listing in the order of names is one in the order of numbers.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace ashlar::base {

/// The name of number 42 that ends in ".log": "0000000042.log".
inline std::string numbered_name(std::uint64_t number, std::string_view suffix) {
  constexpr std::size_t kDigitsMin = 10;
  ASHLAR_ASSERT(suffix.starts_with('.'), "a suffix is set apart from the digits");
  std::string name = std::to_string(number);
  if (name.size() < kDigitsMin) name.insert(0, kDigitsMin - name.size(), '0');
  return name.append(suffix);
}

/// The number in a name that `numbered_name` made with this suffix.
///
/// Returns: nullopt for every other name, one with a zero too many included: a number has one name
inline std::optional<std::uint64_t> number_in_name(std::string_view name, std::string_view suffix) {
  ASHLAR_ASSERT(suffix.starts_with('.'), "a suffix is set apart from the digits");
  if (!name.ends_with(suffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, name.size() - suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return numbered_name(number, suffix) == name ? std::optional(number) : std::nullopt;
}

}  // namespace ashlar::base
