/// \file
/// A walk over the rows of one table through the cache, in both directions: what scans read by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ref.h"
#include "engine/row_cursor.h"
#include "lsm/open_table.h"
#include "table/block.h"

namespace ashlar::lsm {

/// It pins the block that it stands in, so that it may rest there as long as it likes. After an
/// error it is invalid, and `status` says why, until the next seek.
///
/// Threads: externally synchronised.
class TableCursor final : public engine::RowCursor {
 public:
  /// Invalid until the first seek.
  explicit TableCursor(base::Ref<const OpenTable> table) noexcept : table_(std::move(table)) {}

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;

  /// Cost: pointer arithmetic; once in a block of some seventy rows a look into the cache
  void next() override;
  void previous() override;

  Result<void> status() const override { return status_; }

 private:
  bool load(std::size_t block);
  void stand_at(std::uint32_t row);

  static constexpr char kNoRows[table::kBlockHeaderBytes] = {};

  const base::Ref<const OpenTable> table_;
  table::Pin pin_;
  table::Block rows_{std::string_view(kNoRows, table::kBlockHeaderBytes)};
  OpenTable::Walk walk_;
  std::size_t block_ = 0;
  bool has_block_ = false;
  std::uint32_t row_ = 0;
  std::string key_buffer_;
  engine::StoredRow at_;
  Result<void> status_;
};

}  // namespace ashlar::lsm
