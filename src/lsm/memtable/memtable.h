/// \file
/// The newest rows of the database, in memory: written by one, read by any number without locks,
/// freed as a whole.
///
///     records   in an arena, each key once with the chain of its versions     record.h
///     hash      from a key to its record, at every insert                     hash_index.h
///     order     all keys in runs, when somebody looks                         ordered_side.h
///
/// Nothing is ever removed: an erase is a version. A commit's operations become visible together
/// when the engine publishes their sequence: readers say up to which they see.
///
/// Invariants:
///   N1 to N9  in record.h, hash_index.h, run.h, ordered_side.h, memtable_cursor.h
///   N10  After `reserve` has succeeded, inserting those operations takes nothing from the budget
///        and cannot fail; after it has failed everything is as it was.
///   C1 of storage_engine.h: a reader at a sequence sees each commit at or below it whole, and none
///        above.
///   M1 of memory_budget.h: all memory is taken before it is used, and given back with the table.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ashlar/result.h"
#include "base/memory/memory_budget.h"
#include "engine/operation.h"
#include "engine/row_cursor.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/hash_index.h"
#include "lsm/memtable/ordered_side.h"
#include "lsm/memtable/record.h"
#include "lsm/memtable/spare_arenas.h"

namespace ashlar::lsm {

/// Threads:  `reserve` and `insert` by one writer at a time; all else by anyone at the same time.
/// Lifetime: the spare arenas must outlive it; cursors and views of values must not.
class Memtable {
 public:
  /// What a key was found to be.
  struct Found {
    engine::OperationKind kind;
    engine::TimeMs deadline_ms;
    std::string_view value;  ///< Good as long as the memtable.
  };

  struct Lookup {
    std::string_view key;
    std::uint64_t hash;
  };

  /// Makes one in memory of `spares`, which gets it back and must outlive it. Its records and
  /// their index can take as much as an arena there, 2 MiB to 32 GiB.
  ///
  /// Errors: kOutOfSpace  the system refuses the address space
  /// Cost:   no memory is taken before the first `reserve`, but what was kept
  static Result<std::unique_ptr<Memtable>> make(SpareArenas& spares);
  ~Memtable();

  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // For the writer.

  /// Takes all memory that inserting `operations` needs (N10).
  ///
  /// Errors: kOutOfSpace  the budget or the address space, which the message names, is used up
  /// Cost:   a sum over the operations; the budget is asked once in 2 MiB
  Result<void> reserve(std::span<const engine::Operation> operations);

  /// Adds a version of a key. The operation was among those that were reserved since the last
  /// insert; of two with one key and one sequence the later one counts.
  ///
  /// Input: hash      of the key; bits 0 to 31 are used
  ///        sequence  of the commit, 1 or more and at least that of every insert before
  /// Cost:  one miss for the bucket, and one for the record where the key is there already
  void insert(const engine::Operation& operation, std::uint64_t hash, Sequence sequence) noexcept;

  /// Gives back what is taken and not used: for one that is full, or is flushed before it is. A
  /// snapshot may hold it for long, and many snapshots as many memtables of a few rows.
  void give_back_unused() noexcept;

  // For readers.

  /// The newest version of `key` at or below `sequence`, which may be an erase.
  ///
  /// Cost: two misses, as long as few versions are newer; no store
  std::optional<Found> get(std::string_view key, std::uint64_t hash,
                           Sequence sequence) const noexcept;

  /// Starts loading what `get` with that hash looks at first.
  void prefetch(std::uint64_t hash) const noexcept { index_.prefetch(hash); }

  /// The same as a `get` for each of `lookups`, with their misses side by side.
  ///
  /// Input: found  as long as `lookups`; all of it is written to
  void get_many(std::span<const Lookup> lookups, Sequence sequence,
                std::span<std::optional<Found>> found) const noexcept;

  /// The keys in order with the newest version of each at or below `sequence`; with
  /// View::kLatestSequence, once nothing is written any more, what a flush writes.
  ///
  /// Errors: kOutOfSpace  the machine has no memory; the budget is not in question
  /// Cost:   keys that came since the last cursor are sorted; the writer does not wait for it
  Result<std::unique_ptr<engine::RowCursor>> cursor(Sequence sequence) const;

  // Figures. Those of a full memtable are exact; of others, as of some moment.

  /// What is used up: what the engine compares with the bytes a memtable may have.
  std::size_t bytes() const noexcept { return records_arena_.used_bytes() + order_.used_bytes(); }
  /// What is taken from the budget, runs that were merged not counted.
  std::size_t taken_bytes() const noexcept {
    return records_arena_.taken_bytes() + order_.taken_bytes();
  }
  /// Keys, each once.
  std::size_t row_count() const noexcept { return order_.key_count(); }
  /// Versions that are erases.
  std::uint64_t erase_count() const noexcept { return load(erase_count_); }
  /// Whether any version has a deadline.
  bool has_deadlines() const noexcept { return load(deadline_count_) != 0; }
  /// Of the first and the last insert; 0 while there was none.
  Sequence first_sequence() const noexcept { return load(first_sequence_); }
  Sequence last_sequence() const noexcept { return load(last_sequence_); }

  /// Aborts when an invariant is broken. No writer may be active.
  void check() const;

 private:
  Memtable(MemtableArenas arenas, SpareArenas& spares) noexcept;

  static std::uint64_t load(const std::atomic<std::uint64_t>& figure) noexcept {
    return figure.load(std::memory_order_relaxed);
  }
  Place find(std::string_view key, std::uint64_t hash) const noexcept;
  void note(const engine::Operation& operation, Sequence sequence) noexcept;
  Error refusal(std::size_t bytes) const;

  SpareArenas& spares_;
  Arena records_arena_;
  Records records_;
  HashIndex index_;
  mutable OrderedSide order_;  // A look changes nothing that can be seen.

  // Stored by the writer; figures for others, which order nothing.
  std::atomic<std::uint64_t> erase_count_{0};
  std::atomic<std::uint64_t> deadline_count_{0};
  std::atomic<std::uint64_t> first_sequence_{0};
  std::atomic<std::uint64_t> last_sequence_{0};
};

}  // namespace ashlar::lsm
