#include "engine/visible_cursor.h"

#include <new>
#include <utility>

#include "base/assert.h"

namespace ashlar::engine {

VisibleCursor::VisibleCursor(std::unique_ptr<RowCursor> rows, Range range, TimeMs moment_ms,
                             std::unique_ptr<Hold> hold, const ValueSource* values)
    : hold_(std::move(hold)),
      rows_(std::move(rows)),
      range_(std::move(range)),
      moment_ms_(moment_ms),
      values_(values) {
  ASHLAR_ASSERT(rows_ != nullptr, "there are rows to look at");
}

/// Whether nobody may see `row` (T1).
inline bool VisibleCursor::is_hidden(const StoredRow& row) const noexcept {
  return row.kind == OperationKind::kErase || row.deadline_ms <= moment_ms_;
}

/// From where the rows stand goes on to the first one that shows, within the range (U5).
inline void VisibleCursor::settle_forward() {
  is_value_read_ = false;
  for (at_ = rows_->row(); at_ != nullptr; at_ = rows_->row()) {
    if (range_.to && at_->key >= *range_.to) break;
    if (!is_hidden(*at_)) return;
    rows_->next();
  }
  at_ = nullptr;
}

inline void VisibleCursor::settle_backward() {
  is_value_read_ = false;
  for (at_ = rows_->row(); at_ != nullptr; at_ = rows_->row()) {
    if (at_->key < range_.from) break;
    if (!is_hidden(*at_)) return;
    rows_->previous();
  }
  at_ = nullptr;
}

void VisibleCursor::seek_to_first() {
  error_.reset();
  if (range_.from.empty()) {
    rows_->seek_to_first();
  } else {
    rows_->seek(range_.from);
  }
  settle_forward();
}

void VisibleCursor::seek_to_last() {
  error_.reset();
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
  error_.reset();
  if (key <= range_.from) return seek_to_first();
  rows_->seek(key);
  settle_forward();
}

void VisibleCursor::seek_for_previous(std::string_view key) {
  error_.reset();
  if (range_.to && key >= *range_.to) return seek_to_last();
  rows_->seek_for_previous(key);
  settle_backward();
}

void VisibleCursor::next() {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is stepped");
  if (error_) return end();
  rows_->next();
  settle_forward();
}

void VisibleCursor::previous() {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is stepped");
  if (error_) return end();
  rows_->previous();
  settle_backward();
}

/// Ends a walk of which a value could not be read.
void VisibleCursor::end() noexcept {
  ASHLAR_ASSERT(error_.has_value(), "a walk that is ended says why");
  at_ = nullptr;
}

std::string_view VisibleCursor::key() const noexcept {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is read");
  return at_->key;
}

std::string_view VisibleCursor::value() const noexcept {
  ASHLAR_ASSERT(at_ != nullptr, "only a valid cursor is read");
  return at_->kind != OperationKind::kPutApart ? at_->value : read_apart();
}

/// The value of the row at hand, which stands apart: read once.
std::string_view VisibleCursor::read_apart() const noexcept {
  if (is_value_read_) return value_.view();
  if (error_) return {};
  ASHLAR_ASSERT(values_ != nullptr, "rows whose values stand apart come with where that is");
  try {
    Result<void> read = values_->read(at_->value, value_);
    if (!read) error_ = std::move(read).error();
  } catch (const std::bad_alloc&) {
    error_ = Error::of_literal(ErrorCode::kOutOfSpace, "no memory for a value");
  }
  if (error_) return {};
  is_value_read_ = true;
  return value_.view();
}

Result<void> VisibleCursor::status() const {
  return error_ ? Result<void>(std::unexpected(*error_)) : rows_->status();
}

}  // namespace ashlar::engine
