// The side that frees, and the rare paths of readers: a thread's first guard, nested guards,
// threads that have no place of their own.

#include "base/epoch.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::base {

EpochDomain::~EpochDomain() {
  // Relaxed: whoever destroys the domain has seen to it that its readers are gone.
  for (const Place& place : places_) {
    const Epoch noted = place.epoch.load(std::memory_order_relaxed);
    ASHLAR_ASSERT(noted == kClosed || noted == kUnused, "a domain outlives its guards");
  }
  // What is freed may retire what hung on it.
  while (collect() != 0) {
  }
  ASHLAR_ASSERT(retired_count() == 0, "what has been retired is freed by the end (Y12)");
}

// The order of the mutex is what an epoch means: what is stamped under it before `settle_locked`
// has the older number, and whoever notes the newer one has seen it unlinked.
void EpochDomain::retire(Retired& object, Retired::Free free) noexcept {
  ASHLAR_ASSERT(free != nullptr, "what is retired can be freed");
  ASHLAR_ASSERT(object.free_ == nullptr, "an object is retired once (Y12)");
  object.free_ = free;
  object.next_ = nullptr;
  const MutexLock lock(mutex_);
  // Relaxed: stored under the mutex only.
  object.retired_at_ = epoch_.load(std::memory_order_relaxed);
  if (last_ != nullptr) {
    last_->next_ = &object;
  } else {
    first_ = &object;
  }
  last_ = &object;
  ++retired_count_;
}

// The list is in the order of the epochs, so what is free to go is its front. Taken out under the
// mutex and freed outside: `free` may take locks, open guards and retire.
std::size_t EpochDomain::collect() noexcept {
  Retired* going = nullptr;
  std::size_t count = 0;
  {
    const MutexLock lock(mutex_);
    if (first_ == nullptr) return 0;
    const Epoch oldest = settle_locked();
    Retired* last = nullptr;
    going = first_;
    for (Retired* at = first_; at != nullptr && at->retired_at_ < oldest; at = at->next_) {
      last = at;
      ++count;
    }
    if (count == 0) return 0;
    first_ = last->next_;
    if (first_ == nullptr) last_ = nullptr;
    retired_count_ -= count;
  }
  for (std::size_t i = 0; i < count; ++i) {
    Retired& object = *going;
    going = object.next_;
    const Retired::Free free = object.free_;
    object.free_ = nullptr;  // An object that is used again can be retired again.
    free(object);
  }
  return count;
}

Epoch EpochDomain::stamp() noexcept {
  const MutexLock lock(mutex_);
  return epoch_.load(std::memory_order_relaxed);
}

Epoch EpochDomain::settle() noexcept {
  const MutexLock lock(mutex_);
  return settle_locked();
}

std::size_t EpochDomain::retired_count() const noexcept {
  const MutexLock lock(mutex_);
  return retired_count_;
}

Epoch EpochDomain::settle_locked() noexcept {
  const Epoch next = epoch_.load(std::memory_order_relaxed) + 1;
  ASHLAR_ASSERT(next < kUnused, "epochs do not come round");
  // Release: partner of the acquire in `announce`.
  epoch_.store(next, std::memory_order_release);
  // Whoever has looked at anything before this has its place noted where we see it now.
  if (is_light_) global_barrier();
  Epoch oldest = next;
  for (std::size_t i = 0; i < place_count_; ++i) {
    const Epoch noted = noted_in(places_[i]);
    if (noted != kClosed) oldest = std::min(oldest, noted);  // kUnused is above all others.
  }
  // Changed under the mutex only, which orders it.
  const Epoch shared = places_[kThreadIndexCount].epoch.load(std::memory_order_relaxed);
  if (shared != kClosed) oldest = std::min(oldest, shared);
  return oldest;
}

Epoch EpochDomain::noted_in(Place& place) noexcept {
  // Acquire: partner of the releases of a guard; what it read was read before we free.
  if (is_light_) return place.epoch.load(std::memory_order_acquire);
  return place.epoch.fetch_add(0, std::memory_order_acq_rel);
}

// Where the place says closed, the caller need not ask; here it says that another guard is open,
// that this is the thread's first guard, or that the place is the shared one.
bool EpochDomain::is_outermost(std::size_t index) noexcept {
  if (index == kThreadIndexCount) {
    open_shared();
    return false;  // The place is noted and closed under the mutex.
  }
  Place& place = places_[index];
  if (place.epoch.load(std::memory_order_relaxed) != kUnused) return false;
  // A `settle` before this cannot have missed us: we have read nothing yet, and see through the
  // mutex all that it was about. Every one after it looks at our place.
  const MutexLock lock(mutex_);
  place_count_ = std::max(place_count_, index + 1);
  return true;
}

// One place for all these threads: it is open from the first guard until none is open, at the epoch
// of the first. That only delays freeing.
void EpochDomain::open_shared() noexcept {
  const MutexLock lock(mutex_);
  if (shared_guard_count_++ != 0) return;
  places_[kThreadIndexCount].epoch.store(epoch_.load(std::memory_order_relaxed),
                                         std::memory_order_relaxed);
}

void EpochDomain::close_shared() noexcept {
  const MutexLock lock(mutex_);
  ASHLAR_ASSERT(shared_guard_count_ != 0, "a guard is closed once");
  if (--shared_guard_count_ != 0) return;
  places_[kThreadIndexCount].epoch.store(kClosed, std::memory_order_relaxed);
}

}  // namespace ashlar::base
