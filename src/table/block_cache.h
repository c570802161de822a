/// \file
/// One cache for the blocks of all tables of a database.
///
/// Each table has a word for each of its blocks (`CacheSlots`), and that word leads to the block in
/// memory: one load instead of a look-up by hash and a count of users. A reader is inside a guard
/// of the database's `EpochDomain` and stores nothing that others share, but for a heat of two bits
/// while it still rises. What that leaves of a hit: the line of the slot and the line of the block;
/// the heats of a gigabyte of frames are 128 KiB.
///
/// All else (misses, evictions, tables that go) is under one mutex, never held while a block is
/// loaded. A miss costs a read of the disk, some tens of microseconds, so a shard of it would gain
/// nothing.
///
/// Invariants, with those of cache/room.h and cache/frame_arena.h:
///   W15  A block that many threads miss at once is loaded once; all learn of the outcome.
///   W16  A load that fails leaves the slot as it was.
///   W17  A thread ends the loads that it has begun before it waits for those of others, so no two
///        wait for each other.
///
/// Lock order: `mutex_`, then that of the epoch domain.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "ashlar/result.h"
#include "base/assert.h"
#include "base/epoch.h"
#include "base/hints.h"
#include "base/memory/mapped_allocator.h"
#include "base/memory/memory_budget.h"
#include "base/thread_index.h"
#include "base/thread_safety.h"
#include "table/cache/room.h"

namespace ashlar::table {

class BlockCache;

/// Where the blocks of one table are: a word each.
///
/// Threads:  the words are the cache's; the object belongs to its table.
/// Lifetime: the cache outlives it. When it goes its blocks leave the cache; nobody looks for
///           blocks in it any more, so its table is retired before it is destroyed.
class CacheSlots {
 public:
  /// Errors: kOutOfSpace  the budget has no room for 8 bytes a block
  static Result<CacheSlots> make(BlockCache& cache, std::size_t block_count);

  CacheSlots(CacheSlots&& other) noexcept
      : cache_(std::exchange(other.cache_, nullptr)), words_(std::move(other.words_)) {}
  CacheSlots& operator=(CacheSlots&&) = delete;
  CacheSlots(const CacheSlots&) = delete;
  CacheSlots& operator=(const CacheSlots&) = delete;
  ~CacheSlots();

  std::size_t block_count() const noexcept { return words_.size(); }

 private:
  friend class BlockCache;
  using Word = std::atomic<std::uint64_t>;
  using Words = std::span<Word>;

  CacheSlots(BlockCache& cache, base::MappedVector<Word> words) noexcept
      : cache_(&cache), words_(std::move(words)) {}

  BlockCache* cache_;  // Null when moved from.
  mutable base::MappedVector<Word> words_;
};

/// Keeps one block where it is, whatever becomes of guards and tables.
///
/// Threads:  thread-safe, as far as the callers use different pins.
/// Lifetime: the cache outlives it.
class Pin {
 public:
  Pin() noexcept = default;
  Pin(Pin&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  Pin& operator=(Pin&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin() {
    // Release: partner of the acquire in `CacheEntry::is_pinned`.
    if (entry_ != nullptr) entry_->pin_count.fetch_sub(1, std::memory_order_release);
  }

  /// Null for a pin that holds nothing.
  const char* block() const noexcept { return entry_ != nullptr ? entry_->block : nullptr; }

 private:
  friend class BlockCache;
  // Relaxed: the guard that is open publishes it, see `CacheRoom::reclaim`.
  explicit Pin(CacheEntry& entry) noexcept : entry_(&entry) {
    entry.pin_count.fetch_add(1, std::memory_order_relaxed);
  }

  CacheEntry* entry_ = nullptr;
};

/// A block that is being loaded, by whoever has this or by another thread: for those who load
/// several blocks at once.
///
///     begin -- is_ours --> fill `to`, `finish` --> wait
///        +---- others' or in memory by now ------> wait
///
/// Threads:  confined.
/// Lifetime: inside of one guard, and the cache's.
class BlockLoad {
 public:
  BlockLoad(BlockLoad&& other) noexcept;
  BlockLoad& operator=(BlockLoad&&) = delete;
  BlockLoad(const BlockLoad&) = delete;
  BlockLoad& operator=(const BlockLoad&) = delete;
  /// One of ours that was not finished counts as failed.
  ~BlockLoad();

  /// Whether the block is ours to load: all others who want it wait for us until `finish`.
  bool is_ours() const noexcept { return to_ != nullptr; }

  /// What is to be filled; only of one that is ours.
  std::span<char> to() const noexcept { return {to_, bytes_}; }

  /// Makes known what has become of a load that is ours: the block is in `to()`, or it is not.
  void finish(Result<void> outcome) noexcept;

  /// The block, once it is there; not before all that is ours of this thread is finished (W17).
  /// Called once.
  ///
  /// Errors:   as they were given to `finish`
  /// Lifetime: as `BlockCache::find`
  Result<const char*> wait();

 private:
  friend class BlockCache;
  struct Shared;

  BlockLoad(BlockCache& cache, const char* block) noexcept : cache_(cache), block_(block) {}
  BlockLoad(BlockCache& cache, Shared& shared) noexcept : cache_(cache), shared_(&shared) {}

  BlockCache& cache_;
  const char* block_ = nullptr;  // Where there is nothing to wait for.
  Shared* shared_ = nullptr;     // Or else what all who want the block have in common.
  char* to_ = nullptr;           // As long as it is ours.
  std::size_t bytes_ = 0;
};

struct CacheStats {
  std::uint64_t hit_count = 0;
  std::uint64_t miss_count = 0;  // Those who waited for another's load included.
  std::uint64_t evicted_count = 0;
  std::uint64_t returned_count = 0;  // Of the missed ones, those evicted a short while before.
  std::size_t used_bytes = 0;        // Frames and blocks, without slots and the fixed part.
  std::size_t capacity_bytes = 0;
};

/// Threads:  thread-safe.
/// Lifetime: `budget` and `domain` outlive it; slots and pins do not.
class BlockCache {
 public:
  /// Errors: kOutOfSpace  the budget refuses the fixed part, some 70 KiB, or the system the address
  ///                      space for all of the budget
  static Result<std::unique_ptr<BlockCache>> make(base::MemoryBudget& budget,
                                                  base::EpochDomain& domain,
                                                  std::size_t capacity_bytes);

  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;
  ~BlockCache();

  /// Looks for a block. The caller is inside a guard.
  ///
  /// Returns:  null when it is not in memory
  /// Cost:     one load of the slot, a byte of heat; no shared store once the block is hot
  /// Lifetime: the block stays for as long as the guard is open, or a `pin` holds it
  const char* find(const CacheSlots& slots, std::size_t index) const noexcept {
    ASHLAR_DEBUG_ASSERT(domain_.is_guarded(), "a guard is open around what is found (W12)");
    ASHLAR_DEBUG_ASSERT(index < slots.block_count(), "a table has the block that is looked for");
    // Acquire: partner of the release in `CacheRoom::admit`.
    const std::uint64_t word = slots.words_[index].load(std::memory_order_acquire);
    if (!is_block_in(word)) return nullptr;
    char* const block = address_in<char>(word);
    touch((word & kSlotKindMask) == kSlotFrame ? map_.heat_of(block)
                                               : own_entry_of(block).own_heat);
    count_hit();
    return block;
  }

  /// Looks for a block and loads it where it is missing. The caller is inside a guard. A guard that
  /// stays open around many misses keeps what they evict from being used again; see cache/room.h.
  ///
  /// Input:    block_bytes  what the block takes in memory, at least 1
  ///           load         called as `Result<void>(std::span<char> to)` with so many bytes to fill
  ///                        with the same block each time, without a lock; not for the same block
  ///                        of this cache again
  /// Errors:   kOutOfSpace  the budget has no room for it, whatever is evicted; what has been comes
  ///                        free when the open guards close
  ///           of `load`    as they are, for all who were waiting for it
  /// Cost:     as `find`; otherwise that of `load`, and a mutex
  /// Lifetime: as `find`
  template <typename Load>
  Result<const char*> get_or_load(CacheSlots& slots, std::size_t index, std::size_t block_bytes,
                                  Load&& load) {
    if (const char* const block = find(slots, index)) [[likely]]
      return block;
    using Callable = std::remove_reference_t<Load>;
    const Loader loader{.callable = const_cast<void*>(static_cast<const void*>(&load)),
                        .call = [](void* callable, std::span<char> to) -> Result<void> {
                          return (*static_cast<Callable*>(callable))(to);
                        }};
    return load_slow(slots.words_[index], block_bytes, loader);
  }

  /// Begins to load a block that `find` has not found, unless it is there by now or on its way. The
  /// caller is inside a guard, as long as it has the load.
  ///
  /// Errors: kOutOfSpace  as `get_or_load`
  /// Cost:   a mutex
  Result<BlockLoad> begin_load(CacheSlots& slots, std::size_t index, std::size_t block_bytes) {
    return begin_load(slots.words_[index], block_bytes);
  }

  /// Starts loading what `find` looks at first, for when several blocks are looked for.
  void prefetch(const CacheSlots& slots, std::size_t index) const noexcept {
    base::prefetch(&slots.words_[index]);
  }

  /// Starts loading the first lines of a block, which have the tags of its rows. The caller is
  /// inside a guard.
  ///
  /// Cost: the load of the slot that `find` would make; nothing where the block is not in memory
  void prefetch_block(const CacheSlots& slots, std::size_t index) const noexcept {
    // Relaxed: nothing is read at the address.
    const std::uint64_t word = slots.words_[index].load(std::memory_order_relaxed);
    if (!is_block_in(word)) return;
    const char* const block = address_in<const char>(word);
    for (std::size_t line = 0; line < kFirstLines; ++line) base::prefetch(block + 64 * line);
  }

  /// Holds `block`, which the caller has found inside a guard that is still open.
  ///
  /// Cost: one read-modify-write here and one when the pin goes
  Pin pin(const char* block) const noexcept;

  /// Makes the cache as large as `bytes` at most, evicting what is too much now. Pins and open
  /// guards hold some of it back; `reclaim` frees that later.
  ///
  /// Cost: under the mutex; a chunk of 2 MiB takes some tens of microseconds to evict
  void set_capacity(std::size_t bytes) noexcept;

  /// A block counts as returned when not more than so many bytes were evicted since it was.
  void set_return_window(std::size_t bytes) noexcept;

  /// Frees what was evicted and is in nobody's sight any more. For the background: misses do so by
  /// themselves when they need it.
  void reclaim() noexcept;

  CacheStats stats() const noexcept;

  /// Walks the invariants.
  void check() const;

 private:
  friend class CacheSlots;
  friend class BlockLoad;

  // Header, prefix and the tags of up to some eighty rows.
  static constexpr std::size_t kFirstLines = 3;

  struct Loader {
    void* callable;
    Result<void> (*call)(void* callable, std::span<char> to);
  };
  using Loading = BlockLoad::Shared;
  struct alignas(64) HitCount {
    std::atomic<std::uint64_t> count{0};
  };

  BlockCache(base::MemoryBudget& budget, base::EpochDomain& domain, CacheRoom room) noexcept;

  static CacheEntry& own_entry_of(char* block) noexcept {
    return reinterpret_cast<CacheEntry*>(block)[-1];
  }

  void count_hit() const noexcept {
    // Relaxed: a line of the thread's own. Threads beyond the count share one and may lose some.
    std::atomic<std::uint64_t>& count = hits_[base::thread_index()].count;
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  Result<const char*> load_slow(std::atomic<std::uint64_t>& slot, std::size_t block_bytes,
                                const Loader& loader);
  Result<BlockLoad> begin_load(std::atomic<std::uint64_t>& slot, std::size_t block_bytes);
  Loading* add_loading(std::atomic<std::uint64_t>& slot, std::size_t block_bytes)
      ASHLAR_REQUIRES(mutex_);
  void finish(Loading& loading, Result<void> outcome) noexcept;
  Result<const char*> wait_for(Loading& loading);
  void leave(Loading& loading) noexcept ASHLAR_REQUIRES(mutex_);
  void drop(CacheSlots::Words words) noexcept;

  // Set at construction.
  base::MemoryBudget& budget_;
  const base::EpochDomain& domain_;
  FrameMap map_;

  // Of each thread its own.
  mutable std::array<HitCount, base::kThreadIndexCount + 1> hits_;

  mutable base::Mutex mutex_;
  CacheRoom room_ ASHLAR_GUARDED_BY(mutex_);
  std::uint64_t miss_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  // Of loads that are over, as many as ever were under way at a time.
  std::unique_ptr<Loading> spare_loadings_ ASHLAR_GUARDED_BY(mutex_);
};

}  // namespace ashlar::table
