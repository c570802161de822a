/// \file
/// A database on a simulated disk, small enough that every call of a script can be the last.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "acknowledged.h"
#include "ashlar/db.h"
#include "db/access.h"
#include "os/disk.h"
#include "os/manual_clock.h"

namespace ashlar::crash {

/// Opens the database at `disk`. Everything happens in the calling thread, in the same order each
/// time.
inline Result<Db> open_at(os::Disk& disk, const os::Clock& clock) {
  Options options;
  options.directory = "/data";
  options.memory_budget_bytes = std::size_t{16} << 20U;
  db::Environment environment;
  environment.clock = &clock;
  environment.hash_seed = 7;
  environment.has_background = false;
  environment.disk = &disk;
  environment.log.segment_bytes = std::size_t{32} << 10U;
  environment.log.ring_bytes = std::size_t{16} << 10U;
  environment.log.has_thread = false;
  return db::Access::open(options, environment);
}

/// How far a script came.
struct Progress {
  std::uint64_t acknowledged_count = 0;
  std::uint64_t durable_count = 0;  ///< Everything up to here was acknowledged at kDisk.
};

/// Runs `step_count` steps of `script`, until one is not acknowledged.
inline Progress run_script(os::Disk& disk, const os::Clock& clock, Script script,
                           std::uint64_t step_count) {
  Progress progress;
  auto db = open_at(disk, clock);
  if (!db) return progress;
  for (std::uint64_t i = 0; i < step_count; ++i) {
    const Script::Step step = script.next();
    if (!run_step(*db, step)) break;
    ++progress.acknowledged_count;
    if (step.durability == Durability::kDisk) progress.durable_count = i + 1;
  }
  return progress;
}

/// Whether `state` is that after some step of `script` from `least` to `most`.
inline bool is_state_of(const State& state, Script script, std::uint64_t least,
                        std::uint64_t most) {
  State expected;
  for (std::uint64_t i = 0; i <= most; ++i) {
    if (i >= least && expected == state) return true;
    apply_step(expected, script.next());
  }
  return false;
}

}  // namespace ashlar::crash
