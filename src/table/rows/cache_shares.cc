#include "table/rows/cache_shares.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::table {
namespace {

// A look in so many rows read from the disk, which takes them some ten milliseconds.
constexpr std::uint64_t kOffersPerLook = 256;
// So many returns say something; so many evictions in one look say that blocks are short of room.
constexpr std::uint64_t kReturnsPerStep = 64;
constexpr std::uint64_t kEvictionsPerLook = kOffersPerLook / 2;

constexpr std::size_t kFirstShare = 4;  // Rows begin with a quarter,
constexpr std::size_t kStepShare = 32;  // go by steps of a thirty-second,
constexpr std::size_t kReturnWindowShare = 16;
constexpr std::size_t kChunkCountMin = 4;  // and get nothing of less than four chunks.

/// Blocks keep a quarter: scans and multi-reads go through them.
std::size_t row_chunk_count_max(std::size_t chunk_count) noexcept {
  return chunk_count - chunk_count / 4;
}

}  // namespace

std::size_t next_row_share(std::size_t chunk_count, std::size_t row_chunk_count,
                           const CacheReturns& returns) noexcept {
  const std::size_t step = std::max<std::size_t>(chunk_count / kStepShare, 1);
  std::size_t next = row_chunk_count;
  if (returns.row_count > returns.block_count) next += step;
  if (returns.row_count < returns.block_count) next -= std::min(step, next);
  return std::clamp<std::size_t>(next, 1, row_chunk_count_max(chunk_count));
}

void CacheShares::set_capacity(std::size_t bytes) noexcept {
  const base::MutexLock lock(mutex_);
  capacity_bytes_ = bytes;
  rows_.set_return_window(bytes / kReturnWindowShare);
  blocks_.set_return_window(bytes / kReturnWindowShare);
  row_chunk_count_ = chunk_count() < kChunkCountMin
                         ? 0
                         : std::min(row_chunk_count_, row_chunk_count_max(chunk_count()));
  apply();
}

void CacheShares::apply() noexcept {
  if (row_chunk_count_ > 0) {
    ASHLAR_ASSERT(row_chunk_count_ < chunk_count(), "W21: rows leave something for blocks");
  }
  if (rows_.capacity() != row_chunk_count_) rows_.set_capacity(row_chunk_count_);
  fit_blocks();
}

/// Blocks get what rows do not hold. Until the next look they take a chunk more at most.
void CacheShares::fit_blocks() noexcept {
  const RowCacheStats rows = rows_.stats();
  const std::size_t row_bytes =
      std::min(rows.used_bytes + RowRing::kChunkBytes,
               rows.index_bytes + row_chunk_count_ * RowRing::kChunkBytes);
  const std::size_t bytes = capacity_bytes_ - std::min(capacity_bytes_, row_bytes);
  if (blocks_.stats().capacity_bytes != bytes) blocks_.set_capacity(bytes);
}

bool CacheShares::halve() noexcept {
  const auto used_bytes = [this] { return blocks_.stats().used_bytes + rows_.stats().used_bytes; };
  const std::size_t used = used_bytes();
  if (used == 0) return false;
  set_capacity(used / 2);
  reclaim();
  return used_bytes() < used;
}

void CacheShares::reclaim() noexcept {
  blocks_.reclaim();
  rows_.reclaim();
}

void CacheShares::offer(const RowKey& key, const CachedRow& row) noexcept {
  rows_.offer(key, row);
  // Relaxed: a count of its own.
  const std::uint64_t before = offer_count_.fetch_add(1, std::memory_order_relaxed);
  if ((before + 1) % kOffersPerLook == 0) look();
}

void CacheShares::look() noexcept {
  reclaim();
  const CacheStats blocks = blocks_.stats();
  const RowCacheStats rows = rows_.stats();
  const base::MutexLock lock(mutex_);
  const bool are_blocks_short = blocks.evicted_count >= seen_evicted_count_ + kEvictionsPerLook;
  seen_evicted_count_ = blocks.evicted_count;
  if (chunk_count() < kChunkCountMin) return;
  const CacheReturns returns{.block_count = blocks.returned_count - seen_.block_count,
                             .row_count = rows.returned_count - seen_.row_count};
  const bool is_first = row_chunk_count_ == 0;
  if (is_first && !are_blocks_short) return;
  if (is_first || returns.block_count + returns.row_count >= kReturnsPerStep) {
    seen_ = {.block_count = blocks.returned_count, .row_count = rows.returned_count};
    row_chunk_count_ = is_first ? chunk_count() / kFirstShare
                                : next_row_share(chunk_count(), row_chunk_count_, returns);
  }
  apply();
}

}  // namespace ashlar::table
