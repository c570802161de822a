// Which pages are out, and which chunks have memory.
//
//     chunk 0   its pages are charged and dropped one by one
//     others    closed: no memory, no charge;   open: all 32 pages charged at once
//
// A page that comes back to an open chunk keeps its memory and its charge: the chunk is given up as
// a whole, when its last page is back. The budget is asked before a page can be touched and told
// after its memory is gone (M1).

#include "memory/heap/page_store.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace ashlar::memory {
namespace {

// From this budget on one empty chunk is kept, so that a load that swings around a chunk's edge
// does not clear 2 MiB each time.
constexpr std::size_t kSpareChunkBudgetBytes = std::size_t{64} << 20U;

// A chunk is opened ahead only while more than this part of the budget is unused.
constexpr std::size_t kAheadBudgetShare = 8;

}  // namespace

PageStore::PageStore(const base::Reservation& region, std::size_t chunk_count,
                     std::size_t side_bytes, base::MemoryBudget& budget)
    : region_(region),
      budget_(budget),
      page_charge_bytes_(kPageBytes + side_bytes),
      free_pages_(chunk_count, 0),
      is_open_(chunk_count, false) {
  ASHLAR_ASSERT(chunk_count * base::kHugePageBytes <= region.bytes(), "chunks lie in the region");
  free_pages_[0] = kAllFree;
  is_open_[0] = true;
}

std::uint32_t PageStore::take() noexcept {
  const base::MutexLock lock(mutex_);
  // A closed chunk has no free pages either, so it is passed over like a full one.
  while (first_with_room_ < end_of_open_ && free_pages_[first_with_room_] == 0) ++first_with_room_;
  if (first_with_room_ == end_of_open_) {
    if (open_chunk_locked() == 0) return kNoPage;
    is_growing_.store(true, std::memory_order_relaxed);
  } else if (first_with_room_ == ahead_chunk_ && ahead_chunk_ != 0) {
    ahead_chunk_ = 0;  // In use: now the one after it may be made ready.
    is_growing_.store(true, std::memory_order_relaxed);
  }

  const std::size_t chunk = first_with_room_;
  if (chunk == 0) {
    if (!budget_.try_take(page_charge_bytes_)) return kNoPage;
    taken_bytes_ += page_charge_bytes_;
  } else if (free_pages_[chunk] == kAllFree) {
    --spare_chunk_count_;
  }
  ASHLAR_ASSERT(free_pages_[chunk] != 0, "P1: a page is taken from those that are free");
  const auto bit = static_cast<std::uint32_t>(std::countr_zero(free_pages_[chunk]));
  free_pages_[chunk] &= free_pages_[chunk] - 1;
  return static_cast<std::uint32_t>(chunk) * kPagesPerChunk + bit;
}

// Opens the lowest closed chunk. Chunk 0 is always open, which is why the search begins behind it
// and 0 says that there is none to be had.
std::size_t PageStore::open_chunk_locked() noexcept {
  std::size_t chunk = 1;
  while (chunk < is_open_.size() && is_open_[chunk]) ++chunk;
  if (chunk == is_open_.size()) return 0;
  if (!budget_.try_take(page_charge_bytes_ * kPagesPerChunk)) return 0;

  region_.prefer_huge_pages(chunk * base::kHugePageBytes, base::kHugePageBytes);
  taken_bytes_ += page_charge_bytes_ * kPagesPerChunk;
  is_open_[chunk] = true;
  free_pages_[chunk] = kAllFree;
  ++spare_chunk_count_;
  first_with_room_ = std::min(first_with_room_, chunk);
  end_of_open_ = std::max(end_of_open_, chunk + 1);
  return chunk;
}

// The page that is out meanwhile keeps the chunk from being closed under the system's hands. Its
// return makes the chunk the spare one, or closes it should there be another by then (P5).
bool PageStore::open_ahead() noexcept {
  const std::uint32_t page = take_ahead();
  if (page == kNoPage) return false;
  const std::size_t chunk = page / kPagesPerChunk;
  region_.populate(chunk * base::kHugePageBytes, base::kHugePageBytes);
  give_back(page);
  return true;
}

/// The last page of a chunk opened for it, or kNoPage when none is to be opened ahead.
std::uint32_t PageStore::take_ahead() noexcept {
  if (!is_growing()) return kNoPage;
  const base::MutexLock lock(mutex_);
  is_growing_.store(false, std::memory_order_relaxed);
  const std::size_t limit = budget_.limit_bytes();
  // Where a chunk kept empty might be what another part is refused for, none is opened unasked.
  const bool has_slack = limit - budget_.used_bytes() >= limit / kAheadBudgetShare;
  if (limit < kSpareChunkBudgetBytes || !has_slack || spare_chunk_count_ != 0) return kNoPage;
  const std::size_t chunk = open_chunk_locked();
  if (chunk == 0) return kNoPage;
  ASHLAR_ASSERT(free_pages_[chunk] == kAllFree, "P5: what is opened ahead is empty");
  constexpr std::uint32_t kLast = kPagesPerChunk - 1;
  free_pages_[chunk] &= ~(std::uint32_t{1} << kLast);
  --spare_chunk_count_;
  ahead_chunk_ = chunk;
  return static_cast<std::uint32_t>(chunk) * kPagesPerChunk + kLast;
}

void PageStore::give_back(std::uint32_t page) noexcept {
  const base::MutexLock lock(mutex_);
  const std::size_t chunk = page / kPagesPerChunk;
  const std::uint32_t bit = std::uint32_t{1} << page % kPagesPerChunk;
  ASHLAR_ASSERT(is_open_[chunk], "P1: a page comes back to an open chunk");
  ASHLAR_ASSERT((free_pages_[chunk] & bit) == 0, "P1: only a page that is out comes back");
  free_pages_[chunk] |= bit;
  first_with_room_ = std::min(first_with_room_, chunk);
  if (chunk == 0) {
    region_.give_back(std::size_t{page} * kPageBytes, kPageBytes);
    budget_.give_back(page_charge_bytes_);
    taken_bytes_ -= page_charge_bytes_;
  } else if (free_pages_[chunk] == kAllFree) {
    ++spare_chunk_count_;
    const std::size_t spare_max = budget_.limit_bytes() >= kSpareChunkBudgetBytes ? 1 : 0;
    if (spare_chunk_count_ > spare_max) close_chunk_locked(chunk);
  }
}

// The memory goes while nobody can take one of its pages: the lock is held. Readers with a stale
// address into it read zeros (P4).
void PageStore::close_chunk_locked(std::size_t chunk) noexcept {
  ASHLAR_ASSERT(chunk != 0, "the first chunk goes by pages");
  ASHLAR_ASSERT(free_pages_[chunk] == kAllFree, "P1: only a chunk whose pages are back is closed");
  region_.give_back(chunk * base::kHugePageBytes, base::kHugePageBytes);
  budget_.give_back(page_charge_bytes_ * kPagesPerChunk);
  taken_bytes_ -= page_charge_bytes_ * kPagesPerChunk;
  free_pages_[chunk] = 0;
  is_open_[chunk] = false;
  --spare_chunk_count_;
  // A store that gives a chunk up does not grow: where a load swings around a chunk's edge, one
  // would be cleared each time.
  ahead_chunk_ = 0;
  is_growing_.store(false, std::memory_order_relaxed);
  while (end_of_open_ > 1 && !is_open_[end_of_open_ - 1]) --end_of_open_;
  first_with_room_ = std::min(first_with_room_, end_of_open_);
}

std::size_t PageStore::taken_bytes() const noexcept {
  const base::MutexLock lock(mutex_);
  return taken_bytes_;
}

}  // namespace ashlar::memory
