#include "lsm/level_cursor.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::lsm {

TableCursor& LevelCursor::stand_in(std::size_t index) {
  ASHLAR_ASSERT(index < tables_.size(), "a level has the table that is walked");
  if (at_ == nullptr || index != index_) {
    at_ = std::make_unique<TableCursor>(base::Ref(&opened(*tables_[index])));
    index_ = index;
  }
  return *at_;
}

void LevelCursor::seek_to_first() {
  stand_in(0).seek_to_first();
  show_row();
}

void LevelCursor::seek_to_last() {
  stand_in(tables_.size() - 1).seek_to_last();
  show_row();
}

void LevelCursor::seek(std::string_view key) {
  const auto table = std::ranges::lower_bound(
      tables_, key, {}, [](const TableRef& at) { return std::string_view(at->info().largest); });
  if (table == tables_.end()) {
    at_.reset();
  } else {
    stand_in(static_cast<std::size_t>(table - tables_.begin())).seek(key);
  }
  show_row();
}

void LevelCursor::seek_for_previous(std::string_view key) {
  const auto behind = std::ranges::upper_bound(
      tables_, key, {}, [](const TableRef& at) { return std::string_view(at->info().smallest); });
  if (behind == tables_.begin()) {
    at_.reset();
  } else {
    stand_in(static_cast<std::size_t>(behind - tables_.begin()) - 1).seek_for_previous(key);
  }
  show_row();
}

void LevelCursor::next() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  at_->next();
  const bool is_at_end = !at_->is_valid() && at_->status() && index_ + 1 < tables_.size();
  if (is_at_end) [[unlikely]]
    stand_in(index_ + 1).seek_to_first();
  show_row();
}

void LevelCursor::previous() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  at_->previous();
  const bool is_at_end = !at_->is_valid() && at_->status() && index_ > 0;
  if (is_at_end) [[unlikely]]
    stand_in(index_ - 1).seek_to_last();
  show_row();
}

}  // namespace ashlar::lsm
