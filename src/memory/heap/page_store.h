/// \file
/// Pages of 64 KiB for records, out of huge pages of 2 MiB (chunks).
///
/// Invariants:
///   P1  A page is handed out at most once until it comes back.
///   M1 of memory_budget.h: memory is taken before it is touched, and given back after it was
///       dropped.
///   P5  At most one chunk is open ahead of need, on the budget like any other.
///
/// The first chunk is taken page by page on small pages, so that a small database is small. Every
/// other one is taken whole: that is what a huge page costs. The lowest chunk with room comes
/// first, so that high ones fall empty and go back to the system.
///
/// The first touch of a huge page has the system clear 2 MiB. While a store grows by chunks,
/// another thread can have that done ahead (`open_ahead`); where none does, whoever touches it
/// waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "base/thread_safety.h"

namespace ashlar::memory {

// A page holds four objects of the largest slab class, and a chunk a page for each bit of a word.
inline constexpr std::size_t kPageBytes = std::size_t{64} << 10U;
inline constexpr std::uint32_t kPagesPerChunk = base::kHugePageBytes / kPageBytes;
inline constexpr std::uint32_t kNoPage = UINT32_MAX;

/// Threads: thread-safe.
class PageStore {
 public:
  /// Input:    side_bytes  what others keep about each page, counted in
  /// Lifetime: `region` and `budget` must outlive the store.
  PageStore(const base::Reservation& region, std::size_t chunk_count, std::size_t side_bytes,
            base::MemoryBudget& budget);

  /// Returns: the number of a page with unspecified content, or kNoPage when the budget is used up
  /// Cost:    a lock; a huge page the first time one of its pages is touched
  std::uint32_t take() noexcept;

  void give_back(std::uint32_t page) noexcept;

  /// Whether a chunk was opened since `open_ahead` last looked: the next one will be wanted too.
  bool is_growing() const noexcept { return is_growing_.load(std::memory_order_relaxed); }

  /// Opens the next chunk and has its memory made ready, if the store is growing, has no empty
  /// chunk and leaves most of the budget to others.
  ///
  /// Returns: whether it did
  /// Cost:    the clearing of a huge page, with no lock held
  bool open_ahead() noexcept;

  std::size_t taken_bytes() const noexcept;

 private:
  static constexpr std::uint32_t kAllFree = UINT32_MAX;

  std::size_t open_chunk_locked() noexcept ASHLAR_REQUIRES(mutex_);
  std::uint32_t take_ahead() noexcept;
  void close_chunk_locked(std::size_t chunk) noexcept ASHLAR_REQUIRES(mutex_);

  // Set at construction.
  const base::Reservation& region_;
  base::MemoryBudget& budget_;
  const std::size_t page_charge_bytes_;

  // A hint: set under the mutex, asked for and cleared by whoever opens ahead.
  std::atomic<bool> is_growing_{false};

  mutable base::Mutex mutex_;
  std::vector<std::uint32_t> free_pages_ ASHLAR_GUARDED_BY(mutex_);  // A bit a page, by chunk.
  std::vector<bool> is_open_ ASHLAR_GUARDED_BY(mutex_);
  std::size_t first_with_room_ ASHLAR_GUARDED_BY(mutex_) = 0;  // No lower chunk has room.
  std::size_t end_of_open_ ASHLAR_GUARDED_BY(mutex_) = 1;      // No chunk from here on is open.
  std::size_t spare_chunk_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::size_t ahead_chunk_ ASHLAR_GUARDED_BY(mutex_) = 0;  // Opened ahead, not in use; 0: none.
  std::size_t taken_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::memory
