/// \file
/// Decides what a repair keeps: the newest checkpoint, or what is left of it, or the tables, and
/// the longest sound prefix of the log behind it.
///
/// Invariants:
///   I6  No commit is kept without all those before it that the log had from the place where
///       reading begins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "db/inspection/inspect.h"
#include "db/inspection/repair_steps.h"
#include "db/inspection/table_plan.h"

namespace ashlar::db {

/// A segment to be written anew.
struct NewSegment {
  std::string name;
  log::SegmentHeader header;
  std::optional<std::size_t> run;  ///< Of the survey, where its bytes come from; none: it is empty.
  log::Position from_segments = 0;  ///< The run's bytes up to here,
  log::Position from_ring = 0;      ///< the ring's from there to here, and zeros.
};

/// A checkpoint to be written anew.
struct NewCheckpoint {
  std::string name;
  std::string source;  ///< The path of the one whose rows it gets; empty: it has none.
  log::Start origin;
  log::Position end = 0;
  engine::TimeMs moment_ms = 0;
};

struct RepairPlan {
  Engine engine = Engine::kMemory;  ///< Of the directory.
  std::vector<NewSegment> segments;
  std::optional<NewCheckpoint> checkpoint;  ///< Of the memory engine.
  std::optional<NewManifest> manifest;      ///< Of the disk engine.
  std::optional<std::uint64_t> ring_bytes;  ///< Of a new, empty ring.
  std::vector<std::string> removed;
  std::vector<std::string> aside;   ///< Files that are there and are replaced or removed.
  std::vector<std::string> kept;    ///< Sentences: what the directory holds afterwards,
  std::vector<std::string> losses;  ///< and what it does not hold any more.

  RepairSteps steps() const;
};

/// The plan for a directory with damage.
///
/// Input:  new_log_id  of a log, or tables, that have to be begun anew; random
/// Errors: kIo
///         kUnavailable  as plan_tables
Result<RepairPlan> plan_repair(const Inspection& inspection, log::LogId new_log_id);

}  // namespace ashlar::db
