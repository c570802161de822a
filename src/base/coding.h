/// \file
/// Numbers and byte strings in the form in which they are stored: fixed numbers little-endian,
/// lengths as variable-length numbers of seven bits a byte, the lowest first.
///
/// Decoders take from the front of a view and never read beyond it; what they are given may come
/// from a damaged disk.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ashlar::base {

static_assert(std::endian::native == std::endian::little,
              "numbers are stored as they lie in memory");

/// Stores `number` at `to`, which need not be aligned.
template <typename Number>
void store_number(char* to, Number number) noexcept {
  std::memcpy(to, &number, sizeof(number));
}

/// The number at `from`, which need not be aligned and has as many bytes.
template <typename Number>
Number load_number(const char* from) noexcept {
  Number number;
  std::memcpy(&number, from, sizeof(number));
  return number;
}

/// Writes `number` to the end of `to`, in as many bytes as its type has.
template <typename Number>
void append_number(std::string& to, Number number) {
  char bytes[sizeof(number)];
  store_number(bytes, number);
  to.append(bytes, sizeof(bytes));
}

/// The most bytes that a variable-length number takes.
inline constexpr std::size_t kVarintBytesMax = 10;

/// How many bytes `append_varint` takes for `number`.
constexpr std::size_t varint_bytes(std::uint64_t number) noexcept {
  std::size_t count = 1;
  for (; number >= 0x80; number >>= 7U) ++count;
  return count;
}

inline void append_varint(std::string& to, std::uint64_t number) {
  char bytes[16];  // One append for all of it.
  static_assert(sizeof(bytes) >= kVarintBytesMax, "the longest number fits");
  std::size_t count = 0;
  for (; number >= 0x80; number >>= 7U) bytes[count++] = static_cast<char>(number | 0x80U);
  bytes[count++] = static_cast<char>(number);
  to.append(bytes, count);
}

/// Takes a number of fixed length. Returns: false, with `from` as it was, when it is too short
template <typename Number>
[[nodiscard]] bool take_number(std::string_view& from, Number& number) noexcept {
  if (from.size() < sizeof(number)) return false;
  number = load_number<Number>(from.data());
  from.remove_prefix(sizeof(number));
  return true;
}

/// Takes a variable-length number in its shortest form.
///
/// Returns: false when there is none, or it is longer than it need be or can be
[[nodiscard]] inline bool take_varint(std::string_view& from, std::uint64_t& number) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < from.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    if (i + 1 == kVarintBytesMax && byte > 1) return false;  // Beyond 64 bits.
    value |= std::uint64_t{byte & 0x7fU} << 7 * i;
    if (byte >= 0x80) continue;
    // One form for each number: a copy of a file that decodes alike is the same bytes.
    if (byte == 0 && i > 0) return false;
    number = value;
    from.remove_prefix(i + 1);
    return true;
  }
  return false;
}

/// Takes the next `count` bytes. Returns: false when there are fewer
[[nodiscard]] inline bool take_bytes(std::string_view& from, std::uint64_t count,
                                     std::string_view& bytes) noexcept {
  if (count > from.size()) return false;
  bytes = from.substr(0, count);
  from.remove_prefix(count);
  return true;
}

}  // namespace ashlar::base
