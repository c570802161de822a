#include "table/table_walk.h"

#include "base/assert.h"

namespace ashlar::table {

void TableWalk::end() noexcept {
  row_ = 0;
  row_count_ = 0;
  show(nullptr);
}

Result<void> TableWalk::read_ahead(std::size_t block) {
  const std::uint64_t begin = table_.offset(block);
  std::size_t end = block + 1;
  while (end < table_.block_count() && table_.offset(end) - begin < kReadAheadBytes) ++end;
  ahead_end_ = ahead_first_ = 0;
  // No longer than the file, whose length the index was held against.
  ahead_.resize(table_.offset(end) - table_.offset(block));
  ASHLAR_TRY(table_.read_stored(block, end, ahead_));
  ahead_first_ = block;
  ahead_end_ = end;
  return {};
}

Result<void> TableWalk::try_load(std::size_t block) {
  if (block < ahead_first_ || block >= ahead_end_) ASHLAR_TRY(read_ahead(block));
  const std::uint64_t begin = table_.offset(block) - table_.offset(ahead_first_);
  const std::uint64_t bytes = table_.offset(block + 1) - table_.offset(block);
  ASHLAR_TRY_ASSIGN(stored_,
                    table_.open_block(block, std::string_view(ahead_.data() + begin, bytes)));
  raw_.resize(table_.raw_bytes(block));
  return table_.unpack_block(block, stored_, raw_);
}

void TableWalk::load(std::size_t block) {
  end();
  if (block >= table_.block_count()) return;
  status_ = try_load(block);
  if (!status_) return;
  rows_ = Block(raw_);
  rows_.begin_keys(key_buffer_);
  block_ = block;
  row_count_ = rows_.row_count();
  stand_at(0);
}

void TableWalk::stand_at(std::uint32_t row) {
  ASHLAR_DEBUG_ASSERT(row < row_count_, "a walk stands at a row");
  row_ = row;
  at_ = rows_.row(row, key_buffer_);
  show(&at_);
}

void TableWalk::seek_to_first() {
  load(0);
}

// All keys of the block may be before `key`: then the first of the next is after it.
void TableWalk::seek(std::string_view key) {
  load(table_.block_of(key));
  if (!is_valid()) return;
  const std::uint32_t row = rows_.lower_bound(key);
  if (row < row_count_) return stand_at(row);
  load(block_ + 1);
}

void TableWalk::next() {
  ASHLAR_ASSERT(is_valid(), "only a walk at a row goes on");
  if (row_ + 1 < row_count_) return stand_at(row_ + 1);
  load(block_ + 1);
}

void TableWalk::skip_block() {
  ASHLAR_ASSERT(is_valid(), "only a walk at a row goes on");
  load(block_ + 1);
}

void TableWalk::seek_to_last() {
  ASHLAR_ASSERT(false, "a compaction goes forward");
}

void TableWalk::seek_for_previous(std::string_view /*key*/) {
  ASHLAR_ASSERT(false, "a compaction goes forward");
}

void TableWalk::previous() {
  ASHLAR_ASSERT(false, "a compaction goes forward");
}

}  // namespace ashlar::table
