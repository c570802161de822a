#include "os/ring/ring_pool.h"

#include <utility>

#include "base/assert.h"

namespace ashlar::os {

std::unique_ptr<ReadRing> RingPool::take() {
  {
    const base::MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<ReadRing> ring = std::move(idle_.back());
      idle_.pop_back();
      return ring;
    }
    if (is_refused_ || ring_count_ == kRingsMax) return nullptr;
    idle_.reserve(kRingsMax);  // So that `put` cannot fail.
    ++ring_count_;
  }
  std::unique_ptr<ReadRing> ring = ReadRing::make();
  if (ring == nullptr) forget();
  return ring;
}

void RingPool::put(std::unique_ptr<ReadRing> ring) {
  ASHLAR_ASSERT(ring != nullptr, "a ring that was taken is put back");
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(idle_.size() < ring_count_, "no more rings are put back than were taken");
  idle_.push_back(std::move(ring));
}

void RingPool::forget() {
  const base::MutexLock lock(mutex_);
  ASHLAR_ASSERT(ring_count_ > 0, "a ring that has gone was there");
  --ring_count_;
  is_refused_ = true;
}

std::size_t RingPool::ring_count() const {
  const base::MutexLock lock(mutex_);
  return ring_count_;
}

}  // namespace ashlar::os
