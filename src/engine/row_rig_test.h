/// \file
/// Rows in memory as a `RowCursor`, for the tests of what is made of them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/row_cursor.h"

namespace ashlar::engine {

/// What a row says besides its key.
struct RowContent {
  OperationKind kind = OperationKind::kPut;
  std::string value = {};
  TimeMs deadline_ms = kNever;

  bool operator==(const RowContent&) const = default;
};

using RowMap = std::map<std::string, RowContent>;

/// Walks rows that it owns. A view that it has handed out dies with the next move, as is the worst
/// that a `RowCursor` may do. It fails at the `fail_at`-th move from its making on, and at all
/// later.
class RowList final : public RowCursor {
 public:
  explicit RowList(RowMap rows, std::optional<std::size_t> fail_at = std::nullopt)
      : rows_(std::move(rows)), fail_at_(fail_at), at_(rows_.end()) {}

  void seek_to_first() override { stand(rows_.begin()); }
  void seek_to_last() override { stand(rows_.empty() ? rows_.end() : std::prev(rows_.end())); }
  void seek(std::string_view key) override { stand(rows_.lower_bound(std::string(key))); }
  void seek_for_previous(std::string_view key) override {
    const auto beyond = rows_.upper_bound(std::string(key));
    stand(beyond == rows_.begin() ? rows_.end() : std::prev(beyond));
  }
  void next() override { stand(std::next(at_)); }
  void previous() override { stand(at_ == rows_.begin() ? rows_.end() : std::prev(at_)); }

  Result<void> status() const override {
    if (!has_failed_) return {};
    return std::unexpected(Error::of_literal(ErrorCode::kIo, "the list was told to fail"));
  }

 private:
  void stand(RowMap::iterator at) {
    has_failed_ = fail_at_ && move_count_++ >= *fail_at_;
    shown_key_.assign(shown_key_.size(), '!');  // What was handed out is good for nothing now.
    at_ = at;
    show(nullptr);
    if (has_failed_ || at_ == rows_.end()) return;
    shown_key_ = at_->first;
    shown_ = {.key = shown_key_,
              .value = at_->second.value,
              .kind = at_->second.kind,
              .deadline_ms = at_->second.deadline_ms};
    show(&shown_);
  }

  RowMap rows_;
  const std::optional<std::size_t> fail_at_;
  RowMap::iterator at_;
  std::string shown_key_;
  StoredRow shown_;
  std::size_t move_count_ = 0;
  bool has_failed_ = false;
};

}  // namespace ashlar::engine
