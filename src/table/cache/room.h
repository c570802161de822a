/// \file
/// Where the cache gets memory for a block, and whose memory that was before.
///
///     take --> loading --admit--> cached --evicted, dropped--> retired --seen by nobody--> free
///                 +--give_back (the load failed)------------------------------------------> free
///
/// A block of up to 8 KiB gets a frame, a larger one memory of its own. What is evicted is not free
/// at once: guards that are open may see it, and pins hold it. So some frames are kept free ahead
/// of need (a 32nd, at most 64): a thread that misses finds one though its own guard holds back
/// what it evicts. Where there is none after all (everything pinned, or one guard around many
/// misses), the block gets memory of its own out of the budget, and goes again with those who
/// waited for it unless the capacity has room. Where the budget refuses that, too, `take` declines.
///
/// Memory is given back by whole chunks: the coldest is emptied, whatever is in it.
///
/// Invariants:
///   W12  A block that a guard has found or a pin holds keeps its bytes until both have gone.
///   W13  A cached entry is in one queue, and its slot leads to it; no slot leads to any other.
///   W14  What is held beyond the capacity is being loaded, is pinned, or may be seen by guards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/epoch.h"
#include "base/memory/memory_budget.h"
#include "table/cache/entry.h"
#include "table/cache/frame_arena.h"
#include "table/cache/policy.h"

namespace ashlar::table {

/// Threads:  externally synchronised.
/// Lifetime: `budget` and `domain` outlive it.
class CacheRoom {
 public:
  /// Returns: nullopt when the system refuses address space
  static std::optional<CacheRoom> make(base::MemoryBudget& budget, base::EpochDomain& domain);

  CacheRoom(CacheRoom&& other) noexcept = default;
  CacheRoom& operator=(CacheRoom&&) = delete;
  CacheRoom(const CacheRoom&) = delete;
  CacheRoom& operator=(const CacheRoom&) = delete;
  /// Nobody is about any more: nothing is cached, no guard and no pin has a block.
  ~CacheRoom();

  /// Memory for a block, not cleared. It belongs to the caller until `admit` or `give_back`.
  ///
  /// Returns: null when the budget has no room. What was evicted for it comes free when the guards
  ///          that are open now are closed.
  /// Cost:    evicts where it has to; some microseconds once in some misses, for `settle`
  CacheEntry* take(std::size_t block_bytes) noexcept;

  /// Publishes a loaded block in `slot`, whose eviction number was `ghost`. A block that the cache
  /// has no place for (over an eighth of the capacity, or beyond it, or in a chunk that is being
  /// emptied) is retired at once: it serves those who are waiting for it.
  void admit(CacheEntry& entry, std::atomic<std::uint64_t>& slot,
             CachePolicy::Ghost ghost) noexcept;

  /// Takes back what `take` gave and nobody has seen.
  void give_back(CacheEntry& entry) noexcept;

  /// Empties the slot of a cached block and retires it.
  void drop(CacheEntry& entry) noexcept;

  /// Frees what nobody can see any more.
  void reclaim() noexcept;

  /// Evicts and reclaims down to `bytes`, as far as pins and guards let it.
  void set_capacity(std::size_t bytes) noexcept;

  const FrameMap& map() const noexcept { return arena_.map(); }
  std::size_t capacity_bytes() const noexcept { return capacity_bytes_; }
  std::size_t used_bytes() const noexcept { return arena_.used_bytes() + own_bytes_; }
  std::uint64_t evicted_count() const noexcept { return policy_.evicted_count(); }
  std::uint64_t returned_count() const noexcept { return policy_.returned_count(); }
  void set_return_window(std::size_t bytes) noexcept {
    policy_.set_return_window(bytes / kFrameBytes);
  }

  void check() const;

 private:
  CacheRoom(FrameArena arena, base::MemoryBudget& budget, base::EpochDomain& domain) noexcept
      : budget_(&budget), domain_(&domain), arena_(std::move(arena)) {}

  CacheEntry* take_frame() noexcept;
  CacheEntry* take_own(std::size_t block_bytes) noexcept;
  void refill() noexcept;
  bool evict_one() noexcept;
  void retire(CacheEntry& entry, std::uint64_t slot_word) noexcept;
  void retire_unseen(CacheEntry& entry) noexcept;
  void release(CacheEntry& entry) noexcept;
  void release_or_hold(CacheEntry& entry) noexcept;
  bool is_coming_free(const CacheEntry& entry) const noexcept;
  void shrink_to(std::size_t bytes) noexcept;
  bool empty_coldest() noexcept;
  bool can_keep(const CacheEntry& entry) const noexcept;
  bool is_worth_keeping(std::size_t bytes) const noexcept;
  std::size_t reserve_count() const noexcept;
  std::size_t spare_count() const noexcept { return arena_.free_count() + leaving_frame_count_; }
  // What is left when all that is on its way out has gone.
  std::size_t staying_bytes() const noexcept {
    return used_bytes() - arena_.emptying_bytes() - leaving_own_bytes_;
  }

  base::MemoryBudget* budget_;
  base::EpochDomain* domain_;
  FrameArena arena_;
  CachePolicy policy_;
  EntryList retired_;  // By epoch.
  EntryList held_;     // Out of sight of the guards, but pinned.
  std::size_t capacity_bytes_ = 0;
  std::size_t own_bytes_ = 0;  // Blocks with memory of their own, those that leave included.
  std::size_t leaving_own_bytes_ = 0;    // Of those, retired ones.
  std::size_t leaving_frame_count_ = 0;  // Frames in `retired_`, of chunks that stay.
  std::size_t unsettled_count_ = 0;      // Retired since the last `settle`.
};

}  // namespace ashlar::table
