/// \file
/// A walk over one of the levels whose tables follow each other: through one table at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/row_cursor.h"
#include "lsm/table.h"
#include "lsm/table_cursor.h"

namespace ashlar::lsm {

/// A table is opened for walking when the walk comes to it. After an error it is invalid, and
/// `status` says why, until the next seek.
///
/// Threads:  externally synchronised.
/// Lifetime: the version that `tables` is a level of must outlive it.
class LevelCursor final : public engine::RowCursor {
 public:
  /// Input: tables  ascending, and none overlaps another (V3); at least one
  explicit LevelCursor(std::span<const TableRef> tables) noexcept : tables_(tables) {}

  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;
  void next() override;
  void previous() override;

  Result<void> status() const override { return at_ != nullptr ? at_->status() : Result<void>(); }

 private:
  TableCursor& stand_in(std::size_t index);
  void show_row() noexcept { show(at_ != nullptr ? at_->row() : nullptr); }

  const std::span<const TableRef> tables_;
  std::unique_ptr<TableCursor> at_;
  std::size_t index_ = 0;  // Of the table that `at_` walks.
};

}  // namespace ashlar::lsm
