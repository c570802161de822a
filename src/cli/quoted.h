/// \file
/// Bytes as printable ASCII.
#pragma once

#include <string>
#include <string_view>

namespace ashlar::cli {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

/// Whether `c` stands for itself between quotes.
constexpr bool is_plain(char c) noexcept {
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/// Appends `bytes` in quotes: what is not plain as \xNN, and a backslash before quotes and
/// backslashes.
inline void append_quoted(std::string& to, std::string_view bytes) {
  to.push_back('"');
  for (const char c : bytes) {
    if (is_plain(c)) {
      to.push_back(c);
    } else if (c == '"' || c == '\\') {
      to.append({'\\', c});
    } else {
      const auto byte = static_cast<unsigned char>(c);
      to.append({'\\', 'x', kHexDigits[byte >> 4U], kHexDigits[byte & 15U]});
    }
  }
  to.push_back('"');
}

/// Two digits a byte.
inline std::string hex_of(std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kHexDigits[byte >> 4U]);
    hex.push_back(kHexDigits[byte & 15U]);
  }
  return hex;
}

}  // namespace ashlar::cli
