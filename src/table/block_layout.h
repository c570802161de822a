/// \file
/// How the rows of a block lie in memory, column after column: docs/formats/table.md.
///
///     offset  bytes  field
///          0      2  row count n
///          2      2  prefix bytes: of the prefix that all keys have in common
///          4      2  rest bytes: of the rest of each key, 0 where they differ
///          6      1  flags
///          7      1  zero
///          8      4  value bytes: of each value, 0 where they differ
///         12      4  where the values begin
///         16         prefix, zeros up to a multiple of 4
///                2n  tags: bits 48 to 63 of the hashes of the keys; zeros up to a multiple of 4
///                4n  heads: the four bytes behind the prefix, as a number that compares as they do
///          2(n + 1)  where each rest begins, from where the rests begin, and where the last ends
///          2(n + 1)  where each value begins, likewise
///               n/8  erases: a bit for each row
///               n/8  apart: a bit for each row whose value is a reference to where it stands
///                8n  deadlines
///                    rests of the keys, then values
///
/// Columns of ends, bits and deadlines are there when a flag says so. A head's bytes are not
/// repeated in the rest, unless some key has fewer than four behind the prefix: then all rests
/// begin right behind it, and heads are filled up with zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ashlar/options.h"
#include "base/coding.h"

namespace ashlar::table {

/// The most that a block of more than one row has, in bytes; one row that is longer has its own.
inline constexpr std::size_t kBlockBytesMax = 8192;

/// The longest block: one row with the longest key and value, and its columns.
inline constexpr std::size_t kLoneRowBytesMax = kKeyBytesHardMax + kValueBytesHardMax + 64;

inline constexpr std::size_t kBlockHeaderBytes = 16;
inline constexpr std::size_t kHeadBytes = 4;

/// Bits of the flags.
enum BlockFlag : std::uint8_t {
  kRestsDiffer = 1,     ///< In length: there is a column of where they begin.
  kValuesDiffer = 2,    ///< The same of values.
  kHasErases = 4,       ///< There is a column of which rows are erases.
  kHasDeadlines = 8,    ///< There is a column of deadlines.
  kRestsAreWhole = 16,  ///< Rests begin right behind the prefix.
  kHasApart = 32        ///< There is a column of which values stand apart.
};
inline constexpr std::uint8_t kBlockFlagsKnown = 63;

/// What the header says.
struct BlockHeader {
  std::uint32_t row_count = 0;
  std::uint32_t prefix_bytes = 0;
  std::uint32_t rest_bytes = 0;
  std::uint8_t flags = 0;
  std::uint32_t value_bytes = 0;
  std::uint32_t values_begin = 0;

  bool has(BlockFlag flag) const noexcept { return (flags & flag) != 0; }

  /// How many bytes of each key stand in its head and not in its rest.
  std::uint32_t head_key_bytes() const noexcept { return has(kRestsAreWhole) ? 0 : kHeadBytes; }
};

inline BlockHeader load_block_header(const char* raw) noexcept {
  return {.row_count = base::load_number<std::uint16_t>(raw),
          .prefix_bytes = base::load_number<std::uint16_t>(raw + 2),
          .rest_bytes = base::load_number<std::uint16_t>(raw + 4),
          .flags = base::load_number<std::uint8_t>(raw + 6),
          .value_bytes = base::load_number<std::uint32_t>(raw + 8),
          .values_begin = base::load_number<std::uint32_t>(raw + 12)};
}

/// Where the columns begin. Those that are not there have no bytes.
struct BlockColumns {
  std::size_t tags;
  std::size_t heads;
  std::size_t rest_begins;
  std::size_t value_begins;
  std::size_t erases;
  std::size_t aparts;
  std::size_t deadlines;
  std::size_t rests;
};

constexpr std::size_t up_to_four(std::size_t bytes) noexcept {
  return (bytes + 3) & ~std::size_t{3};
}

inline BlockColumns columns_of(const BlockHeader& header) noexcept {
  const std::size_t count = header.row_count;
  const std::size_t begins_bytes = 2 * (count + 1);
  BlockColumns columns{};
  columns.tags = kBlockHeaderBytes + up_to_four(header.prefix_bytes);
  columns.heads = columns.tags + up_to_four(2 * count);
  columns.rest_begins = columns.heads + 4 * count;
  columns.value_begins = columns.rest_begins + (header.has(kRestsDiffer) ? begins_bytes : 0);
  columns.erases = columns.value_begins + (header.has(kValuesDiffer) ? begins_bytes : 0);
  columns.aparts = columns.erases + (header.has(kHasErases) ? (count + 7) / 8 : 0);
  columns.deadlines = columns.aparts + (header.has(kHasApart) ? (count + 7) / 8 : 0);
  columns.rests = columns.deadlines + (header.has(kHasDeadlines) ? 8 * count : 0);
  return columns;
}

/// The first four bytes of `suffix`, zeros for those that it has not, as a number that compares as
/// the bytes do.
inline std::uint32_t head_of(std::string_view suffix) noexcept {
  std::uint32_t head = 0;
  std::memcpy(&head, suffix.data(), suffix.size() < kHeadBytes ? suffix.size() : kHeadBytes);
  return __builtin_bswap32(head);
}

/// The bits of a key's hash that a block keeps.
constexpr std::uint16_t tag_of(std::uint64_t hash) noexcept {
  return static_cast<std::uint16_t>(hash >> 48U);
}

}  // namespace ashlar::table
