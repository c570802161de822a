/// \file
/// What the tools of a directory say about it, as plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/operation.h"
#include "log/log.h"

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

/// The log from the origin of the checkpoint on.
struct LogFigures {
  std::uint64_t segment_count = 0;
  std::uint64_t first_segment = 0;  ///< Their numbers; 0 without any.
  std::uint64_t last_segment = 0;
  std::uint64_t segment_file_bytes = 0;
  std::uint64_t ring_bytes = 0;
  log::Position first = 0;   ///< Where the segments begin.
  log::Position begin = 0;   ///< Where reading began: the origin.
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
  std::optional<CheckpointFigures> checkpoint;
  LogFigures log;
  std::uint64_t checked_bytes = 0;  ///< Of all files that were read.
  std::vector<Damage> damages;
  std::vector<Remark> remarks;

  bool is_sound() const noexcept { return damages.empty(); }
};

}  // namespace ashlar::db
