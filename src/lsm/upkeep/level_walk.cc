#include "lsm/upkeep/level_walk.h"

#include <algorithm>

#include "base/assert.h"
#include "lsm/open_table.h"

namespace ashlar::lsm {

LevelWalk::LevelWalk(std::span<const TableRef> tables) noexcept : tables_(tables) {
  ASHLAR_ASSERT(!tables.empty(), "a level that is walked has a table");
}

/// Lets go of the table at hand, and of what was read ahead of it.
table::TableWalk& LevelWalk::begin_table(std::size_t index) {
  ASHLAR_ASSERT(index < tables_.size(), "a level has the table that is walked");
  index_ = index;
  return at_.emplace(opened(*tables_[index]).file());
}

/// Begins the next table when the one at hand has come to its end without an error. One is enough:
/// no table is without rows.
void LevelWalk::go_on_after_table() {
  show_row();
  if (is_valid() || !at_->status() || index_ + 1 == tables_.size()) return;
  ASHLAR_DEBUG_ASSERT(tables_[index_]->info().largest < tables_[index_ + 1]->info().smallest,
                      "V3: a table ends before the next one begins");
  begin_table(index_ + 1).seek_to_first();
  show_row();
}

void LevelWalk::seek_to_first() {
  begin_table(0).seek_to_first();
  show_row();
}

void LevelWalk::seek(std::string_view key) {
  const auto table = std::ranges::lower_bound(
      tables_, key, {}, [](const TableRef& at) { return std::string_view(at->info().largest); });
  at_.reset();
  if (table != tables_.end()) {
    begin_table(static_cast<std::size_t>(table - tables_.begin())).seek(key);
  }
  show_row();
}

void LevelWalk::next() {
  ASHLAR_ASSERT(is_valid(), "only a walk at a row goes on");
  at_->next();
  go_on_after_table();
}

void LevelWalk::skip_block() {
  ASHLAR_ASSERT(is_valid(), "only a walk at a row goes on");
  at_->skip_block();
  go_on_after_table();
}

void LevelWalk::seek_to_last() {
  ASHLAR_ASSERT(false, "a compaction goes forward");
}

void LevelWalk::seek_for_previous(std::string_view /*key*/) {
  ASHLAR_ASSERT(false, "a compaction goes forward");
}

void LevelWalk::previous() {
  ASHLAR_ASSERT(false, "a compaction goes forward");
}

}  // namespace ashlar::lsm
