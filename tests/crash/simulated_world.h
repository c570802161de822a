/// \file
/// A database on a simulated disk, small enough that every call of a script can be the last.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "acknowledged.h"
#include "ashlar/db.h"
#include "campaign_engine.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "os/disk.h"
#include "os/manual_clock.h"

namespace ashlar::crash {

/// Which engine, and how large the files of its log are.
struct Setting {
  Engine engine = Engine::kMemory;
  std::uint64_t segment_bytes = std::uint64_t{32} << 10U;
  std::size_t ring_bytes = std::size_t{16} << 10U;
};

/// The time at which a database is opened again: all that is short-lived is gone.
inline constexpr std::int64_t kLaterMs = 2'000'000;

/// Opens the database at `disk`. Everything happens in the calling thread, in the same order each
/// time.
inline Result<Db> open_at(os::Disk& disk, const os::Clock& clock, const Setting& setting = {}) {
  const Options options = options_for("/data", setting.engine);
  db::Environment environment = db::in_calling_thread(
      disk, clock, {.segment_bytes = setting.segment_bytes, .ring_bytes = setting.ring_bytes});
  environment.disk_engine = tiny_settings(options);
  return db::Access::open(options, environment);
}

/// Bugs of a database that can be planted by using it wrongly.
enum class Misuse : std::uint8_t {
  kNone,
  kAckBeforeSync,  ///< What should survive a power cut is acknowledged before it does.
  kBatchInParts,   ///< A batch is one commit for each of its operations.
};

/// Makes `step` in `db`, as `misuse` has it. Returns whether it was acknowledged.
inline bool run_misused_step(Db& db, Script::Step step, Misuse misuse) {
  if (misuse == Misuse::kAckBeforeSync) step.durability = Durability::kProcess;
  if (misuse != Misuse::kBatchInParts || !step.is_batch) return run_step(db, step);
  Script::Step part = step;
  part.is_batch = false;
  for (const auto& write : step.writes) {
    part.writes = {write};
    if (!run_step(db, part)) return false;
  }
  return true;
}

/// How far a script came.
struct Progress {
  std::uint64_t acknowledged_count = 0;
  std::uint64_t durable_count = 0;  ///< Everything up to here was acknowledged at kDisk.
};

/// Runs `step_count` steps of `script`, until one is not acknowledged. Now and then the work of the
/// background is done. Once the machine has stopped, which `is_over` tells, an acknowledgement
/// reaches nobody.
inline Progress run_script(
    os::Disk& disk, const os::Clock& clock, const Setting& setting, Script script,
    std::uint64_t step_count, Misuse misuse = Misuse::kNone,
    const std::function<bool()>& is_over = [] { return false; }) {
  constexpr std::uint64_t kStepsPerMaintenance = 16;
  Progress progress;
  auto db = open_at(disk, clock, setting);
  if (!db) return progress;
  for (std::uint64_t i = 0; i < step_count; ++i) {
    if (i % kStepsPerMaintenance == 0) db::Access::engine(*db).maintain();
    const Script::Step step = script.next();
    if (!run_misused_step(*db, step, misuse) || is_over()) break;
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
