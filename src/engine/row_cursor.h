/// \file
/// An ordered walk over rows as they are stored, erases and expired rows included: what memtables,
/// tables and levels hand out, and what merges of them are made of.
#pragma once

#include "engine/cursor.h"
#include "engine/operation.h"

namespace ashlar::engine {

/// At most one row for a key. `key` and `value` are good until the cursor moves.
///
/// Threads: externally synchronised.
class RowCursor : public Cursor {
 public:
  /// What the row says of its key: what it holds, or that it was erased. Then the value is empty.
  virtual OperationKind kind() const noexcept = 0;

  /// Of a put; kNever of an erase.
  virtual TimeMs deadline_ms() const noexcept = 0;
};

}  // namespace ashlar::engine
