/// \file
/// Looks at everything in the directory of a database that nobody has open, and changes nothing.
///
/// Invariants:
///   I1  Nothing in the directory is changed by looking at it.
///   I3  A directory without damage opens, and one that does not open for what is stored in it has
///       damage. One with damage that opens has lost nothing by it, and has none when it is closed;
///       but for the blocks of tables, which an opening does not read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "db/directory.h"
#include "db/format_file.h"
#include "db/inspection/log_survey.h"
#include "db/inspection/report.h"
#include "db/inspection/table_survey.h"
#include "engine/log_place.h"
#include "memory/checkpoint/checkpoint_reader.h"

namespace ashlar::db {

/// A checkpoint by its name, and what is left of it.
struct FoundCheckpoint {
  std::uint64_t number = 0;
  std::string path;
  memory::CheckpointSalvage salvage;

  bool is_sound() const noexcept { return salvage.damages.empty(); }
  log::Start origin() const noexcept {
    const engine::LogPlace& place = salvage.report.origin;
    return {.position = place.position, .chain = place.chain, .commit = place.commit};
  }
};

/// What an opening begins from: the newest checkpoint, or the newest manifest.
struct FoundBase {
  std::string path;
  std::optional<log::Start> origin = {};  ///< Where the log goes on; none: that is damaged.
  log::Position end_min = 0;              ///< The log went so far when it was made.
};

/// What repair needs besides the report.
struct Inspection {
  DirectoryReport report;
  FormatFile format;
  std::vector<FoundCheckpoint> checkpoints;  ///< The newest first; of the memory engine.
  TableSurvey tables;                        ///< Of the disk engine.
  std::optional<FoundBase> base;
  LogSurvey log;
  log::Start start;             ///< Where an opening would begin to read, or as near as can be.
  std::optional<LogWalk> walk;  ///< From there.
  bool is_foreign_log = false;  ///< The base belongs to another one.

  Engine engine() const noexcept { return report.engine; }
};

/// Where repair puts what it does not keep: "0000000001.aside".
inline constexpr std::string_view kAsideSuffix = ".aside";

/// Its name while a repair fills it. Only what is complete has a number, so that no repair ever
/// writes into what another has put aside.
inline constexpr std::string_view kUnfinishedAsideName = "unfinished.aside";

/// What the names of files end in that a repair has made and not yet put in their place.
inline constexpr std::string_view kRepairedSuffix = ".repaired";

/// Inspects `directory`, which the caller holds (Directory::open_as_is).
///
/// Errors: kIo               a file cannot be read
///         kInvalidArgument  the directory is of another format, or nothing tells of which engine
///         kUnavailable      a table is of a later version
/// Cost:   reads every byte of it
Result<Inspection> inspect(os::Disk& disk, const Directory& directory);

}  // namespace ashlar::db
