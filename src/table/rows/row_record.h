/// \file
/// A row as it lies in the row cache.
///
///     offset  size  field
///          0     8  identity     see `RowKey`
///          8     2  table        the low bits of its table's number
///         10     2  key_bytes
///         12     2  value_bytes
///         14     1  kind         and, in the high bit, whether there is a deadline
///         15     1  heat         stored to by readers; nothing else ever changes
///         16     8  deadline     where there is one
///          …     n  key, value, up to a multiple of 8
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/assert.h"
#include "engine/operation.h"
#include "table/cache/entry.h"

namespace ashlar::table {

/// Which row: that of `key` in the table of that number, of which there is one at most and which
/// never changes.
struct RowKey {
  std::uint64_t table = 0;
  std::string_view key;
  std::uint64_t hash = 0;  ///< Of the key, by the seed of the database.

  /// For one key the identities in two tables differ: an odd factor maps numbers one to one. So
  /// rows of the same identity and the same key are of the same table.
  std::uint64_t identity() const noexcept { return hash + table * 0x9E3779B97F4A7C15U; }
};

/// What a row says besides its key.
///
/// Lifetime: `value` is a view of where the row was found.
struct CachedRow {
  engine::OperationKind kind;
  engine::TimeMs deadline_ms;
  std::string_view value;
};

/// A row in place.
///
/// Threads: whoever may see the place reads; the heat apart, nobody writes after `write`.
class RowRecord {
 public:
  static constexpr std::size_t kAlignmentBytes = 8;
  /// A longer one has a good part of a block for itself: the cache of blocks serves it as well.
  static constexpr std::size_t kBytesMax = 2048;

  explicit RowRecord(char* at) noexcept : at_(at) {}

  static std::size_t bytes_of(std::string_view key, const CachedRow& row) noexcept {
    return rounded(kHeaderBytes + (has_deadline(row) ? kDeadlineBytes : 0) + key.size() +
                   row.value.size());
  }

  /// Writes a row that is cold. There are `bytes_of` bytes at `to`, which nobody else sees yet.
  static void write(char* to, const RowKey& key, const CachedRow& row) noexcept {
    ASHLAR_ASSERT(bytes_of(key.key, row) <= kBytesMax, "a row in the cache is short");
    const Header header{.identity = key.identity(),
                        .table = static_cast<std::uint16_t>(key.table),
                        .key_bytes = static_cast<std::uint16_t>(key.key.size()),
                        .value_bytes = static_cast<std::uint16_t>(row.value.size()),
                        .kind = static_cast<std::uint8_t>(static_cast<unsigned>(row.kind) |
                                                          (has_deadline(row) ? kDeadlineBit : 0))};
    std::memcpy(to, &header, sizeof(header));
    std::construct_at(reinterpret_cast<Heat*>(to + kHeatOffset), std::uint8_t{0});
    char* at = to + kHeaderBytes;
    if (has_deadline(row)) {
      std::memcpy(at, &row.deadline_ms, kDeadlineBytes);
      at += kDeadlineBytes;
    }
    std::memcpy(at, key.key.data(), key.key.size());
    at += key.key.size();
    if (!row.value.empty()) std::memcpy(at, row.value.data(), row.value.size());
  }

  /// Copies `from` to `to`, as a row that is one reading colder. Readers may still be at `from`.
  static void copy(char* to, const RowRecord& from) noexcept {
    const std::uint8_t heat = from.heat().load(std::memory_order_relaxed);
    const std::size_t bytes = from.bytes();
    std::memcpy(to, from.at_, kHeatOffset);
    std::construct_at(reinterpret_cast<Heat*>(to + kHeatOffset),
                      static_cast<std::uint8_t>(heat > 0 ? heat - 1 : 0));
    std::memcpy(to + kHeaderBytes, from.at_ + kHeaderBytes, bytes - kHeaderBytes);
  }

  std::uint64_t identity() const noexcept { return header().identity; }
  std::uint16_t table() const noexcept { return header().table; }
  std::string_view key() const noexcept { return {at_ + key_offset(), header().key_bytes}; }
  CachedRow row() const noexcept {
    const Header head = header();
    CachedRow row{.kind = static_cast<engine::OperationKind>(head.kind & ~kDeadlineBit),
                  .deadline_ms = engine::kNever,
                  .value = {at_ + key_offset() + head.key_bytes, head.value_bytes}};
    if ((head.kind & kDeadlineBit) != 0) {
      std::memcpy(&row.deadline_ms, at_ + kHeaderBytes, kDeadlineBytes);
    }
    return row;
  }
  std::size_t bytes() const noexcept {
    return rounded(key_offset() + header().key_bytes + header().value_bytes);
  }
  Heat& heat() const noexcept { return *reinterpret_cast<Heat*>(at_ + kHeatOffset); }

 private:
  // The heat follows it, and is no part of it: it may change while the rest is read.
  struct Header {
    std::uint64_t identity;
    std::uint16_t table;
    std::uint16_t key_bytes;
    std::uint16_t value_bytes;
    std::uint8_t kind;
  };
  static constexpr std::size_t kHeatOffset = 15;
  static constexpr std::size_t kHeaderBytes = 16;
  static constexpr std::size_t kDeadlineBytes = sizeof(engine::TimeMs);
  static constexpr unsigned kDeadlineBit = 0x80;
  static_assert(sizeof(Header) == kHeaderBytes);
  static_assert(offsetof(Header, kind) + 1 == kHeatOffset);
  static_assert(sizeof(Heat) == 1);

  static bool has_deadline(const CachedRow& row) noexcept {
    return row.deadline_ms != engine::kNever;
  }
  static constexpr std::size_t rounded(std::size_t bytes) noexcept {
    return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
  }

  Header header() const noexcept {
    Header header{};
    std::memcpy(&header, at_, kHeatOffset);
    return header;
  }
  std::size_t key_offset() const noexcept {
    return kHeaderBytes + ((header().kind & kDeadlineBit) != 0 ? kDeadlineBytes : 0);
  }

  char* at_;
};

}  // namespace ashlar::table
