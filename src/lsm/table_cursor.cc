#include "lsm/table_cursor.h"

#include <utility>

#include "base/assert.h"
#include "lsm/guarded_read.h"

namespace ashlar::lsm {

/// Stands in `block`, on no row of it yet. Returns: whether that went well
bool TableCursor::load(std::size_t block) {
  show(nullptr);
  if (has_block_ && block == block_) return true;
  has_block_ = false;
  status_ = read_guarded(table_->domain(), [&]() -> Result<void> {
    ASHLAR_TRY_ASSIGN(const std::string_view raw, table_->block(block, &walk_));
    pin_ = table_->pin(raw);
    rows_ = table::Block(raw);
    return {};
  });
  if (!status_) return false;
  has_block_ = true;
  rows_.begin_keys(key_buffer_);
  block_ = block;
  return true;
}

void TableCursor::stand_at(std::uint32_t row) {
  ASHLAR_DEBUG_ASSERT(row < rows_.row_count(), "a cursor stands on a row that is there");
  row_ = row;
  at_ = rows_.row(row, key_buffer_);
  show(&at_);
}

void TableCursor::seek_to_first() {
  status_ = {};
  if (load(0)) stand_at(0);
}

void TableCursor::seek_to_last() {
  status_ = {};
  if (load(table_->file().block_count() - 1)) stand_at(rows_.row_count() - 1);
}

void TableCursor::seek(std::string_view key) {
  status_ = {};
  const std::size_t block = table_->file().block_of(key);
  if (!load(block)) return;
  const std::uint32_t row = rows_.lower_bound(key);
  if (row < rows_.row_count()) return stand_at(row);
  // All rows of the only block that may have the key are before it.
  if (block + 1 < table_->file().block_count() && load(block + 1)) stand_at(0);
}

void TableCursor::seek_for_previous(std::string_view key) {
  status_ = {};
  const std::size_t block = table_->file().block_of(key);
  if (!load(block)) return;
  const std::uint32_t row = rows_.lower_bound(key);
  if (row < rows_.row_count()) {
    stand_at(row);
    if (at_.key == key) return;
    show(nullptr);
  }
  if (row > 0) return stand_at(row - 1);
  // A block's separator may be below its first key: then the row before is in the block before.
  if (block > 0 && load(block - 1)) stand_at(rows_.row_count() - 1);
}

void TableCursor::next() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  if (row_ + 1 < rows_.row_count()) return stand_at(row_ + 1);
  show(nullptr);
  if (block_ + 1 < table_->file().block_count() && load(block_ + 1)) stand_at(0);
}

void TableCursor::previous() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  if (row_ > 0) return stand_at(row_ - 1);
  show(nullptr);
  if (block_ > 0 && load(block_ - 1)) stand_at(rows_.row_count() - 1);
}

}  // namespace ashlar::lsm
