/// \file
/// Locks of keys for transactions that would rather wait for one another than run again. Advisory:
/// only those who ask for a lock wait for it.
///
/// A key that is locked has a holder and a queue:
///
///     "counter"   held by A   waited for by B, then C    when A lets go B holds it, C waits on
///     "other"     held by C
///
/// A holder waits for one key at a time, so that from one who waits there is one way on: to the
/// holder of its key, who may wait for another. Those before it in the queue lead to that holder
/// too, so this walk meets every cycle. A cycle comes to be only when somebody begins to wait,
/// since a key passes to one who then waits for nothing: so whoever begins looks, and need not be
/// looked for later.
///
/// Invariants:
///   X5  A key has at most one holder, and passes on in the order in which it was asked for.
///   X6  Nobody waits for himself, over however many others.
///   X7  A key that is waited for has a holder; when that lets go, the first in the queue holds it
///       and is woken.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/thread_safety.h"

namespace ashlar::txn {

/// Threads:  thread-safe.
/// Lifetime: outlives its holders.
class KeyLocks {
 public:
  class Holder;
  using Deadline = std::chrono::steady_clock::time_point;
  /// For who does not want to wait at all.
  static constexpr Deadline kAtOnce{};

  enum class Outcome : std::uint8_t {
    kHeld,
    kDeadlock,  ///< Waiting would have closed a cycle.
    kTimedOut,
  };

  KeyLocks() noexcept = default;
  ~KeyLocks();
  KeyLocks(const KeyLocks&) = delete;
  KeyLocks& operator=(const KeyLocks&) = delete;

  /// How many keys are locked, and how many holders wait.
  struct Figures {
    std::size_t key_count = 0;
    std::size_t waiter_count = 0;
  };
  Figures figures() const noexcept;

  /// Walks everything and aborts when an invariant is broken.
  void check() const noexcept;

 private:
  /// One that waits, as long as it does.
  struct Waiter {
    explicit Waiter(Holder& its_holder) : holder(its_holder) {}

    Holder& holder;
    Waiter* next = nullptr;
    bool has_got_it = false;
    std::condition_variable_any woken;
  };

  struct Entry {
    std::string_view key;  // Of the map.
    Holder* holder = nullptr;
    Entry* next_held = nullptr;  // By the same holder.
    Waiter* first = nullptr;
    Waiter* last = nullptr;
  };

  Outcome lock(Holder& holder, std::string_view key, Deadline until);
  bool is_held_by(const Holder& holder, std::string_view key) const noexcept;
  void release(Holder& holder) noexcept;

  static bool closes_cycle(const Entry& entry, const Holder& holder) noexcept;
  static void give(Entry& entry, Holder& holder) noexcept;
  static void remove(Entry& entry, const Waiter& waiter) noexcept;
  Outcome wait(Entry& entry, Holder& holder, Deadline until) ASHLAR_REQUIRES(mutex_);
  void pass_on(Entry& entry) noexcept ASHLAR_REQUIRES(mutex_);
  void check_queue(const Entry& entry) const noexcept ASHLAR_REQUIRES(mutex_);

  mutable base::Mutex mutex_;  // A leaf: nothing is taken under it.
  std::map<std::string, Entry, std::less<>> entries_ ASHLAR_GUARDED_BY(mutex_);
};

/// One that holds locks: a transaction.
///
/// Threads: externally synchronised.
class KeyLocks::Holder {
 public:
  explicit Holder(KeyLocks& locks) noexcept : locks_(locks) {}
  ~Holder() { release(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  /// Waits for the lock of `key` until the moment `until`, in the order of asking; with kAtOnce it
  /// stands in no queue. What is held is got at once. May throw std::bad_alloc, and then has not
  /// got it.
  ///
  /// Cost: one short mutex that all share; an entry for a key that nobody holds
  Outcome lock(std::string_view key, Deadline until) { return locks_.lock(*this, key, until); }

  bool holds(std::string_view key) const noexcept { return locks_.is_held_by(*this, key); }
  bool is_empty() const noexcept { return held_ == nullptr; }

  /// Lets go of all. Cost: nothing where nothing is held.
  void release() noexcept {
    if (!is_empty()) locks_.release(*this);
  }

 private:
  friend class KeyLocks;

  KeyLocks& locks_;
  // Guarded by the mutex of `locks_`. Others change them only while this waits, so the holder
  // itself may read them without it.
  Entry* held_ = nullptr;          // The first of them.
  const Entry* wanted_ = nullptr;  // While it waits.
};

}  // namespace ashlar::txn
