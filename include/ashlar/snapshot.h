/// \file
/// A moment of the database that reads can be made at.
#pragma once

#include <cstdint>

namespace ashlar {

namespace engine {
class StorageEngine;
}

/// The position of a commit in the order of all commits. Later commits have no smaller one.
using Sequence = std::uint64_t;

/// Holds on to the state of the database at the moment it was taken, in sequence and in time: a key
/// that expires later is still there for reads at this snapshot.
///
/// While it lives, the versions that it sees are kept in memory; `Stats::oldest_snapshot_ms` tells
/// for how long the oldest one has been held.
///
/// Threads:  immutable; reads at one snapshot may come from many threads.
/// Lifetime: must not outlive its `Db` (asserted when the `Db` goes).
class Snapshot {
 public:
  Snapshot(Snapshot&& other) noexcept;
  Snapshot& operator=(Snapshot&& other) noexcept;
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { release(); }

  /// Lets go early. Reads at a released snapshot fail with kInvalidArgument.
  void release() noexcept;

  /// Commits up to this one are seen, later ones are not.
  Sequence sequence() const noexcept { return sequence_; }

  /// When it was taken, in milliseconds since 1970-01-01 UTC on the clock of the database.
  std::int64_t taken_at_ms() const noexcept { return taken_at_ms_; }

 private:
  friend class Db;
  Snapshot(engine::StorageEngine& engine, Sequence sequence, std::int64_t taken_at_ms) noexcept
      : engine_(&engine), sequence_(sequence), taken_at_ms_(taken_at_ms) {}

  engine::StorageEngine* engine_;  // Null once released.
  Sequence sequence_;
  std::int64_t taken_at_ms_;
};

}  // namespace ashlar
