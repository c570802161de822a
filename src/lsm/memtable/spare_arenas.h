/// \file
/// The memory of a memtable that is gone, kept for the next one. Its pages are there: to have the
/// system clear fresh ones took as long as all else that a writer of batches did (46 % of its time,
/// 116-byte rows, 2 cores).
///
/// Invariants:
///   Q4  What is kept stays taken from the budget until it is used again or dropped. That is the
///       memory of one memtable, and no more than `kept_bytes_max`.
///   M2 of memory_budget.h: it is dropped when somebody would be refused.
#pragma once

#include <cstddef>
#include <optional>

#include "base/memory/memory_budget.h"
#include "base/thread_safety.h"
#include "lsm/memtable/arena.h"

namespace ashlar::lsm {

/// What a memtable lies in.
struct MemtableArenas {
  Arena records;
  Arena arrivals;
};

/// Threads:  thread-safe.
/// Lifetime: the budget must outlive it, and has no other spare; memtables must not outlive it.
class SpareArenas final : private base::Spare {
 public:
  /// Input: address_bytes   the most that each arena can ever hold
  ///        kept_bytes_max  a memtable that took more is not kept
  SpareArenas(base::MemoryBudget& budget, std::size_t address_bytes,
              std::size_t kept_bytes_max) noexcept
      : budget_(budget), address_bytes_(address_bytes), kept_bytes_max_(kept_bytes_max) {
    budget_.set_spare(this);
  }
  ~SpareArenas() { budget_.set_spare(nullptr); }

  base::MemoryBudget& budget() const noexcept { return budget_; }

  /// What is kept, or new arenas, which take nothing before they are used.
  ///
  /// Returns: nullopt when the system refuses the address space
  std::optional<MemtableArenas> take() noexcept;

  /// Keeps arenas that nobody uses any more, unless there are some or they are too large.
  void keep(MemtableArenas arenas) noexcept;

 private:
  void drop() noexcept override;

  base::MemoryBudget& budget_;
  const std::size_t address_bytes_;
  const std::size_t kept_bytes_max_;

  base::Mutex mutex_;
  std::optional<MemtableArenas> kept_ ASHLAR_GUARDED_BY(mutex_);
};

}  // namespace ashlar::lsm
