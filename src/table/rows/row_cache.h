/// \file
/// Rows of tables that had to be read from the disk, kept one by one: where hot rows are strewn
/// over all blocks, a row of 130 bytes takes the place of a block of 8 KiB.
///
/// A row is known by its table as well as its key. Tables never change, so no write, erase, expiry
/// or flush can make a row here wrong, and there is nothing to invalidate: a reader asks for the
/// row of the very table that it would look into next. What a snapshot may see, its state decides
/// by the tables that it has (V32 of src/lsm/engine/snapshots.h), and a deadline is judged by the
/// reader (T1). What a compaction has merged away is not asked for any more and goes at its turn.
///
/// A reader is inside a guard and takes no lock: a bucket of words, and the row. It stores a heat
/// of two bits while that still rises. Rows come in under a mutex, behind a read of the disk. Room
/// is made in the order in which rows came (CLOCK): one that was read since goes round again.
///
/// CLOCK and S3-FIFO were within a hundredth of each other in hits (Zipf 0.99, 2.2 M rows, 30 to 48
/// MiB), so the simpler one is here.
///
/// Invariants, with those of row_index.h and row_ring.h:
///   W18  What `find` returns is the row that the table has for the key, whatever has come since.
///
/// Lock order: `mutex_`, then that of the epoch domain.
///
/// Source: "A paging experiment with the Multics system", F. Corbató, 1968.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "ashlar/result.h"
#include "base/assert.h"
#include "base/epoch.h"
#include "base/memory/memory_budget.h"
#include "base/thread_index.h"
#include "base/thread_safety.h"
#include "table/rows/row_index.h"
#include "table/rows/row_record.h"
#include "table/rows/row_ring.h"

namespace ashlar::table {

struct RowCacheStats {
  std::uint64_t hit_count = 0;
  std::uint64_t miss_count = 0;      ///< Rows that were offered: not here, and read from the disk.
  std::uint64_t returned_count = 0;  ///< Of those, the ones that were evicted a short while before.
  std::size_t row_count = 0;
  std::size_t index_bytes = 0;
  std::size_t used_bytes = 0;  ///< Those included.
};

/// Threads:  thread-safe.
/// Lifetime: `budget` and `domain` outlive it.
class RowCache {
 public:
  /// One of no capacity, which holds nothing.
  ///
  /// Errors: kOutOfSpace  the budget refuses the fixed part, some 12 KiB, or the system the address
  ///                      space for all of the budget
  static Result<std::unique_ptr<RowCache>> make(base::MemoryBudget& budget,
                                                base::EpochDomain& domain);
  ~RowCache();
  RowCache(const RowCache&) = delete;
  RowCache& operator=(const RowCache&) = delete;

  /// The row that the table of `wanted` has for the key; nullopt when it is not in memory. The
  /// caller is inside a guard.
  ///
  /// Cost:     a load while nothing is kept; else a line of words, and the row's
  /// Lifetime: of what is returned: the guard's
  std::optional<CachedRow> find(const RowKey& wanted) const noexcept {
    // Acquire: partner of the release in `publish`.
    const RowIndex* const index = index_.load(std::memory_order_acquire);
    if (index == nullptr) [[likely]]
      return std::nullopt;
    return find_in(*index, wanted);
  }

  /// Keeps a row that was just read from the disk. May decline. The caller is inside a guard.
  ///
  /// Cost: a mutex; the row is copied, and as many bytes of others are looked at to make room
  void offer(const RowKey& key, const CachedRow& row) noexcept;

  /// A table that rows are offered of is there, and will be asked no more: its rows are not worth
  /// another round.
  void note_table(std::uint64_t number) noexcept;
  void forget_table(std::uint64_t number) noexcept;

  /// How many chunks of rows it may hold; the index comes on top. With 0 it holds nothing. What is
  /// too much goes at once, as far as guards let it; `reclaim` frees the rest later.
  void set_capacity(std::size_t chunk_count) noexcept;
  std::size_t capacity() const noexcept;

  /// A row counts as returned when not more than so many bytes were evicted since it was.
  void set_return_window(std::size_t bytes) noexcept;

  void reclaim() noexcept;

  RowCacheStats stats() const noexcept;

  /// Walks the invariants.
  void check() const;

 private:
  static constexpr std::size_t kHitCountShards = 64;
  struct alignas(64) HitCount {
    std::atomic<std::uint64_t> count{0};
  };
  enum class Survivors : std::uint8_t { kNone, kHot };

  RowCache(base::MemoryBudget& budget, base::EpochDomain& domain, RowRing ring) noexcept;

  std::optional<CachedRow> find_in(const RowIndex& index, const RowKey& wanted) const noexcept;
  void count_hit() const noexcept {
    // Relaxed, and not one step: threads that share a line may lose some.
    std::atomic<std::uint64_t>& count = hits_[base::thread_index() % kHitCountShards].count;
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  bool is_it(std::uint64_t offset, const RowKey& wanted) const noexcept;
  auto heat_of() const noexcept {
    return [this](std::uint64_t offset) {
      return RowRecord(rows_ + offset).heat().load(std::memory_order_relaxed);
    };
  }

  bool grow_index() noexcept ASHLAR_REQUIRES(mutex_);
  void publish(std::unique_ptr<RowIndex> next) noexcept ASHLAR_REQUIRES(mutex_);
  void reclaim_locked() noexcept ASHLAR_REQUIRES(mutex_);
  std::optional<std::uint64_t> room_for(std::size_t bytes) noexcept ASHLAR_REQUIRES(mutex_);
  void evict_oldest(Survivors survivors) noexcept ASHLAR_REQUIRES(mutex_);
  bool stays(const RowRecord& record) noexcept ASHLAR_REQUIRES(mutex_);
  void note_return(const RowKey& key) noexcept ASHLAR_REQUIRES(mutex_);
  RowIndex::Moment moment() const noexcept ASHLAR_REQUIRES(mutex_);

  base::MemoryBudget& budget_;
  base::EpochDomain& domain_;
  char* const rows_;  // Where offsets count from.

  // Written under the mutex; owned, and null while the capacity is 0.
  std::atomic<RowIndex*> index_{nullptr};
  mutable std::array<HitCount, kHitCountShards> hits_;

  mutable base::Mutex mutex_;
  RowRing ring_ ASHLAR_GUARDED_BY(mutex_);
  // Indexes that readers may still see, the one that went last first.
  std::unique_ptr<RowIndex> leaving_ ASHLAR_GUARDED_BY(mutex_);
  std::bitset<std::size_t{1} << 16U> tables_ ASHLAR_GUARDED_BY(mutex_);  // By `RowRecord::table`.
  std::uint64_t evicted_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::size_t return_window_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::uint64_t miss_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::uint64_t returned_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::table
