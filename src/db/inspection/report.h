/// \file
/// What the tools of a directory say about it, as plain data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/options.h"
#include "engine/operation.h"
#include "log/log.h"
#include "lsm/version.h"

namespace ashlar::db {

/// Something that is not as it must be.
struct Damage {
  std::string path;
  std::uint64_t offset = 0;
  std::string what;
};

/// Something worth knowing that does no harm.
struct Remark {
  std::string path;
  std::string what;
};

/// The checkpoint that counts.
struct CheckpointFigures {
  std::uint64_t number = 0;
  std::uint64_t row_count = 0;  ///< That could be read.
  std::uint64_t file_bytes = 0;
  log::Position origin = 0;
  log::Position end = 0;
  engine::TimeMs moment_ms = 0;  ///< When it was begun.
};

/// The tables of one level, as the manifest tells.
struct LevelFigures {
  std::uint64_t table_count = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t row_count = 0;  ///< Erases included.
  std::uint64_t erase_count = 0;
};

/// The manifest that counts, and its tables.
struct TableFigures {
  std::uint64_t manifest_number = 0;
  std::uint64_t manifest_bytes = 0;
  std::uint64_t next_file_number = 0;
  std::uint64_t last_sequence = 0;
  log::Position origin = 0;             ///< Where the log goes on.
  std::uint64_t sound_table_count = 0;  ///< Of which every row can be read.
  std::uint64_t stranger_count = 0;     ///< Files of tables that it does not name.
  std::array<LevelFigures, lsm::kLevelCount> levels = {};

  LevelFigures total() const noexcept {
    LevelFigures sum;
    for (const LevelFigures& level : levels) {
      sum.table_count += level.table_count;
      sum.file_bytes += level.file_bytes;
      sum.row_count += level.row_count;
      sum.erase_count += level.erase_count;
    }
    return sum;
  }
};

/// Files with values that stand apart from their rows, but for the log.
struct ValueFigures {
  std::uint64_t file_count = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t live_bytes = 0;  ///< Of values that tables refer to.
};

/// What is kept of the log for those who follow it.
struct HistoryFigures {
  std::uint64_t segment_count = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t oldest_commit = 0;  ///< All from it on can be read; 0 when that is not so.
};

/// The log from the place on where the checkpoint or the tables leave off.
struct LogFigures {
  std::uint64_t segment_count = 0;
  std::uint64_t first_segment = 0;  ///< Their numbers; 0 without any.
  std::uint64_t last_segment = 0;
  std::uint64_t segment_file_bytes = 0;
  std::uint64_t ring_bytes = 0;
  log::Position first = 0;   ///< Where the segments begin.
  log::Position begin = 0;   ///< Where reading began: there.
  log::Position end = 0;     ///< Behind the last frame that follows.
  std::uint64_t commit = 0;  ///< Of that frame.
  std::uint64_t frame_count = 0;
  std::uint64_t torn_bytes = 0;
  std::uint64_t later_frame_count = 0;  ///< Whole, and behind the end.
  engine::TimeMs moment_ms = 0;         ///< About when the last commit was made; 0 without any.
  bool is_closed = false;               ///< In order.
};

/// Everything that looking at a directory has found.
struct DirectoryReport {
  std::string path;
  std::string format;  ///< What the file says, without the end of the line.
  Engine engine = Engine::kMemory;
  std::optional<CheckpointFigures> checkpoint;  ///< Of the memory engine.
  std::optional<TableFigures> tables;           ///< Of the disk engine.
  std::optional<ValueFigures> values;           ///< Likewise, where there are any.
  std::optional<HistoryFigures> history;        ///< Where there is any.
  LogFigures log;
  std::uint64_t checked_bytes = 0;  ///< Of all files that were read.
  std::vector<Damage> damages;
  std::vector<Remark> remarks;

  bool is_sound() const noexcept { return damages.empty(); }
};

}  // namespace ashlar::db
