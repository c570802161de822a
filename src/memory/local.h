/// \file
/// What an engine keeps for each thread: free memory at hand, counters, and queues for the
/// background.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/biased_lock.h"
#include "base/chunked_queue.h"
#include "base/thread_index.h"
#include "base/thread_safety.h"
#include "memory/heap/record_heap.h"

namespace ashlar::memory {

/// A count that one thread at a time adds to and any may read.
class OwnedCounter {
 public:
  void add(std::int64_t count) noexcept {
    // Relaxed: only the owner stores, and nothing is ordered by the count.
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// What one thread has counted. A key that one thread adds and another erases makes both counts
/// wrong and their sum right: only sums mean anything.
struct Counters {
  OwnedCounter keys;           // Live ones, expired but unreclaimed included.
  OwnedCounter expiring_keys;  // Those with a deadline.
  OwnedCounter puts;
  OwnedCounter erases;
  OwnedCounter expired;
  OwnedCounter evicted;
  OwnedCounter refused;
};

/// Threads: confined to the holder of `lock`, the counters apart.
struct alignas(64) Local {
  explicit Local(base::MemoryBudget& budget) noexcept
      : garbage(budget), expiry_inbox(budget), admissions(budget) {}

  // Owner: the thread, for the time of a write. Visitor: the background, under its mutex.
  base::BiasedLock lock;
  Magazines records;  // Free memory of MemoryEngine::Parts::records,
  Magazines nodes;    // and of its nodes, for notes and the tree.
  Counters counters;
  std::int64_t unreported_slot_count = 0;   // Slots added or removed since HashTable::follow.
  std::uint32_t unreported_node_count = 0;  // Notes left since the background was last woken.

  base::ChunkedQueue garbage;       // Hashes of keys that have versions to clean up.
  base::ChunkedQueue expiry_inbox;  // Pairs: hash, tick.
  base::ChunkedQueue admissions;    // Handles of new keys for the evictor.
  bool is_log_full = false;         // A key could not make room: the log did not take it.
  // Whether the background has anything to take from here. Stored by the owner after the entry is
  // in its queue; read without the lock, to leave threads alone that have nothing.
  std::atomic<bool> has_news{false};
};

/// The locals of an engine, made as threads first come by.
///
/// Threads: thread-safe.
class Locals {
 public:
  explicit Locals(base::MemoryBudget& budget) noexcept : budget_(budget) {}
  ~Locals();
  Locals(const Locals&) = delete;
  Locals& operator=(const Locals&) = delete;

  /// The calling thread's own, held for a scope. May throw bad_alloc in a thread's first call.
  class Hold {
   public:
    explicit Hold(Locals& locals) {
      const std::size_t index = base::thread_index();
      if (index == base::kThreadIndexCount) [[unlikely]]
        lock_shared(locals);
      // Relaxed: this thread stored it, or the thread index was handed over with a lock.
      local_ = locals.slots_[index].load(std::memory_order_relaxed);
      if (local_ == nullptr) [[unlikely]]
        make(locals, index);
      local_->lock.lock_owner();
    }
    ~Hold() {
      local_->lock.unlock_owner();
      if (shared_ != nullptr) [[unlikely]]
        shared_->unlock();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    Local& operator*() const noexcept { return *local_; }
    Local* operator->() const noexcept { return local_; }

   private:
    void lock_shared(Locals& locals);
    void make(Locals& locals, std::size_t index);

    Local* local_;
    std::mutex* shared_ = nullptr;  // Held when the local is shared by many threads.
  };

  /// Calls `visit(local)` for every local there is, without holding it.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& slot : slots_) {
      // Acquire: partner of the release in `make`.
      if (Local* local = slot.load(std::memory_order_acquire)) visit(*local);
    }
  }

  /// Calls `visit(local)` holding each local for which `is_wanted(local)`. The caller holds none,
  /// and is the only visitor.
  template <typename IsWanted, typename Visit>
  void visit_held(IsWanted is_wanted, Visit visit) {
    std::vector<Local*> wanted;
    // All memory is had before the first owner is held up: nothing between an announcement and its
    // end may throw, or that owner would wait for ever.
    for_each([&](Local& local) {
      if (is_wanted(local)) wanted.push_back(&local);
    });
    if (wanted.empty()) return;
    // One barrier for all of them: it costs some microseconds, an announcement next to nothing.
    for (Local* local : wanted) local->lock.announce_visitor();
    base::global_barrier();
    for (Local* local : wanted) {
      local->lock.wait_for_owner();
      visit(*local);
      local->lock.unlock_visitor();
    }
  }

 private:
  Local* make(std::size_t index);

  base::MemoryBudget& budget_;
  // By thread index. A local is never taken out: the next thread with its index goes on with it,
  // the counts of the one that has ended included.
  std::array<std::atomic<Local*>, base::kThreadIndexCount + 1> slots_{};
  std::mutex shared_mutex_;  // For the last slot, which threads beyond the count share.
};

}  // namespace ashlar::memory
