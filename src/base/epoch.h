/// \file
/// When memory that readers walk without a lock may be freed: after everybody who could have seen
/// it has gone.
///
/// A reader opens an `EpochGuard`, which notes the epoch of the moment in a place of its thread,
/// and looks at shared structures. A writer first makes an object unreachable, then retires it.
/// Each look of the freeing side (`settle`) begins the next epoch and finds the oldest one that is
/// still noted; whatever was retired in an older one is out of everybody's sight.
///
/// Why that is enough: what was retired in epoch r was unlinked before, under the order of one
/// mutex. A reader that noted an epoch above r has therefore seen the unlinking. A reader that
/// noted nothing yet when `settle` looked comes behind its barrier, and sees it as well. A reader
/// that noted r or less keeps the object where it is.
///
/// A guard costs a load and two plain stores to a line of its own thread: the announcement needs no
/// fence because `settle` makes every running thread pass one (`global_barrier`). Where the system
/// cannot do that, both sides exchange the word in one step, which orders them for the language,
/// and for the race detector, too.
///
/// Invariants:
///   Y11  Nothing is freed while a guard is open that could have seen it.
///   Y12  What has been retired is freed by the destructor at the latest, and once.
///
/// Source: "Practical lock-freedom", K. Fraser, 2004, section 5.2.3; the barrier as in
/// biased_lock.h.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/biased_lock.h"
#include "base/thread_index.h"
#include "base/thread_safety.h"

namespace ashlar::base {

/// Numbers from 1 in the order in which `settle` was called.
using Epoch = std::uint64_t;

/// Part of every object that can be retired: retiring allocates nothing.
///
/// Threads: belongs to the domain from `retire` until it is handed to `free`.
class Retired {
 public:
  using Free = void (*)(Retired&) noexcept;

  Retired() noexcept = default;
  // What is copied is the object around it: neither is in a list of the other.
  Retired(const Retired&) noexcept {}
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment,cert-oop54-cpp): nothing is copied.
  Retired& operator=(const Retired&) noexcept { return *this; }

 private:
  friend class EpochDomain;
  Retired* next_ = nullptr;
  Epoch retired_at_ = 0;
  Free free_ = nullptr;
};

/// One set of structures whose memory goes by the same epochs.
///
/// Threads:  thread-safe.
/// Lifetime: outlives its guards.
class EpochDomain {
 public:
  EpochDomain() noexcept : is_light_(has_global_barrier()) {}
  /// Frees whatever has been retired and not freed yet (Y12).
  ~EpochDomain();
  EpochDomain(const EpochDomain&) = delete;
  EpochDomain& operator=(const EpochDomain&) = delete;

  /// Has `free(object)` called once no guard can see `object` any more. The caller has made it
  /// unreachable. Calls no `free` itself, so it may be called under any lock.
  ///
  /// Cost: a mutex for some instructions; no allocation.
  void retire(Retired& object, Retired::Free free) noexcept;

  /// Frees what no guard can see any more, in the order in which it was retired.
  ///
  /// Returns: how many objects were freed
  /// Cost:    as `settle`, and what the `free` functions cost: they are called without a lock
  std::size_t collect() noexcept;

  /// The epoch for something that the caller has made unreachable and keeps in a list of its own.
  ///
  /// Cost: a mutex for some instructions
  Epoch stamp() noexcept;

  /// Returns: an epoch: what was stamped in an older one is seen by no guard any more. Waits for
  ///          nobody: a guard that stays open only holds the answer back.
  /// Cost:    a barrier for every running thread, some microseconds, under the mutex
  Epoch settle() noexcept;

  /// Whether the calling thread has a guard open: for asserts of those who rely on their caller's.
  bool is_guarded() const noexcept {
    const std::atomic<Epoch>& place = places_[thread_index()].epoch;
    // Relaxed: the thread's own store; the shared place may be open for another thread.
    const Epoch noted = place.load(std::memory_order_relaxed);
    return noted != kClosed && noted != kUnused;
  }

  /// How many objects wait to be freed.
  std::size_t retired_count() const noexcept;

 private:
  friend class EpochGuard;

  static constexpr Epoch kClosed = 0;                  // No guard is open in this place.
  static constexpr Epoch kUnused = ~std::uint64_t{0};  // Nor was there ever one.

  // A line for each thread: nobody else stores to it.
  struct alignas(64) Place {
    std::atomic<Epoch> epoch{kUnused};
  };

  void announce(Place& place) noexcept;
  bool is_outermost(std::size_t index) noexcept;
  void open_shared() noexcept;
  void close_shared() noexcept;
  Epoch settle_locked() noexcept ASHLAR_REQUIRES(mutex_);
  Epoch noted_in(Place& place) noexcept;

  // Read by every guard, written by `settle` only.
  alignas(64) std::atomic<Epoch> epoch_{1};
  // Whether readers announce themselves without a fence. Set at construction.
  const bool is_light_;

  // For those who retire and collect; readers come here with their first guard only.
  alignas(64) mutable Mutex mutex_;
  Retired* first_ ASHLAR_GUARDED_BY(mutex_) = nullptr;
  Retired* last_ ASHLAR_GUARDED_BY(mutex_) = nullptr;
  std::size_t retired_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::size_t place_count_ ASHLAR_GUARDED_BY(mutex_) = 0;  // Places from the front ever used.
  std::size_t shared_guard_count_ ASHLAR_GUARDED_BY(mutex_) = 0;

  // By thread index; the last is shared by the threads beyond the count, under the mutex.
  std::array<Place, kThreadIndexCount + 1> places_;
};

inline void EpochDomain::announce(Place& place) noexcept {
  // Acquire: partner of the release in `settle_locked`. Who notes an epoch has seen what was
  // unlinked in those before.
  const Epoch now = epoch_.load(std::memory_order_acquire);
  if (is_light_) [[likely]] {
    // Release: a `settle` that finds this guard is ordered behind the one that was here before.
    place.epoch.store(now, std::memory_order_release);
    // Keeps the compiler from moving loads up; `global_barrier` does so for the processor.
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    // Partner of the exchange in `noted_in`: the later of the two sees what came before the other.
    place.epoch.exchange(now, std::memory_order_acq_rel);
  }
}

/// Keeps all that its thread can reach in the structures of `domain` where it is, while it is open.
/// Guards of one thread nest; the outer one is closed last.
///
/// Cost:    a load and two stores to a line of the thread's own, about a nanosecond; threads beyond
///          `kThreadIndexCount` take a mutex
/// Threads: confined to the thread that opened it.
class EpochGuard {
 public:
  explicit EpochGuard(EpochDomain& domain) noexcept : domain_(domain) {
    const std::size_t index = thread_index();
    EpochDomain::Place& place = domain.places_[index];
    // Relaxed: only this thread stores here.
    if (place.epoch.load(std::memory_order_relaxed) != EpochDomain::kClosed ||
        index == kThreadIndexCount) [[unlikely]] {
      if (!domain.is_outermost(index)) return;
    }
    domain.announce(place);
    place_ = &place;
  }
  ~EpochGuard() {
    if (place_ != nullptr) [[likely]] {
      // Release: partner of the load in `noted_in`; what was read here is read before it is freed.
      place_->epoch.store(EpochDomain::kClosed, std::memory_order_release);
    } else if (thread_index() == kThreadIndexCount) {
      domain_.close_shared();
    }
  }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

 private:
  EpochDomain& domain_;
  EpochDomain::Place* place_ = nullptr;  // Null where another guard keeps the place open.
};

}  // namespace ashlar::base
