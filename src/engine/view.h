/// \file
/// The moment at which a read is made.
#pragma once

#include <limits>

#include "ashlar/snapshot.h"
#include "engine/operation.h"

namespace ashlar::engine {

/// A moment in sequence and in time. A snapshot fixes both; a read at latest fixes neither: it sees
/// whatever is committed and judges deadlines by the clock.
struct View {
  static constexpr Sequence kLatestSequence = std::numeric_limits<Sequence>::max();

  Sequence sequence = kLatestSequence;
  TimeMs taken_at_ms = 0;  ///< When the snapshot was taken; not used by a read at latest.

  bool is_latest() const noexcept { return sequence == kLatestSequence; }
};

/// A read at the latest commit.
inline constexpr View kLatest{};

}  // namespace ashlar::engine
