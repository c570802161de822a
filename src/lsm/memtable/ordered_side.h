/// \file
/// The keys of a memtable in order, made when somebody looks.
///
///     arrivals   | run | run | … | sorted by the next look | not yet there |
///                                looked_count              key_count
///
/// A key that is added leaves an entry at the end of the arrivals and nothing else. A look sorts,
/// in its place, what has arrived since the last one: that is a new run. Runs of about a size are
/// merged into memory of their own, so that each key takes part in a number of merges that grows
/// with the logarithm of their count. Where the budget has nothing for a merge, there are more
/// runs: a look, and so a flush, needs no memory that was not taken before the keys were added.
///
/// Invariants:
///   N6, N7  in run.h
///   N8  No two runs of a set have a key in common, and together they have every key that had
///       arrived when the set was made.
///   M1 of memory_budget.h: the entry of a key is taken before the key is added.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory/memory_budget.h"
#include "base/thread_safety.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/record.h"
#include "lsm/memtable/run.h"

namespace ashlar::lsm {

/// What a cursor walks. Shared, as a merge may replace it while cursors are on their way: opening
/// one counts once, a step counts nothing.
///
/// Threads: immutable.
struct RunSet {
  std::vector<std::shared_ptr<const KeyRun>> runs;
  std::size_t key_count = 0;
};

/// Threads:  `reserve`, `give_back_down_to` and `add` by the one writer, who waits for nobody; all
///           else by anyone.
/// Lifetime: sets must not outlive it.
class OrderedSide {
 public:
  OrderedSide(const Records& records, Arena arrivals, base::MemoryBudget& budget) noexcept
      : records_(records), budget_(budget), arrivals_(std::move(arrivals)) {}
  OrderedSide(const OrderedSide&) = delete;
  OrderedSide& operator=(const OrderedSide&) = delete;

  /// The memory of the arrivals, at the end: nothing else may be called any more.
  Arena take_arrivals() && noexcept { return std::move(arrivals_); }

  // For the writer.

  /// Makes room for `count` keys. Returns: false, with nothing changed, when there is none
  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    return arrivals_.reserve(count * sizeof(RunEntry));
  }

  void give_back_unused() noexcept { arrivals_.give_back_unused(); }

  /// Adds a key that is not there; its room has been reserved.
  ///
  /// Cost: one store of 16 bytes behind the last
  void add(std::string_view key, Place node) noexcept {
    new (arrivals_.allocate(sizeof(RunEntry))) RunEntry(entry_at(key, 0, node));
    // Release: partner of the acquire in `look`; the entry and its node are complete.
    key_count_.store(key_count() + 1, std::memory_order_release);
  }

  // For those who look.

  /// All keys that have arrived, in runs.
  ///
  /// Errors: throws bad_alloc, with nothing lost; another look may succeed
  /// Cost:   one reference, where nothing has arrived since the last look; else what is described
  ///         above, while others who look wait
  std::shared_ptr<const RunSet> look();

  std::size_t key_count() const noexcept { return key_count_.load(std::memory_order_relaxed); }
  std::size_t used_bytes() const noexcept { return arrivals_.used_bytes(); }
  std::size_t taken_bytes() const noexcept { return arrivals_.taken_bytes(); }

  /// Aborts when an invariant is broken.
  void check() const;

 private:
  std::shared_ptr<const RunSet> current() const;
  std::shared_ptr<const KeyRun> sort_arrivals(std::size_t begin, std::size_t end);
  void merge_last(std::vector<std::shared_ptr<const KeyRun>>& runs) const;

  const Records& records_;
  base::MemoryBudget& budget_;
  // Allocated from by the writer; sorted in place, behind the writer, under `look_mutex_`.
  Arena arrivals_;
  std::atomic<std::size_t> key_count_{0};  // Stored by the writer.

  base::Mutex look_mutex_;         // Held while runs are made. Taken before `set_mutex_`.
  mutable base::Mutex set_mutex_;  // Held for one reference.
  std::shared_ptr<const RunSet> set_ ASHLAR_GUARDED_BY(set_mutex_);
};

}  // namespace ashlar::lsm
