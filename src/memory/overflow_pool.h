/// \file
/// Buckets for the chains of a hash index, named by number so that a head has room for one.
#pragma once

#include <cstdint>
#include <memory>

#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "base/thread_safety.h"
#include "memory/bucket.h"

namespace ashlar::memory {

/// Threads: thread-safe.
class OverflowPool {
 public:
  /// Returns: null when the system refuses the address space
  static std::unique_ptr<OverflowPool> make(base::MemoryBudget& budget);

  /// Sets `count` buckets aside for the caller.
  ///
  /// Returns: false, and sets nothing aside, when the budget is used up
  [[nodiscard]] bool reserve(std::size_t count) noexcept;

  /// Takes one bucket out of what was set aside: all its slots are empty, it has no overflow.
  std::uint32_t take_reserved() noexcept;

  /// Gives what was set aside and not taken back.
  void unreserve(std::size_t count) noexcept;

  void give_back(std::uint32_t number) noexcept;

  Bucket& bucket(std::uint32_t number) const noexcept {
    return reinterpret_cast<Bucket*>(region_.begin())[number];
  }
  std::size_t bucket_count_max() const noexcept { return region_.bytes() / sizeof(Bucket); }
  std::size_t taken_bytes() const noexcept;

 private:
  OverflowPool(base::Reservation region, base::MemoryBudget& budget) noexcept;

  // Set at construction.
  base::Reservation region_;
  base::MemoryBudget& budget_;

  mutable base::Mutex mutex_;
  std::size_t committed_count_ ASHLAR_GUARDED_BY(mutex_) = 0;  // Buckets with memory, number 0 too.
  std::size_t fresh_number_ ASHLAR_GUARDED_BY(mutex_) = 1;  // The first never used; 0 means none.
  std::size_t free_count_ ASHLAR_GUARDED_BY(mutex_) = 0;    // Used before and free again.
  std::size_t reserved_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::uint32_t first_free_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::memory
