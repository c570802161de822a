/// \file
/// How a commit gets into a log: the engine asks for it at the one moment at which the commit takes
/// its place among all others.
#pragma once

#include <cstdint>

#include "ashlar/snapshot.h"
#include "engine/operation.h"

namespace ashlar::engine {

/// One commit on its way into a log.
class Commit {
 public:
  Commit() = default;
  Commit(const Commit&) = delete;
  Commit& operator=(const Commit&) = delete;

  /// The commit is about to be shown with `sequence`. Called with its keys locked, before it is
  /// appended, and once more with another sequence when this one is no longer the one to be used by
  /// the time that the call returns: src/txn/conflict_table.h tells what for. It may still come to
  /// nothing.
  virtual void announce(Sequence /*sequence*/) noexcept {}

  /// Puts the commit into the log. Called when nothing else can fail and no commit that touches the
  /// same keys can come between; the engine then makes the commit visible. So commits of a key lie
  /// in the log in the order in which they took effect. An engine that was told no may ask once
  /// more, by its other path for writes; one that was told yes does not ask again.
  ///
  /// Returns: false when the log does not take it now; the engine then undoes all that it prepared
  /// Cost:    locks of the engine are held meanwhile, so this waits for nothing that takes long
  virtual bool append() noexcept = 0;

  /// As `append`, in other words: the commit comes to no more than `put`, and the log is to have
  /// that. For an engine in whose files what an operation rests on, the row whose deadline it
  /// moves, may be gone before the operation is in them. May throw std::bad_alloc, and nothing has
  /// happened then.
  virtual bool append_as(const Operation& /*put*/) { return append(); }

  /// Whether it was made before and is replayed: what it says was decided then.
  virtual bool is_replayed() const noexcept { return false; }

  /// Whether values can be read from the log by where they stand in it (large_values.h).
  virtual bool has_position() const noexcept { return false; }

  /// Where in such a log the payload begins (operation_codec.h), once it was appended.
  virtual std::uint64_t payload_position() const noexcept { return 0; }

 protected:
  ~Commit() = default;
};

}  // namespace ashlar::engine
