/// \file
/// One capacity for the cache of blocks and that of rows, and how they share it.
///
/// Blocks have all of it until it is used up: what fits in blocks needs no rows. Then rows get a
/// quarter, and from there on memory goes where a little more of it would save more reads of the
/// disk. What it would have saved either cache knows by the ghosts of what it has just evicted: so
/// of those that come back within a sixteenth of the capacity, the cache with more of them gets a
/// step from the other. Hot rows strewn over cold blocks drive it to the most that rows may have;
/// where the rows of a block are read alike both are worth the same a byte, and it drifts. Until
/// rows have filled what is theirs blocks use it.
///
/// Invariants:
///   W21  What rows hold and blocks may hold add up to no more than is shared, but for an index of
///        rows that has grown since the last look, and what readers keep of rows that go.
///
/// Source: the rule is that of "ARC: A Self-Tuning, Low Overhead Replacement Cache", N. Megiddo,
///         D. Modha, FAST 2003, with returns counted for two kinds of things.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/thread_safety.h"
#include "table/block_cache.h"
#include "table/rows/row_cache.h"

namespace ashlar::table {

/// What the shares go by: counts since opening.
struct CacheReturns {
  std::uint64_t block_count = 0;
  std::uint64_t row_count = 0;
};

/// How many chunks of `chunk_count` rows get that have `row_chunk_count`, after `returns`.
std::size_t next_row_share(std::size_t chunk_count, std::size_t row_chunk_count,
                           const CacheReturns& returns) noexcept;

/// Threads:  thread-safe.
/// Lifetime: both caches outlive it.
class CacheShares {
 public:
  /// Input: row_chunk_count  what rows have at first; for tests, which have few blocks
  CacheShares(BlockCache& blocks, RowCache& rows, std::size_t row_chunk_count = 0) noexcept
      : blocks_(blocks), rows_(rows), row_chunk_count_(row_chunk_count) {}
  CacheShares(const CacheShares&) = delete;
  CacheShares& operator=(const CacheShares&) = delete;

  BlockCache& blocks() const noexcept { return blocks_; }
  RowCache& rows() const noexcept { return rows_; }

  /// Makes both caches as large as `bytes` together.
  void set_capacity(std::size_t bytes) noexcept;

  /// Takes half of what both hold. Returns: false when nothing came of it
  bool halve() noexcept;

  /// Frees what was evicted and is in nobody's sight any more.
  void reclaim() noexcept;

  /// Keeps a row that was read from the disk, and looks at the shares once in a while.
  ///
  /// Cost: as `RowCache::offer`
  void offer(const RowKey& key, const CachedRow& row) noexcept;

 private:
  void look() noexcept;
  void apply() noexcept ASHLAR_REQUIRES(mutex_);
  void fit_blocks() noexcept ASHLAR_REQUIRES(mutex_);
  std::size_t chunk_count() const noexcept ASHLAR_REQUIRES(mutex_) {
    return capacity_bytes_ / RowRing::kChunkBytes;
  }

  BlockCache& blocks_;
  RowCache& rows_;
  std::atomic<std::uint64_t> offer_count_{0};

  base::Mutex mutex_;  // Before those of the caches.
  std::size_t capacity_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::size_t row_chunk_count_ ASHLAR_GUARDED_BY(mutex_);  // 0 until blocks are evicted.
  CacheReturns seen_ ASHLAR_GUARDED_BY(mutex_);
  std::uint64_t seen_evicted_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::table
