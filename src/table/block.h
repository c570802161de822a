/// \file
/// A block: some rows in the order of their keys, in columns, as it lies in memory
/// (block_layout.h).
///
/// A point read touches the line with the header and the prefix, the lines of the tags behind it,
/// two bytes a row, and of one row head, rest and value; tags tell all other rows apart but for one
/// in 65,536. A seek reads heads alone, unless two are equal. The next row is pointer arithmetic.
///
/// Invariants:
///   P6  A block has a row, and its keys ascend strictly.
///   P7  A block of more than one row has at most kBlockBytesMax bytes.
///   P8  Of a block that `check_block` has passed no byte outside of it is ever read.
///   P9  An erase has no value and no deadline; of a value that stands apart a block has a
///       reference (engine/value_reference.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "base/assert.h"
#include "engine/operation.h"
#include "engine/row_cursor.h"
#include "table/block_layout.h"

namespace ashlar::table {

/// What is wrong with `raw` as a block, of whatever bytes.
///
/// Returns: nullptr when nothing is: then everything that a `Block` hands out is sound (P6 to P9),
///          but for the tags, which only the checksum of a stored block answers for
/// Cost:    compares each key with the one before, about 5 ns a row
const char* block_fault(std::string_view raw) noexcept;

/// The same as a result that names where the block is from: "PATH at OFFSET: the block …".
Result<void> check_block(std::string_view raw, std::string_view path, std::uint64_t offset);

/// The rows of a block that `check_block` has passed.
///
/// Threads:  immutable.
/// Lifetime: `raw` must outlive it and all views that it hands out.
class Block {
 public:
  explicit Block(std::string_view raw) noexcept
      : header_(load_block_header(raw.data())), columns_(columns_of(header_)), raw_(raw.data()) {}

  std::uint32_t row_count() const noexcept { return header_.row_count; }

  /// The row of `key`, whose hash has the tag `tag`.
  ///
  /// Cost: about four cache misses when nothing is cached, five where lengths differ
  std::optional<std::uint32_t> find(std::string_view key, std::uint16_t tag) const noexcept;

  /// The first row whose key is `key` or after it; the row count when there is none.
  std::uint32_t lower_bound(std::string_view key) const noexcept;

  /// Makes `buffer` long enough for every key, the prefix in front: what `key` asks for.
  void begin_keys(std::string& buffer) const;

  /// The key of `row`, put together in a buffer that `begin_keys` of this block has made.
  std::string_view key(std::uint32_t row, std::string& buffer) const noexcept {
    ASHLAR_DEBUG_ASSERT(row < header_.row_count, "a row is one of the block's");
    ASHLAR_DEBUG_ASSERT(buffer.starts_with(prefix()), "keys are put together behind the prefix");
    char* to = buffer.data() + header_.prefix_bytes;
    if (!header_.has(kRestsAreWhole)) {
      base::store_number(to, __builtin_bswap32(head(row)));
      to += kHeadBytes;
    }
    const std::string_view behind = rest(row);
    std::memcpy(to, behind.data(), behind.size());
    return {buffer.data(), to + behind.size()};
  }

  /// All of `row`, its key as above.
  engine::StoredRow row(std::uint32_t row, std::string& buffer) const noexcept {
    return {.key = key(row, buffer),
            .value = value(row),
            .kind = kind(row),
            .deadline_ms = deadline_ms(row)};
  }

  /// The key of `row` as a string of its own, for where speed is no matter.
  std::string key(std::uint32_t row) const;

  std::string_view value(std::uint32_t row) const noexcept {
    ASHLAR_DEBUG_ASSERT(row < header_.row_count, "a row is one of the block's");
    const char* const values = raw_ + header_.values_begin;
    if (!header_.has(kValuesDiffer)) {
      return {values + std::size_t{row} * header_.value_bytes, header_.value_bytes};
    }
    const std::uint32_t from = load_begin(columns_.value_begins, row);
    return {values + from, load_begin(columns_.value_begins, row + 1) - from};
  }

  engine::OperationKind kind(std::uint32_t row) const noexcept {
    if (header_.has(kHasErases) && load_bit(columns_.erases, row)) {
      return engine::OperationKind::kErase;
    }
    if (header_.has(kHasApart) && load_bit(columns_.aparts, row)) {
      return engine::OperationKind::kPutApart;
    }
    return engine::OperationKind::kPut;
  }

  engine::TimeMs deadline_ms(std::uint32_t row) const noexcept {
    if (!header_.has(kHasDeadlines)) return engine::kNever;
    return base::load_number<engine::TimeMs>(raw_ + columns_.deadlines + std::size_t{8} * row);
  }

 private:
  friend class BlockCheck;

  std::string_view prefix() const noexcept {
    return {raw_ + kBlockHeaderBytes, header_.prefix_bytes};
  }
  std::uint32_t head(std::uint32_t row) const noexcept {
    return base::load_number<std::uint32_t>(raw_ + columns_.heads + std::size_t{4} * row);
  }
  /// Bit `row` of one of the two columns of bits.
  bool load_bit(std::size_t column, std::uint32_t row) const noexcept {
    const std::uint32_t bits = base::load_number<std::uint8_t>(raw_ + column + row / 8);
    return (bits >> row % 8 & 1U) != 0;
  }
  /// Entry `row` of one of the two columns of begins.
  std::uint32_t load_begin(std::size_t column, std::uint32_t row) const noexcept {
    return base::load_number<std::uint16_t>(raw_ + column + std::size_t{2} * row);
  }
  std::string_view rest(std::uint32_t row) const noexcept {
    const char* const rests = raw_ + columns_.rests;
    if (!header_.has(kRestsDiffer)) {
      return {rests + std::size_t{row} * header_.rest_bytes, header_.rest_bytes};
    }
    const std::uint32_t from = load_begin(columns_.rest_begins, row);
    return {rests + from, load_begin(columns_.rest_begins, row + 1) - from};
  }

  bool is_row(std::uint32_t row, std::string_view suffix) const noexcept;
  std::uint32_t first_head_from(std::uint32_t from) const noexcept;
  std::uint32_t lower_bound_of_suffix(std::string_view suffix) const noexcept;

  BlockHeader header_;
  BlockColumns columns_;
  const char* raw_;
};

}  // namespace ashlar::table
