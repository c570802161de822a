/// \file
/// Who refers to which values that stand apart: the tables that are open, each to the pieces that
/// it tells of, and the memtables, each to a range of the log.
///
///     table      its shares (G10 of table_format.h), as long as anybody owns it
///     memtable   from where the one before it ended in the log up to where it ends itself
///
/// A memtable may have values that no table will ever have, which were replaced before it was
/// flushed: a snapshot that holds it reads them all the same. So it keeps all of its range.
///
/// Invariants:
///   V42  What an open table or a memtable that anybody owns refers to, `refers_to` says yes to;
///        and what it has said no to nothing refers to later.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <span>

#include "base/thread_safety.h"
#include "engine/large_values.h"
#include "engine/value_reference.h"
#include "table/table_format.h"

namespace ashlar::lsm {

/// Threads: thread-safe. Its lock is a leaf.
class ValueLedger final : public engine::ValueReferrer {
 public:
  struct LogRange {
    std::uint64_t begin = 0;
    std::uint64_t end = engine::kCollectedBit;  ///< Of a memtable that is written to: all to come.
    bool is_used = false;                       ///< Whether any value of it stands apart.
  };

  /// A table with these shares is opened, or goes.
  void add(std::span<const table::ValueShare> shares);
  void remove(std::span<const table::ValueShare> shares) noexcept;

  bool refers_to(const engine::ValuePiece& piece) const override;

 private:
  friend class LogRangeHold;
  using Ranges = std::list<LogRange>;

  mutable base::Mutex mutex_;
  std::map<std::uint64_t, std::uint64_t> tables_ ASHLAR_GUARDED_BY(mutex_);  // Of each piece.
  Ranges ranges_ ASHLAR_GUARDED_BY(mutex_);
};

/// A range of the log that a memtable refers to.
///
/// Threads:  thread-safe.
/// Lifetime: the ledger must outlive it.
class LogRangeHold {
 public:
  LogRangeHold(ValueLedger& ledger, std::uint64_t begin);
  LogRangeHold(const LogRangeHold&) = delete;
  LogRangeHold& operator=(const LogRangeHold&) = delete;
  ~LogRangeHold();

  /// The memtable has a value that stands apart. Said before the log may give that up: a memtable
  /// without any keeps nothing.
  void use() noexcept;

  /// What the memtable has begins here after all.
  void begin_at(std::uint64_t begin) noexcept;

  /// The memtable is full: nothing from `end` on is in it.
  void end_at(std::uint64_t end) noexcept;

 private:
  ValueLedger& ledger_;
  ValueLedger::Ranges::iterator range_;
};

}  // namespace ashlar::lsm
