// Two sorted walks as one. Going forward both stand at or behind the row at hand, going backward at
// or in front of it; where they meet, the transaction's own row is the one that counts.

#include "txn/overlay_cursor.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::txn {

OverlayCursor::OverlayCursor(World world, std::unique_ptr<engine::Cursor> below,
                             const WriteSet& writes)
    : world_(std::move(world)), below_(std::move(below)) {
  const WriteSet::Rows& all = writes.rows();
  for (auto row = all.lower_bound(world_.range.from); row != all.end(); ++row) {
    const auto& [key, write] = *row;
    if (world_.range.to && key >= *world_.range.to) break;
    std::optional<std::string> value;
    if (write.kind == engine::OperationKind::kPut) value = write.value;
    rows_.push_back({.key = key, .value = std::move(value)});
  }
  ++*world_.open_count;  // Last, since nothing fails behind it.
}

std::string_view OverlayCursor::key() const noexcept {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is read");
  return key_;
}

std::string_view OverlayCursor::value() const noexcept {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is read");
  if (stand_ == Stand::kBelow) return below_->value();
  return *rows_[is_forward_ ? next_row_ : next_row_ - 1].value;
}

void OverlayCursor::begin_forward(std::string_view from) {
  is_forward_ = true;
  const auto at = std::ranges::lower_bound(rows_, from, {}, &Row::key);
  next_row_ = static_cast<std::size_t>(at - rows_.begin());
}

void OverlayCursor::begin_backward(std::string_view from) {
  is_forward_ = false;
  const auto at = std::ranges::upper_bound(rows_, from, {}, &Row::key);
  next_row_ = static_cast<std::size_t>(at - rows_.begin());
}

/// Goes on to the first row that is there.
void OverlayCursor::settle_forward() {
  stand_ = Stand::kNowhere;
  if (!below_->status()) return;
  while (next_row_ < rows_.size() || below_->is_valid()) {
    const bool has_over = next_row_ < rows_.size();
    if (!has_over || (below_->is_valid() && below_->key() < rows_[next_row_].key)) {
      stand_ = Stand::kBelow;
      key_ = below_->key();
      return;
    }
    const Row& row = rows_[next_row_];
    if (row.value) {
      stand_ = Stand::kOver;
      key_ = row.key;
      return;
    }
    if (is_below_at(row.key)) below_->next();
    ++next_row_;
  }
}

void OverlayCursor::settle_backward() {
  stand_ = Stand::kNowhere;
  if (!below_->status()) return;
  while (next_row_ > 0 || below_->is_valid()) {
    const bool has_over = next_row_ > 0;
    if (!has_over || (below_->is_valid() && below_->key() > rows_[next_row_ - 1].key)) {
      stand_ = Stand::kBelow;
      key_ = below_->key();
      return;
    }
    const Row& row = rows_[next_row_ - 1];
    if (row.value) {
      stand_ = Stand::kOver;
      key_ = row.key;
      return;
    }
    if (is_below_at(row.key)) below_->previous();
    --next_row_;
  }
}

void OverlayCursor::pass_forward(std::string_view from) {
  if (world_.passed == nullptr) return;
  if (is_valid()) {
    world_.passed->pass(from, key_);
  } else {
    world_.passed->pass_to_end(from, world_.range.to);
  }
}

void OverlayCursor::pass_backward(std::string_view from) {
  if (world_.passed == nullptr) return;
  world_.passed->pass(is_valid() ? std::string_view(key_) : world_.range.from, from);
}

void OverlayCursor::pass_from_end() {
  if (world_.passed == nullptr) return;
  world_.passed->pass_to_end(is_valid() ? std::string_view(key_) : world_.range.from,
                             world_.range.to);
}

void OverlayCursor::seek_to_first() {
  begin_forward(world_.range.from);
  below_->seek_to_first();
  settle_forward();
  pass_forward(world_.range.from);
}

void OverlayCursor::seek(std::string_view key) {
  begin_forward(key);
  below_->seek(key);
  settle_forward();
  pass_forward(std::max<std::string_view>(key, world_.range.from));
}

void OverlayCursor::seek_to_last() {
  is_forward_ = false;
  next_row_ = rows_.size();
  below_->seek_to_last();
  settle_backward();
  pass_from_end();
}

void OverlayCursor::seek_for_previous(std::string_view key) {
  begin_backward(key);
  below_->seek_for_previous(key);
  settle_backward();
  if (world_.range.to && key >= *world_.range.to) return pass_from_end();
  pass_backward(key);
}

void OverlayCursor::next() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  const std::string from = key_;
  if (!is_forward_) {
    begin_forward(from);
    below_->seek(from);
  }
  if (is_below_at(from)) below_->next();
  if (next_row_ < rows_.size() && rows_[next_row_].key == from) ++next_row_;
  settle_forward();
  pass_forward(from);
}

void OverlayCursor::previous() {
  ASHLAR_ASSERT(is_valid(), "only a valid cursor is stepped");
  const std::string from = key_;
  if (is_forward_) {
    begin_backward(from);
    below_->seek_for_previous(from);
  }
  if (is_below_at(from)) below_->previous();
  if (next_row_ > 0 && rows_[next_row_ - 1].key == from) --next_row_;
  settle_backward();
  pass_backward(from);
}

}  // namespace ashlar::txn
