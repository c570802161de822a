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
#include <optional>
#include <string_view>

#include "ashlar/iterator.h"
#include "ashlar/result.h"
#include "ashlar/value.h"
#include "engine/cursor.h"
#include "engine/row_cursor.h"

namespace ashlar::engine {

/// Where values are read from that stand apart from their rows.
///
/// Threads: thread-safe.
class ValueSource {
 public:
  ValueSource() = default;
  ValueSource(const ValueSource&) = delete;
  ValueSource& operator=(const ValueSource&) = delete;

  /// Reads what the reference of a row refers to.
  ///
  /// Errors: kCorruption, kIo
  virtual Result<void> read(std::string_view reference, Value& to) const = 0;

 protected:
  ~ValueSource() = default;
};

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
  ///        values     of rows whose values stand apart; null: there are none
  VisibleCursor(std::unique_ptr<RowCursor> rows, Range range, TimeMs moment_ms,
                std::unique_ptr<Hold> hold = nullptr, const ValueSource* values = nullptr);

  /// Cost: of every move: a step of the rows for each one that is hidden on the way
  void seek_to_first() override;
  void seek_to_last() override;
  void seek(std::string_view key) override;
  void seek_for_previous(std::string_view key) override;
  void next() override;
  void previous() override;

  bool is_valid() const noexcept override { return at_ != nullptr; }
  std::string_view key() const noexcept override;

  /// One that stands apart is read when it is asked for. When that fails it is empty, `status` says
  /// why, and the next step makes the cursor invalid.
  std::string_view value() const noexcept override;
  Result<void> status() const override;

 private:
  bool is_hidden(const StoredRow& row) const noexcept;
  void settle_forward();
  void settle_backward();
  void end() noexcept;
  std::string_view read_apart() const noexcept;

  const std::unique_ptr<Hold> hold_;  // Before the rows, which go first.
  const std::unique_ptr<RowCursor> rows_;
  const Range range_;
  const TimeMs moment_ms_;
  const ValueSource* const values_;
  const StoredRow* at_ = nullptr;  // The row that shows; null when not valid.

  // A look at a value changes nothing but what is known of it.
  mutable bool is_value_read_ = false;  // Of the row that shows.
  mutable Value value_;
  mutable std::optional<Error> error_;
};

}  // namespace ashlar::engine
