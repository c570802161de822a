/// \file
/// Makes a damaged directory one that opens, with as much of what was in it as can be kept without
/// leaving a hole in the order of commits. Nothing is destroyed: what is not kept is copied into a
/// new directory inside this one first.
///
///     1  copy what will go into unfinished.aside, with a REPORT, and rename it NNNNNNNNNN.aside
///     2  write what takes its place, each file under its name and ".repaired"
///     3  write the steps to FORMAT          from here on no database opens the directory
///     4  take the steps                     (repair_steps.h)
///     5  make FORMAT good again
///
/// Invariants:
///   I4 to I6 in repair_steps.h and repair_plan.h
///   I7  Wherever a repair is stopped, the directory is as it was before, or refuses to open until
///       repair has been run again; that leads to the same end.
///   I8  What repair has left is sound.
#pragma once

#include <string>
#include <vector>

#include "ashlar/result.h"
#include "db/inspection/repair_plan.h"
#include "db/inspection/report.h"
#include "os/disk.h"

namespace ashlar::db {

enum class RepairMode : std::uint8_t {
  kPlan,  ///< Only tells what would be done, and changes nothing.
  kApply,
};

struct RepairOutcome {
  DirectoryReport before;
  /// With kPlan: what a repair that was stopped comes to first, "replace log/ring". All else is
  /// empty then: what is damaged shows only afterwards.
  std::vector<std::string> pending;
  bool was_taken_up = false;       ///< An earlier repair had been stopped; its rest was done first.
  std::string aside;               ///< The path of the new directory; empty when it was not needed.
  std::vector<std::string> moved;  ///< Names in the directory of what went there.
  std::vector<std::string> kept;   ///< As RepairPlan has them.
  std::vector<std::string> losses;
};

/// Repairs the directory `path`, which nobody has open. One that is sound stays as it is.
///
/// Input:  new_log_id  random, as for LocalLog
/// Errors: kUnavailable      somebody has it open: names the process
///         kInvalidArgument  it is no database, or of another format
///         kUnavailable      also: nothing tells which tables count
///         kIo, kOutOfSpace  repair can be run again
/// Cost:   reads every byte, and needs room on the disk for the files that it replaces
Result<RepairOutcome> repair(os::Disk& disk, const std::string& path, RepairMode mode,
                             log::LogId new_log_id);

}  // namespace ashlar::db
