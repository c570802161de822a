/// \file
/// Room for records above the largest slab class: whole 4 KiB blocks, each record its own extent.
///
/// Invariants:
///   P2  No two extents share a block.
///   M1 of memory_budget.h: memory is taken before it is touched, and given back after it was
///       dropped.
///
/// A bit a block says what is taken; the search goes on from where the last one ended. Releasing
/// allocates nothing, so it cannot fail.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "base/thread_safety.h"

namespace ashlar::memory {

/// Threads: thread-safe.
class ExtentStore {
 public:
  static constexpr std::size_t kBlockBytes = 4096;

  /// Input: begin, bytes  the part of `region` to use, in whole blocks of 64
  ///        map           a reservation of at least a bit a block, all zero
  /// Lifetime: `region` and `budget` must outlive the store.
  ExtentStore(const base::Reservation& region, std::size_t begin, std::size_t bytes,
              base::Reservation map, base::MemoryBudget& budget) noexcept;

  /// Returns: memory for `bytes`, or null when budget or address space are used up
  /// Cost:    a lock and a search; the memory is fresh from the system
  char* take(std::size_t bytes) noexcept;

  void give_back(const char* address, std::size_t bytes) noexcept;

  std::size_t taken_bytes() const noexcept;

  static std::size_t rounded_bytes(std::size_t bytes) noexcept {
    return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  std::uint64_t* words() const noexcept ASHLAR_REQUIRES(mutex_) {
    return reinterpret_cast<std::uint64_t*>(map_.begin());
  }
  bool is_taken_locked(std::size_t block) const noexcept ASHLAR_REQUIRES(mutex_) {
    return (words()[block / 64] >> block % 64 & 1U) != 0;
  }
  void set_taken_locked(std::size_t begin, std::size_t count, bool is_taken) noexcept
      ASHLAR_REQUIRES(mutex_);
  std::size_t find_locked(std::size_t count, std::size_t from, std::size_t to) const noexcept
      ASHLAR_REQUIRES(mutex_);

  // Set at construction.
  const base::Reservation& region_;
  base::MemoryBudget& budget_;
  const std::size_t begin_;
  const std::size_t block_count_;

  mutable base::Mutex mutex_;
  base::Reservation map_ ASHLAR_GUARDED_BY(mutex_);
  std::size_t next_block_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::size_t taken_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::memory
