// A bucket is in one of three states, and counted so:
//
//     fresh   never used; numbers fresh_number_ ... committed_count_ - 1
//     free    used before; a list through the heads, from first_free_ on; free_count_ of them
//     taken   in a chain
//
// A reservation names no bucket: it only sees to it that `reserved_count_` of the fresh and free
// ones are left. So a split or a batch asks once, before it changes anything, and cannot fail
// half way. Buckets that come back stay with the pool: chains come and go by the thousand as an
// index grows, and each would be a system call.

#include "memory/overflow_pool.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::memory {
namespace {

// 1,024 buckets at a time: the budget is asked rarely, and an index with few chains holds little.
constexpr std::size_t kStepBytes = std::size_t{64} << 10U;

}  // namespace

std::unique_ptr<OverflowPool> OverflowPool::make(base::MemoryBudget& budget) {
  // No more than a head can number, and no more than the budget could pay for.
  const std::size_t bytes = std::min(budget.limit_bytes() / kStepBytes * kStepBytes,
                                     (std::size_t{1} << 32U) * sizeof(Bucket));
  auto region = base::Reservation::make(bytes);
  if (!region) return nullptr;
  return std::unique_ptr<OverflowPool>(new OverflowPool(std::move(*region), budget));
}

OverflowPool::OverflowPool(base::Reservation region, base::MemoryBudget& budget) noexcept
    : region_(std::move(region)), budget_(budget) {}

bool OverflowPool::reserve(std::size_t count) noexcept {
  const base::MutexLock lock(mutex_);
  const auto available = [&]() ASHLAR_REQUIRES(mutex_) {
    const std::size_t fresh =
        committed_count_ > fresh_number_ ? committed_count_ - fresh_number_ : 0;
    ASHLAR_ASSERT(free_count_ + fresh >= reserved_count_, "a reservation is always covered");
    return free_count_ + fresh - reserved_count_;
  };
  while (available() < count) {
    if ((committed_count_ * sizeof(Bucket)) + kStepBytes > region_.bytes()) return false;
    // M1: before the memory is touched. Steps taken so far stay when a later one is refused.
    if (!budget_.try_take(kStepBytes)) return false;
    committed_count_ += kStepBytes / sizeof(Bucket);
  }
  reserved_count_ += count;
  return true;
}

std::uint32_t OverflowPool::take_reserved() noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(reserved_count_ > 0, "only a bucket that was set aside is taken");
  --reserved_count_;
  if (first_free_ == 0) {
    ASHLAR_ASSERT(fresh_number_ < committed_count_, "a fresh bucket has its memory on the budget");
    return static_cast<std::uint32_t>(fresh_number_++);
  }
  const std::uint32_t number = first_free_;
  Bucket& taken = bucket(number);
  // Relaxed: readers reach the bucket through a head that is released after this.
  first_free_ = static_cast<std::uint32_t>(taken.head.load(std::memory_order_relaxed));
  taken.head.store(0, std::memory_order_relaxed);
  --free_count_;
  return number;
}

void OverflowPool::unreserve(std::size_t count) noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(reserved_count_ >= count, "only what was set aside is given back");
  reserved_count_ -= count;
}

void OverflowPool::give_back(std::uint32_t number) noexcept {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(number != 0, "0 stands for no bucket");
  Bucket& freed = bucket(number);
  // Relaxed: the holder of the chain's lock has emptied it, and nobody else stores to it.
  ASHLAR_ASSERT(freed.slots[0].load(std::memory_order_relaxed) == 0, "H2: a bucket goes empty");
  // A reader that is still in the old chain may follow this; it validates the chain's head.
  freed.head.store(first_free_, std::memory_order_relaxed);
  first_free_ = number;
  ++free_count_;
}

std::size_t OverflowPool::taken_bytes() const noexcept {
  const base::MutexLock lock(mutex_);
  return committed_count_ * sizeof(Bucket);
}

}  // namespace ashlar::memory
