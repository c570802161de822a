/// \file
/// All that is in a log directory, sound or not: which segments follow each other, what a lost
/// header must have said, how far the frames go and what lies behind them.
///
/// Invariants:
///   I1 of inspect.h
///   I2  A header is only made up where its neighbours, or frames that prove valid under it, leave
///       no other.
///   I9  A segment that lost what it had made durable is damaged, even when the ring has it whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "db/inspection/report.h"
#include "log/log_reader.h"
#include "log/ring.h"
#include "log/segment.h"
#include "os/file.h"

namespace ashlar::db {

/// One file with the name of a segment.
struct SurveyedSegment {
  enum class Header : std::uint8_t {
    kGood,
    kInferred,     ///< Damaged, but no other could have stood there (I2).
    kLost,         ///< Damaged, and nothing tells what it was.
    kInTheMaking,  ///< None yet.
  };

  std::string path;
  std::uint64_t number = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t told_bytes = 0;  ///< Of the file, as a good header tells; 0 otherwise.
  Header state = Header::kLost;
  log::SegmentHeader header;  ///< With no more bytes than the file has.

  bool is_short() const noexcept { return file_bytes < told_bytes; }

  /// Where the next one begins, even when this file is too short. `header` must be known.
  log::Position told_end() const noexcept {
    return is_short() ? header.first + told_bytes - os::kBlockBytes : header.end();
  }
  bool is_known() const noexcept { return state == Header::kGood || state == Header::kInferred; }
};

/// How far the frames go from some place on.
struct LogWalk {
  std::size_t run = 0;  ///< Index in LogSurvey::runs().
  log::Start begin;
  log::Start end;
  log::Position segments_end = 0;  ///< What lies behind is in the ring only.
  std::uint64_t frame_count = 0;
  std::uint64_t torn_bytes = 0;
  engine::TimeMs moment_ms = 0;
  bool is_closed = false;
  std::optional<Damage> damage;  ///< Why it ends, when that is not the end of the log.
  std::optional<Damage> healed;  ///< Of segments, where the ring has all that was lost.
  bool is_cut = false;           ///< There are later segments, behind a gap.

  bool is_whole() const noexcept { return !damage && !is_cut; }
};

/// Frames that are whole and follow nothing.
struct LaterFrames {
  std::uint64_t frame_count = 0;
  std::uint64_t bytes = 0;
  std::uint64_t first_commit = 0;
  std::uint64_t last_commit = 0;
  log::Position first = 0;
};

/// Threads:  externally synchronised.
/// Lifetime: the disk must outlive it.
class LogSurvey {
 public:
  LogSurvey() = default;  ///< Of a directory that is empty.

  /// Looks at `directory`; one that is missing is an empty one.
  ///
  /// Errors: kIo
  static Result<LogSurvey> make(os::Disk& disk, const std::string& directory);

  const std::string& directory() const noexcept { return directory_; }
  const std::vector<SurveyedSegment>& segments() const noexcept { return segments_; }

  /// Segments that follow each other without a gap, in the order of their numbers.
  const std::vector<log::SegmentSet>& runs() const noexcept { return runs_; }

  /// The content of the ring, as far as it is one; empty without any.
  const std::string& ring() const noexcept { return ring_.bytes; }
  bool has_ring() const noexcept { return ring_.is_there; }
  std::uint64_t ring_file_bytes() const noexcept { return ring_.file_bytes; }
  std::string ring_path() const { return directory_ + "/ring"; }

  /// The run that holds `position`, or ends there; the last of two. Returns: nullopt without any
  std::optional<std::size_t> find_run(log::Position position) const noexcept;

  /// Reads every frame from `start` on. Returns: nullopt when no run holds it
  ///
  /// Errors: kIo
  Result<std::optional<LogWalk>> walk(const log::Start& start) const;

  /// The first place where a run can be read from: before its first valid frame, the last run's if
  /// no other is asked for. Returns: nullopt when there is no frame
  ///
  /// Errors: kIo
  Result<std::optional<log::Start>> first_frame(std::size_t run) const;

  /// Reads the frames of the run before `origin`, which nothing needs, up to it.
  ///
  /// Returns: what is wrong with them, and whether the origin then is no place between two frames
  /// Errors:  kIo
  struct Before {
    std::string what;  ///< Empty: nothing.
    bool is_foreign = false;
  };
  Result<Before> judge_before(std::size_t run, const log::Start& origin) const;

  /// Counts the whole frames behind `position` of `run`, in later runs and in the ring.
  ///
  /// Errors: kIo
  Result<LaterFrames> count_later(std::size_t run, log::Position position) const;

  /// What is wrong with the files from the run of `position` on, or with all of them when no run
  /// holds it; and what is odd before it.
  void judge_files(log::Position position, DirectoryReport& report) const;

 private:
  explicit LogSurvey(std::string directory) : directory_(std::move(directory)) {}

  Result<void> read_segments(os::Disk& disk);
  Result<void> infer_headers(os::Disk& disk, std::vector<log::SegmentFile>& files);
  void join_runs(std::vector<log::SegmentFile>& files);
  log::Tail tail_of(std::size_t run) const noexcept;
  std::optional<Damage> find_healed(const LogWalk& walk, log::Position ring_frame_end,
                                    log::Position durable) const;
  void judge_segment(std::size_t index, std::uint64_t first_needed, DirectoryReport& report) const;
  void judge_neighbours(std::size_t index, DirectoryReport& report) const;

  std::string directory_;
  std::vector<SurveyedSegment> segments_;
  std::vector<log::SegmentSet> runs_;
  log::RingImage ring_;
};

}  // namespace ashlar::db
