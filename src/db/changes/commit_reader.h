/// \file
/// Reads the commits of a log behind any of them, from segments that are still in it or were kept,
/// while the log goes on.
///
/// Invariants:
///   J4  Commits come in their order, each once and none left out, and none that is not before the
///       end that the caller names: what a crash can take away is never handed out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "db/changes/segment_trail.h"
#include "log/local_log.h"
#include "log/log_reader.h"

namespace ashlar::db {

/// Threads:  externally synchronised; the log may go on meanwhile.
/// Lifetime: the disk must outlive it.
class CommitReader {
 public:
  /// An end for those who read a log that nobody writes, as far as its segments have it.
  static constexpr log::Position kNoEnd = UINT64_MAX;

  /// Reads segments in `folders`, as SegmentTrail does.
  CommitReader(os::Disk& disk, std::vector<std::string> folders);

  /// Up to where a log may be read whose newest segments are in the folder `log`, whoever has it
  /// open: as its ring tells, or kNoEnd without a ring.
  ///
  /// Errors: kIo
  Result<log::Position> find_end(const std::string& log);

  /// Looks for what comes next in the memory of `log` first, which is the one that is read. It must
  /// outlive the reader.
  void look_into(const log::LocalLog& log) noexcept { log_ = &log; }

  /// The first commit that can be read is the one behind `after`.
  ///
  /// Errors: kUnavailable  there is none; kIo
  Result<std::uint64_t> find_oldest(log::Position end);

  /// Goes behind the commit `after`; to the end if it is not there yet.
  ///
  /// Errors: kUnavailable  what follows it is no longer there: names the oldest commit that is
  ///         kCorruption, kIo
  Result<void> seek(std::uint64_t after, log::Position end);

  /// The next frame of a commit that ends at or before `end`, between two frames.
  ///
  /// Returns: nullopt when there is none; the frame lives until the next call
  /// Errors:  kUnavailable  it is no longer there: names the oldest commit that is
  ///          kCorruption   with an `end`: what is before it cannot be read: names file and offset
  ///          kIo
  Result<std::optional<log::Frame>> next(log::Position end);

  /// The same, with the frames that close the log and tell of no commit.
  ///
  /// Errors: as `next`
  Result<std::optional<log::Frame>> next_of_any_kind(log::Position end);

  /// Of which log it is; nullopt before anything was found.
  std::optional<log::LogId> log_id() const noexcept;

  /// Goes to a place between two frames, which the log still has.
  ///
  /// Errors: kUnavailable  it has given it up meanwhile
  ///         kCorruption, kIo
  Result<void> begin_at(log::Start start);

  /// Behind what was read last.
  const log::Start& at() const noexcept { return at_; }

 private:
  Result<std::optional<log::Start>> begin_of(std::uint64_t number, log::Position end) const;
  Result<std::uint64_t> number_before(std::uint64_t after, log::Position end) const;
  Result<bool> open_window(std::uint64_t number, log::Position end);
  bool renew_reader(log::Position end);
  std::uint64_t number_at() const noexcept;
  Result<std::optional<log::Frame>> next_frame(log::Position end);
  Result<std::optional<log::Frame>> next_in_files(log::Position end);
  std::optional<log::Frame> next_in_memory(log::Position end);
  std::string_view recent(std::size_t bytes, log::Position end);
  void pass(const log::Frame& frame) noexcept;
  Error gone(log::Position end);

  os::Disk& disk_;
  SegmentTrail trail_;
  const log::LocalLog* log_ = nullptr;  // Null where it is not in this process.
  std::string recent_;                  // Bytes of its memory from recent_begin_ on.
  log::Position recent_begin_ = 0;
  log::Start at_;
  std::uint64_t number_ = 0;  // Of the first segment of the window.
  log::SegmentSet window_;
  std::unique_ptr<log::LogReader> reader_;  // Of the window; null when it has to be made anew.
  log::Position known_end_ = 0;  // What the reader has read of the bytes behind it may be old.
};

}  // namespace ashlar::db
