/// \file
/// Collects rows into a block (block_layout.h), and knows at any time how long it would be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation.h"
#include "table/block_layout.h"

namespace ashlar::table {

/// Threads: externally synchronised.
class BlockBuilder {
 public:
  /// Whether the block stays within kBlockBytesMax with `row` added, or the row would be its only
  /// one.
  bool fits(const engine::Operation& row) const noexcept;

  /// Adds a row, which fits, and whose key is after that of the row before (P6, P7, P9).
  ///
  /// Cost: copies key and value
  void add(const engine::Operation& row, std::uint16_t tag);

  /// Puts the block, which has a row, into `raw` and begins the next one.
  void finish(std::string& raw);

  bool is_empty() const noexcept { return rows_.empty(); }

  /// How long the block would be if it were finished now.
  std::size_t raw_bytes() const noexcept {
    return is_empty() ? 0 : header_of(sums_).values_begin + sums_.value_bytes;
  }
  std::uint32_t row_count() const noexcept { return static_cast<std::uint32_t>(rows_.size()); }
  std::string_view last_key() const noexcept { return key(rows_.size() - 1); }

 private:
  struct Row {
    std::size_t key_end;    // In `keys_`,
    std::size_t value_end;  // and in `values_`.
    engine::TimeMs deadline_ms;
    std::uint16_t tag;
    engine::OperationKind kind;
  };

  /// What the length of a block follows from.
  struct Sums {
    std::size_t row_count = 0;
    std::size_t prefix_bytes = 0;
    std::size_t key_bytes = 0;
    std::size_t value_bytes = 0;
    std::size_t key_bytes_min = 0;
    std::size_t first_value_bytes = 0;
    bool keys_differ = false;    // In length.
    bool values_differ = false;  // Likewise.
    bool has_erases = false;
    bool has_aparts = false;
    bool has_deadlines = false;
  };

  std::string_view key(std::size_t row) const noexcept;
  Sums sums_with(const engine::Operation& row) const noexcept;
  static std::size_t prefix_bytes_of(const Sums& sums) noexcept;
  static BlockHeader header_of(const Sums& sums) noexcept;
  void store_columns(const BlockHeader& header, char* raw) const noexcept;
  void store_row(const BlockHeader& header, const BlockColumns& columns, std::size_t index,
                 char* raw) const noexcept;

  std::vector<Row> rows_;
  std::string keys_;
  std::string values_;
  Sums sums_;
};

}  // namespace ashlar::table
