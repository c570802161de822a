/// \file
/// The hash index: linear hashing over one range of buckets, read without locks.
///
/// A key belongs to the bucket that its hash's low bits name, of the `level` bits that cover the
/// bucket count, or one bit fewer where that bucket does not exist yet. Growing by one splits one
/// bucket in two, shrinking by one merges them again; nothing else moves and nobody waits.
///
/// Invariants:
///   H1, H2  in bucket.h
///   H3  While a bucket's lock is held, the set of hashes that belong to it does not change.
///   H4  The bucket count is published before the locks of a split or merge are released: a reader
///       that missed a moved key and looks at the count again sees that it looked in the wrong
///       place.
///
/// Source: "Linear hashing", W. Litwin, 1980; one cache line a bucket as in FASTER (2018), DLHT
/// (2024).
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/hints.h"
#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "base/spin_wait.h"
#include "base/thread_safety.h"
#include "memory/bucket.h"
#include "memory/overflow_pool.h"
#include "memory/record.h"

namespace ashlar::memory {

/// A place in a locked chain; empty when the key is not there.
struct SlotPlace {
  // Relaxed throughout: the holder of the chain's lock alone changes slots, and what it stores is
  // published when it unlocks.
  Bucket* bucket = nullptr;  // Of the chain, not always its root.
  unsigned index = 0;        // Of the slot in it.

  explicit operator bool() const noexcept { return bucket != nullptr; }
  std::uint64_t slot() const noexcept {
    return bucket->slots[index].load(std::memory_order_relaxed);
  }
  Record record() const noexcept { return record_of(slot()); }
  void set(std::uint64_t slot) const noexcept {
    bucket->slots[index].store(slot, std::memory_order_relaxed);
  }
};

/// Threads: thread-safe; functions with `locked` in their name need the lock of the root given.
class HashTable {
 public:
  /// Returns: null when address space or budget are refused
  static std::unique_ptr<HashTable> make(base::MemoryBudget& budget, std::uint64_t hash_seed);

  std::uint64_t hash_seed() const noexcept { return hash_seed_; }

  // For readers.

  /// The first bucket of the chain that `hash` belongs to now.
  Bucket& root_of(std::uint64_t hash) const noexcept {
    // Acquire: partner of the release in `publish_count`; the bucket is initialised.
    return buckets_[index_of(hash, bucket_count_.load(std::memory_order_acquire))];
  }

  /// The bucket after `bucket` in its chain, given the head that was read; null at the end.
  const Bucket* next_of(std::uint64_t head) const noexcept {
    const auto number = static_cast<std::uint32_t>(head & kOverflowMask);
    return number == 0 ? nullptr : &overflow_.bucket(number);
  }

  // For writers.

  /// Locks the chain that `hash` belongs to and returns its root.
  Bucket& lock(std::uint64_t hash) noexcept {
    while (true) {
      const std::uint64_t count = bucket_count_.load(std::memory_order_acquire);
      Bucket& root = buckets_[index_of(hash, count)];
      set_lock(root);
      const bool belongs = bucket_count_.load(std::memory_order_acquire) == count;
      if (belongs || &root_of(hash) == &root) [[likely]]
        return root;  // From here on it stays so (H3).
      unlock_unchanged(root);
    }
  }

  /// Locks `root` if `hash` belongs to it. Returns false, with nothing locked, when it has moved.
  bool lock_root(Bucket& root, std::uint64_t hash) noexcept {
    set_lock(root);
    if (&root_of(hash) == &root) return true;
    unlock_unchanged(root);
    return false;
  }

  /// As `lock`, but null at once when someone else holds it.
  Bucket* try_lock(std::uint64_t hash) noexcept;

  /// Releases after a change: readers that overlapped it retry.
  static void unlock_changed(Bucket& root) noexcept {
    const std::uint64_t head = root.head.load(std::memory_order_relaxed);
    ASHLAR_DEBUG_ASSERT((head & kLockBit) != 0, "only a locked bucket is unlocked");
    // Release: publishes the slots and the records they point to; partner of a reader's acquire.
    root.head.store((head + kVersionStep) & ~kLockBit, std::memory_order_release);
  }

  /// Releases without having changed anything: readers need not retry.
  static void unlock_unchanged(Bucket& root) noexcept {
    const std::uint64_t head = root.head.load(std::memory_order_relaxed);
    ASHLAR_DEBUG_ASSERT((head & kLockBit) != 0, "only a locked bucket is unlocked");
    // Release: what the holder has read, it has read before the next one can change it.
    root.head.store(head & ~kLockBit, std::memory_order_release);
  }

  /// Where the slot of `key` is, or an empty place. `tag` is that of its hash.
  SlotPlace find_locked(Bucket& root, std::uint16_t tag, std::string_view key) const noexcept {
    ASHLAR_DEBUG_ASSERT(is_locked(root), "H1: a chain is searched under its lock");
    for (Bucket* bucket = &root; bucket != nullptr; bucket = next_locked(*bucket)) {
      for (unsigned found = match_tag(*bucket, tag); found != 0; found &= found - 1) {
        const SlotPlace place{.bucket = bucket,
                              .index = static_cast<unsigned>(std::countr_zero(found))};
        if (place.slot() == 0) continue;
        const Record record = place.record();
        // Both lines of a short record at once, and for writing: what follows is a change.
        base::prefetch_for_write(record.address());
        base::prefetch_for_write(record.address() + 64);
        if (record.has_key(record.shape(), key)) return place;
      }
    }
    return {};
  }

  /// How many slots can be added before another overflow bucket is needed.
  unsigned room_locked(const Bucket& root) const noexcept;

  /// Whether a slot can be added without an overflow bucket.
  bool has_room_locked(const Bucket& root) const noexcept {
    return last_locked(root)->slots[kSlotsPerBucket - 1].load(std::memory_order_relaxed) == 0;
  }

  /// Adds a slot. Where there is no room, takes an overflow bucket that the caller has reserved.
  void insert_locked(Bucket& root, std::uint64_t slot) noexcept {
    ASHLAR_DEBUG_ASSERT(is_locked(root), "H1: a slot is added under the lock of its chain");
    Bucket* const last = last_locked(root);
    // The first empty slot of the last bucket: the chain stays compact (H2).
    for (auto& place : last->slots) {
      if (place.load(std::memory_order_relaxed) != 0) continue;
      place.store(slot, std::memory_order_relaxed);
      return;
    }
    insert_in_overflow(*last, slot);
  }

  /// Removes a slot and keeps the chain compact; `place` is void afterwards.
  void erase_locked(Bucket& root, SlotPlace place) noexcept;

  /// Calls `visit` for each slot of the chain, which must not be changed meanwhile.
  template <typename Visit>
  void for_each_locked(Bucket& root, Visit visit) const {
    for (Bucket* bucket = &root; bucket != nullptr; bucket = next_locked(*bucket)) {
      for (unsigned i = 0; i < kSlotsPerBucket; ++i) {
        const SlotPlace place{.bucket = bucket, .index = i};
        if (place.slot() == 0) return;
        visit(place);
      }
    }
  }

  OverflowPool& overflow() noexcept { return overflow_; }

  /// Reports that so many slots were added or removed (negative), and lets the index follow: a few
  /// splits or merges at most. The caller holds no bucket.
  void follow(std::int64_t added_count) noexcept;

  /// Calls `visit(root)` with each chain locked, in ascending order; what belongs together stays
  /// put meanwhile. Slots that are added or removed while the walk is elsewhere may be seen or not.
  template <typename Visit>
  void walk(Visit visit) {
    const base::MutexLock lock(resize_mutex_);
    const std::uint64_t count = bucket_count_.load(std::memory_order_relaxed);
    for (std::uint64_t i = 0; i < count; ++i) {
      set_lock(buckets_[i]);
      visit(buckets_[i]);
      unlock_unchanged(buckets_[i]);
    }
  }

  /// Visits every chain while others read and write: what is added or moved meanwhile may be
  /// visited more than once, and nothing that stays is missed. `visit(root)` is called with the
  /// chain locked; when it returns false `pause()` is called with nothing locked, and ends the walk
  /// by returning false. Neither may throw.
  template <typename Visit, typename Pause>
  void walk_beside_writers(Visit visit, Pause pause) {
    {
      const base::MutexLock lock(resize_mutex_);  // A merge under way ends before.
      walker_count_.fetch_add(1, std::memory_order_relaxed);
    }
    // What a split moves goes to the end, ahead of the walk; merges, which move backwards, wait.
    for (std::uint64_t i = 0; i < bucket_count_.load(std::memory_order_acquire); ++i) {
      set_lock(buckets_[i]);
      const bool goes_on = visit(buckets_[i]);
      unlock_unchanged(buckets_[i]);
      if (!goes_on && !pause()) break;
    }
    const base::MutexLock lock(resize_mutex_);
    walker_count_.fetch_sub(1, std::memory_order_relaxed);
  }

  std::uint64_t slot_count() const noexcept { return slot_count_.load(std::memory_order_relaxed); }
  std::size_t taken_bytes() const noexcept;

  /// Aborts when an invariant is broken. No writer may be active.
  void check() const;

 private:
  HashTable(base::Reservation region, std::unique_ptr<OverflowPool> overflow,
            base::MemoryBudget& budget, std::uint64_t hash_seed) noexcept;

  /// The bucket among `bucket_count` that `hash` belongs to. With 6 buckets, of which 0 and 1 have
  /// been split already, three bits of the hash choose:
  ///
  ///     000 001 010 011 100 101   as they are
  ///     110 111                   do not exist yet: without their highest bit, 010 and 011
  static std::uint64_t index_of(std::uint64_t hash, std::uint64_t bucket_count) noexcept {
    const std::uint64_t mask = ~std::uint64_t{0} >> std::countl_zero(bucket_count - 1);
    const std::uint64_t index = hash & mask;
    // Chosen without a branch, which could not be predicted.
    return index & (mask >> static_cast<unsigned>(index >= bucket_count));
  }

  static bool is_locked(const Bucket& root) noexcept {
    return (root.head.load(std::memory_order_relaxed) & kLockBit) != 0;
  }
  // Relaxed: links change under the lock that the caller holds.
  Bucket* next_locked(const Bucket& bucket) const noexcept {
    const std::uint64_t head = bucket.head.load(std::memory_order_relaxed);
    const auto number = static_cast<std::uint32_t>(head & kOverflowMask);
    return number == 0 ? nullptr : &overflow_.bucket(number);
  }
  Bucket* last_locked(const Bucket& root) const noexcept {
    auto* last = const_cast<Bucket*>(&root);
    while (Bucket* next = next_locked(*last)) last = next;
    return last;
  }
  void insert_in_overflow(Bucket& last, std::uint64_t slot) noexcept;
  // Fails without a store when the lock is taken: a waiter leaves the line to its holder.
  static bool try_set_lock(Bucket& root) noexcept {
    std::uint64_t head = root.head.load(std::memory_order_relaxed);
    if ((head & kLockBit) != 0) return false;
    // Sequentially consistent: a lock taken after a snapshot's sequence was drawn sees that
    // sequence, one taken before is seen by the snapshot's reads (src/memory/versions.h).
    if (!root.head.compare_exchange_strong(head, head | kLockBit, std::memory_order_seq_cst)) {
      return false;
    }
    base::racy::write_fence();  // Readers that see what follows see the lock.
    return true;
  }
  static void set_lock(Bucket& root) noexcept {
    for (base::SpinWait wait; !try_set_lock(root);) wait.pause();
  }
  static void set_overflow(Bucket& bucket, std::uint32_t number) noexcept;
  void publish_count(std::uint64_t bucket_count) noexcept;
  bool commit_for(std::uint64_t bucket_count) noexcept ASHLAR_REQUIRES(resize_mutex_);
  void uncommit_after(std::uint64_t bucket_count) noexcept ASHLAR_REQUIRES(resize_mutex_);
  bool split_one() noexcept ASHLAR_REQUIRES(resize_mutex_);
  bool merge_one() noexcept ASHLAR_REQUIRES(resize_mutex_);
  class Filler;
  bool is_hash_bit_set(std::uint64_t slot, unsigned bit) const noexcept;
  std::size_t move_upper_half(Bucket& from, Bucket& to, unsigned bit) noexcept;
  std::size_t chain_slot_count(Bucket& root) const noexcept;

  // Set at construction.
  base::Reservation region_;
  Bucket* const buckets_;
  std::unique_ptr<OverflowPool> overflow_owner_;
  OverflowPool& overflow_;
  base::MemoryBudget& budget_;
  const std::uint64_t hash_seed_;

  // Read by every operation, written by splits and merges.
  alignas(64) std::atomic<std::uint64_t> bucket_count_;

  alignas(64) std::atomic<std::uint64_t> slot_count_{0};
  base::Mutex resize_mutex_;
  std::atomic<std::uint32_t> walker_count_{0};  // Changed and asked for under resize_mutex_.
  // Written under resize_mutex_; atomic for stats.
  std::atomic<std::size_t> committed_bytes_{0};
};

}  // namespace ashlar::memory
