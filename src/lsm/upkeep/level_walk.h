/// \file
/// A walk over all rows of tables that follow each other, past every cache: what compactions read
/// by. To `table::TableWalk` it is what `LevelCursor` is to `TableCursor`.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "engine/row_cursor.h"
#include "lsm/table.h"
#include "table/table_walk.h"

namespace ashlar::lsm {

/// Goes forward only: `seek_to_last`, `seek_for_previous` and `previous` abort.
///
/// One table is walked at a time, so there is one buffer of what was read ahead, however many
/// tables there are. After an error the walk is invalid, and `status` says why, until the next
/// seek.
///
/// Threads:  externally synchronised.
/// Lifetime: `tables`, open ones, must outlive it.
class LevelWalk final : public engine::RowCursor {
 public:
  /// Invalid until the first seek.
  ///
  /// Input: tables  ascending, and none overlaps another (V3); at least one
  explicit LevelWalk(std::span<const TableRef> tables) noexcept;

  void seek_to_first() override;
  void seek(std::string_view key) override;
  void next() override;
  void seek_to_last() override;
  void seek_for_previous(std::string_view key) override;
  void previous() override;

  /// Errors: kIo, kCorruption  as TableWalk
  Result<void> status() const override { return at_ ? at_->status() : Result<void>(); }

  /// The walk through the table of the row at hand, for what it says of whole blocks.
  const table::TableWalk& in_table() const noexcept { return *at_; }

  /// Goes to the first row behind the block of the row at hand.
  void skip_block();

 private:
  table::TableWalk& begin_table(std::size_t index);
  void go_on_after_table();
  void show_row() noexcept { show(at_ ? at_->row() : nullptr); }

  const std::span<const TableRef> tables_;
  std::optional<table::TableWalk> at_;
  std::size_t index_ = 0;  // Of the table that `at_` walks.
};

}  // namespace ashlar::lsm
