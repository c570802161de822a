/// \file
/// An ordered walk over rows as they are stored, erases and expired rows included: what memtables,
/// tables and levels hand out, and what merges of them are made of.
#pragma once

#include <string_view>

#include "ashlar/result.h"
#include "base/assert.h"
#include "engine/operation.h"

namespace ashlar::engine {

/// A row, and what it says of its key: what that holds, or that it was erased.
struct StoredRow {
  std::string_view key;
  std::string_view value;  ///< Empty for an erase.
  OperationKind kind = OperationKind::kPut;
  TimeMs deadline_ms = kNever;  ///< kNever for an erase.
};

/// At most one row for a key.
///
/// A cursor shows its row instead of being asked for each part of it: of a walk through cursors
/// that are made of others only the steps are virtual (a step of a scan: 44 ns before, 20 since).
///
/// Threads: externally synchronised.
class RowCursor {
 public:
  RowCursor() = default;
  RowCursor(const RowCursor&) = delete;
  RowCursor& operator=(const RowCursor&) = delete;
  virtual ~RowCursor() = default;

  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void seek(std::string_view key) = 0;
  virtual void seek_for_previous(std::string_view key) = 0;
  virtual void next() = 0;
  virtual void previous() = 0;

  /// Errors: those of reading the rows; the cursor is then invalid
  virtual Result<void> status() const = 0;

  /// The row that the cursor stands on; null when it is not valid.
  ///
  /// Lifetime: until the cursor moves
  const StoredRow* row() const noexcept { return row_; }

  bool is_valid() const noexcept { return row_ != nullptr; }
  std::string_view key() const noexcept { return valid_row().key; }
  std::string_view value() const noexcept { return valid_row().value; }
  OperationKind kind() const noexcept { return valid_row().kind; }
  TimeMs deadline_ms() const noexcept { return valid_row().deadline_ms; }

 protected:
  /// Shows `row`, the cursor's own or that of a cursor which it is made of; null: it is not valid.
  void show(const StoredRow* row) noexcept { row_ = row; }

 private:
  const StoredRow& valid_row() const noexcept {
    ASHLAR_ASSERT(row_ != nullptr, "only a valid cursor is read");
    return *row_;
  }

  const StoredRow* row_ = nullptr;
};

}  // namespace ashlar::engine
