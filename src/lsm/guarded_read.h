/// \file
/// Waiting for memory that readers hold back; and reads of blocks, which are such readers and wait
/// for each other.
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

/// Calls `attempt()`, which returns a Result, outside of any guard; again after a pause when it
/// finds no memory and `is_held_back()` says that readers may hold some of it.
///
/// Errors: those of `attempt`, after a second at the latest
template <typename Attempt, typename IsHeldBack>
auto wait_for_memory(base::EpochDomain& domain, Attempt attempt, IsHeldBack is_held_back)
    -> decltype(attempt()) {
  constexpr auto kPause = std::chrono::microseconds(500);
  constexpr int kPauseCountMax = 2000;
  for (int pause_count = 0;; ++pause_count) {
    auto outcome = attempt();
    const bool is_short = !outcome && outcome.error().code() == ErrorCode::kOutOfSpace;
    if (!is_short || pause_count == kPauseCountMax || !is_held_back()) [[likely]]
      return outcome;
    std::this_thread::sleep_for(kPause);
    domain.collect();
  }
}

/// Calls `read()` inside of a guard, which is closed in between.
///
/// Errors: as above
template <typename Read>
auto read_guarded(base::EpochDomain& domain, Read read) -> decltype(read()) {
  return wait_for_memory(
      domain,
      [&] {
        const base::EpochGuard guard(domain);
        return read();
      },
      [] { return true; });  // What the cache has evicted is in no list that could be asked.
}

}  // namespace ashlar::lsm
