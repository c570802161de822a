/// \file
/// The snapshots that are held: which state each sees, by its sequence.
///
/// Invariants:
///   V32  Snapshots of one sequence see the same rows, so that one state serves them all.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "base/ref.h"
#include "base/thread_safety.h"
#include "engine/operation.h"
#include "engine/view.h"
#include "lsm/state.h"

namespace ashlar::lsm {

/// Threads: thread-safe.
class Snapshots {
 public:
  /// Takes part in holding `state` for a snapshot at `view`.
  void add(const engine::View& view, base::Ref<const State> state);

  /// The state of a snapshot that is held.
  ///
  /// Lifetime: until the snapshot is released
  const State& state_at(Sequence sequence) const;

  void remove(Sequence sequence) noexcept;

  /// A walk that holds a state of its own begins, and has ended.
  void begin_walk();
  void end_walk() noexcept;

  /// Snapshots and walks.
  std::size_t count() const noexcept;

  /// When the oldest snapshot was taken; nullopt without any.
  std::optional<engine::TimeMs> oldest_ms() const noexcept;

 private:
  struct Held {
    base::Ref<const State> state;
    std::size_t count = 0;
    engine::TimeMs taken_at_ms = 0;  // Of the first.
  };

  mutable base::Mutex mutex_;
  std::map<Sequence, Held> held_ ASHLAR_GUARDED_BY(mutex_);
  std::size_t snapshot_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::size_t walk_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace ashlar::lsm
