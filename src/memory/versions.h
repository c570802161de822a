/// \file
/// Commit sequences and the snapshots that hold on to old versions.
///
/// A sequence is drawn when somebody looks: taking a snapshot ends the current sequence and starts
/// the next. All commits between two snapshots share one, since nothing can tell them apart, and so
/// a write only reads this line and never stores to it (docs/decisions/0003-sequences.md).
///
/// A writer reads `current` after it has locked its buckets and stamps its records with it. A
/// snapshot at sequence s raises `current` to s + 1 first and reads afterwards. Both are
/// sequentially consistent, so either the writer sees s + 1 and its records are newer than the
/// snapshot, or the snapshot's reads see the writer's locks and wait for its records.
///
/// Invariants:
///   C3 of storage_engine.h: `current` never goes back, and every sequence up to it has been used.
///   V1  `newest_live` is at least the sequence of every snapshot that is held, before the sequence
///       after it can be seen.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/thread_safety.h"
#include "engine/view.h"
#include "memory/record.h"
#include "os/clock.h"

namespace ashlar::memory {

/// Threads: thread-safe.
class Versions {
 public:
  /// The sequence that commits made now belong to.
  Sequence current() const noexcept { return current_.load(std::memory_order_seq_cst); }

  /// The newest snapshot held, or 0. A version that was written at `stamp` and replaced now is
  /// still needed exactly if this is `stamp` or more.
  Sequence newest_live() const noexcept { return newest_live_.load(std::memory_order_seq_cst); }

  /// Takes a snapshot of all commits that have returned, at the time that `clock` tells: snapshots
  /// that a caller of `live` does not see were taken no earlier than that call. Returns nullopt
  /// when sequences have run out. May throw bad_alloc, with nothing changed.
  std::optional<engine::View> acquire(const os::Clock& clock);

  /// Releases one snapshot at `sequence`.
  void release(Sequence sequence) noexcept;

  /// The sequences of all snapshots held, ascending. May throw bad_alloc.
  std::vector<Sequence> live() const;

  std::size_t live_count() const noexcept;
  TimeMs oldest_taken_at_ms() const noexcept;  ///< kNever when none is held.

  /// How many snapshots have been released so far: tells whether a look for garbage is worth it.
  std::uint64_t released_count() const noexcept {
    return released_count_.load(std::memory_order_relaxed);
  }

 private:
  // Read by every write, stored to by snapshots only. A line of their own, or the mutex and the map
  // below would take it away from the writers.
  alignas(64) std::atomic<Sequence> current_{1};
  std::atomic<Sequence> newest_live_{0};  // Beside it, since a writer reads both.

  alignas(64) mutable base::Mutex mutex_;
  std::map<Sequence, TimeMs> live_ ASHLAR_GUARDED_BY(mutex_);  // When each was taken.
  std::atomic<std::uint64_t> released_count_{0};
};

}  // namespace ashlar::memory
