/// \file
/// Reads of blocks inside of a guard, which go on when the cache has memory again.
///
/// What the cache evicts comes free when the guards that were open then are closed. A thread that
/// is interrupted inside of one holds all of it back, and on a busy machine that takes a while.
///
/// Invariants:
///   V49  A reader is not refused because another one has been interrupted: only when there has
///        been no memory for a second.
#pragma once

#include <chrono>
#include <thread>

#include "ashlar/result.h"
#include "base/epoch.h"

namespace ashlar::lsm {

/// Calls `read()`, which returns a Result, inside of a guard; again when it finds no memory, after
/// a pause with the guard closed.
///
/// Errors: those of `read`
template <typename Read>
auto read_guarded(base::EpochDomain& domain, Read read) -> decltype(read()) {
  constexpr auto kPause = std::chrono::microseconds(500);
  constexpr int kPauseCountMax = 2000;
  for (int pause_count = 0;; ++pause_count) {
    {
      const base::EpochGuard guard(domain);
      auto outcome = read();
      const bool is_short = !outcome && outcome.error().code() == ErrorCode::kOutOfSpace;
      if (!is_short || pause_count == kPauseCountMax) [[likely]]
        return outcome;
    }
    domain.collect();
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace ashlar::lsm
