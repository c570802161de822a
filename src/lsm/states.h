/// \file
/// Which state is the current one. Readers find it by one load inside a guard; whoever needs it for
/// longer holds it.
///
/// Invariants:
///   V15  A state that a guard could have seen, or that is held, stays as it is until both have
///       gone; so do its memtables and tables.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "base/assert.h"
#include "base/epoch.h"
#include "base/ref.h"
#include "base/thread_safety.h"
#include "lsm/state.h"

namespace ashlar::lsm {

/// Threads:  thread-safe.
/// Lifetime: `domain` must outlive it, and no guard may be open in the end.
class States {
 public:
  States(base::EpochDomain& domain, base::Ref<State> first) noexcept;
  ~States();
  States(const States&) = delete;
  States& operator=(const States&) = delete;

  /// The current state. The caller is inside a guard of the domain.
  ///
  /// Lifetime: that of the guard
  const State& current() const noexcept {
    // Acquire: partner of the release in `publish`.
    return *current_.load(std::memory_order_acquire);
  }

  /// The current state, for longer.
  ///
  /// Cost: a short lock
  base::Ref<const State> hold() const {
    return hold_with([] {});
  }

  /// The same, with `note()` called while no other state can become current: what it reads belongs
  /// to the state.
  template <typename Note>
  base::Ref<const State> hold_with(Note note) const {
    const base::MutexLock lock(mutex_);
    note();
    return base::Ref<const State>(&latest());
  }

  /// Makes the next state: a copy of the current one that `change(State&)` has been at.
  ///
  /// Cost: a reference to each memtable; the barrier of `EpochDomain::collect`
  template <typename Change>
  void change(Change change) {
    {
      const base::MutexLock lock(mutex_);
      auto next = base::make_ref<State>(latest());
      change(*next);
      publish(std::move(next));
    }
    domain_.collect();
  }

  /// Frees the states before that nobody sees any more, with their memtables and tables.
  ///
  /// Returns: how many things of the domain are still waiting for readers
  std::size_t collect() {
    domain_.collect();
    return domain_.retired_count();
  }

 private:
  const State& latest() const noexcept ASHLAR_REQUIRES(mutex_) {
    // Relaxed: written under the mutex only.
    const State* const state = current_.load(std::memory_order_relaxed);
    ASHLAR_ASSERT(state != nullptr, "V15: there is always a current state");
    return *state;
  }
  void publish(base::Ref<State> next) noexcept ASHLAR_REQUIRES(mutex_);

  base::EpochDomain& domain_;
  mutable base::Mutex mutex_;
  std::atomic<State*> current_{nullptr};  // Written under the mutex; owned by its own `self_`.
};

}  // namespace ashlar::lsm
