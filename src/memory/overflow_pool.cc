#include "memory/overflow_pool.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::memory {
namespace {

constexpr std::size_t kStepBytes = std::size_t{64} << 10U;

}  // namespace

std::unique_ptr<OverflowPool> OverflowPool::make(base::MemoryBudget& budget) {
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
    return free_count_ + fresh - reserved_count_;
  };
  while (available() < count) {
    if ((committed_count_ * sizeof(Bucket)) + kStepBytes > region_.bytes()) return false;
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
  if (first_free_ == 0) return static_cast<std::uint32_t>(fresh_number_++);
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
  Bucket& freed = bucket(number);
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
