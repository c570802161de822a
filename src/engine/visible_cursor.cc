#include "engine/visible_cursor.h"

#include <utility>

#include "base/assert.h"

namespace ashlar::engine {

VisibleCursor::VisibleCursor(std::unique_ptr<RowCursor> rows, Range range, TimeMs moment_ms,
                             std::unique_ptr<Hold> hold)
    : hold_(std::move(hold)),
      rows_(std::move(rows)),
      range_(std::move(range)),
      moment_ms_(moment_ms) {
  ASHLAR_ASSERT(rows_ != nullptr, "there are rows to look at");
}

/// Whether nobody may see `row` (T1).
inline bool VisibleCursor::is_hidden(const StoredRow& row) const noexcept {
  return row.kind == OperationKind::kErase || row.deadline_ms <= moment_ms_;
}

/// From where the rows stand goes on to the first one that shows, within the range (U5).
inline void VisibleCursor::settle_forward() {
  for (at_ = rows_->row(); at_ != nullptr; at_ = rows_->row()) {
    if (range_.to && at_->key >= *range_.to) break;
    if (!is_hidden(*at_)) return;
    rows_->next();
  }
  at_ = nullptr;
}

inline void VisibleCursor::settle_backward() {
  for (at_ = rows_->row(); at_ != nullptr; at_ = rows_->row()) {
    if (at_->key < range_.from) break;
    if (!is_hidden(*at_)) return;
    rows_->previous();
  }
  at_ = nullptr;
}

void VisibleCursor::seek_to_first() {
  if (range_.from.empty()) {
    rows_->seek_to_first();
  } else {
    rows_->seek(range_.from);
  }
  settle_forward();
}

void VisibleCursor::seek_to_last() {
  if (range_.to) {
    rows_->seek_for_previous(*range_.to);
    // The end is no part of the range; no other row is at or after it.
    if (rows_->is_valid() && rows_->key() == *range_.to) rows_->previous();
  } else {
    rows_->seek_to_last();
  }
  settle_backward();
}

void VisibleCursor::seek(std::string_view key) {
  if (key <= range_.from) return seek_to_first();
  rows_->seek(key);
  settle_forward();
}

void VisibleCursor::seek_for_previous(std::string_view key) {
  if (range_.to && key >= *range_.to) return seek_to_last();
  rows_->seek_for_previous(key);
  settle_backward();
}

void VisibleCursor::next() {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is stepped");
  rows_->next();
  settle_forward();
}

void VisibleCursor::previous() {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is stepped");
  rows_->previous();
  settle_backward();
}

std::string_view VisibleCursor::key() const noexcept {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is read");
  return at_->key;
}

std::string_view VisibleCursor::value() const noexcept {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is read");
  return at_->value;
}

}  // namespace ashlar::engine
