/// \file
/// A piece of the log as a file of its own, for a copy of a database: one segment, which begins at
/// a place between two frames and ends as a log that was closed in order. An opening that begins at
/// that place takes it for the whole log, and needs no ring.
///
/// Every commit keeps its position and its number; frames are made anew, for another log if that is
/// wanted, and each says that all before it is durable. So nothing in such a segment is the torn
/// end of something: what cannot be read is damaged. Layout: docs/formats/log.md.
///
/// Invariants:
///   L11  A closed segment is read up to its close, or refused with the place where it breaks off.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "log/log_reader.h"
#include "log/segment.h"
#include "os/file.h"

namespace ashlar::log {

/// Which segment of which log it is.
struct SegmentIdentity {
  LogId log_id = 0;
  std::uint64_t number = 0;
};

/// Threads:  externally synchronised.
/// Lifetime: the disk must outlive it.
class ClosedSegmentWriter {
 public:
  /// Creates the file `path`, which must not exist, for what follows `begin`.
  ///
  /// Errors: kIo, kOutOfSpace
  static Result<std::unique_ptr<ClosedSegmentWriter>> create(os::Disk& disk,
                                                             const std::string& path,
                                                             const SegmentIdentity& identity,
                                                             const Start& begin);

  /// Adds a commit, which is the one after the last; or the close of a log that went on later.
  ///
  /// Errors: kIo, kOutOfSpace
  /// Cost:   a write once in a mebibyte
  Result<void> add(const Frame& frame);

  /// Writes the close and the header, and makes all of it durable but for the name.
  ///
  /// Errors: kIo, kOutOfSpace
  Result<void> finish();

  /// Behind the last commit.
  const Start& end() const noexcept { return at_; }

 private:
  ClosedSegmentWriter(std::unique_ptr<os::File> file, const SegmentIdentity& identity,
                      const Start& begin) noexcept;
  Result<void> append(const FrameHeader& header, std::string_view payload);
  Result<void> flush();

  const std::unique_ptr<os::File> file_;
  SegmentHeader header_;
  Start at_;
  std::string buffer_;         // What has not been written yet,
  Position buffer_begin_ = 0;  // from here on.
};

/// What a closed segment tells of itself.
struct ClosedSegment {
  SegmentHeader header;
  Start end;  ///< Behind the last commit.
};

/// Reads the closed segment `path` with this number from `begin` on.
///
/// Errors: kCorruption  it is missing or damaged, or does not hold `begin`: names file and offset
///         kIo; those of `visit`
Result<ClosedSegment> read_closed_segment(os::Disk& disk, const std::string& path,
                                          std::uint64_t number, const Start& begin,
                                          const std::function<Result<void>(const Frame&)>& visit);

}  // namespace ashlar::log
