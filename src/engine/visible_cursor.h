/// \file
/// What a reader sees of rows as they are stored: the rows of a range without those that were
/// erased and without those whose deadline had come at a given moment.
///
/// Invariants:
///   U5  Every row that is handed out lies in the range and is a put.
///
/// T1 (storage_engine.h) here: a row whose deadline is not after the moment is not handed out.
#pragma once

#include <memory>
#include <string_view>

#include "ashlar/iterator.h"
#include "ashlar/result.h"
#include "engine/cursor.h"
#include "engine/row_cursor.h"

namespace ashlar::engine {

/// Threads:  externally synchronised.
/// Lifetime: that of what its rows come from.
class VisibleCursor final : public Cursor {
 public:
  /// What rows rely on, let go of when nobody walks over them any more.
  class Hold {
   public:
    Hold() = default;
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    virtual ~Hold() = default;
  };

  /// Input: rows       all rows, or at least those of the range
  ///        moment_ms  the moment at which deadlines are judged, that of the snapshot it reads at
  ///        hold       may be null
  VisibleCursor(std::unique_ptr<RowCursor> rows, Range range, TimeMs moment_ms,
                std::unique_ptr<Hold> hold = nullptr);

  /// Cost: of every move: a step of the rows for each one that is hidden on the way
  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;
  void next() override;
  void previous() override;

  bool is_valid() const noexcept override { return at_ != nullptr; }
  std::string_view key() const noexcept override;
  std::string_view value() const noexcept override;
  Result<void> status() const override { return rows_->status(); }

 private:
  bool is_hidden(const StoredRow& row) const noexcept;
  void settle_forward();
  void settle_backward();

  const std::unique_ptr<Hold> hold_;  // Before the rows, which go first.
  const std::unique_ptr<RowCursor> rows_;
  const Range range_;
  const TimeMs moment_ms_;
  const StoredRow* at_ = nullptr;  // The row that shows; null when not valid.
};

}  // namespace ashlar::engine
