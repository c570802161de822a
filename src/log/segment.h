/// \file
/// The files that hold the log: equal pieces of the endless string, numbered in order.
///
/// A segment is one block of header and then the bytes of the log from `first` on. It is allocated
/// ahead, and zeroed unless it will be written in long pieces, so that a write to it changes
/// nothing but content; and is used again under the next number when the log has been truncated
/// beyond it. Layout: docs/formats/log.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "log/frame.h"
#include "os/file.h"

namespace ashlar::log {

/// What the header of a segment tells.
struct SegmentHeader {
  LogId log_id = 0;
  std::uint64_t number = 0;
  Position first = 0;           ///< A multiple of os::kBlockBytes.
  std::uint64_t log_bytes = 0;  ///< Of the log, in this segment; likewise.

  Position end() const noexcept { return first + log_bytes; }
};

/// The header as the first block of the file.
std::string encode_segment_header(const SegmentHeader& header);

/// Returns: nullopt when `block` is no valid header of this or an earlier version
std::optional<SegmentHeader> decode_segment_header(std::string_view block) noexcept;

/// Where in its file the byte at `position` lies.
constexpr std::uint64_t offset_in_segment(const SegmentHeader& header, Position position) noexcept {
  return os::kBlockBytes + (position - header.first);
}

/// The name of the segment `number`: "0000000042.log".
std::string segment_name(std::uint64_t number);

/// Returns: nullopt when `name` is not that of a segment
std::optional<std::uint64_t> segment_number(std::string_view name);

/// A file with the name of a segment, whatever is in it.
struct SegmentFile {
  std::uint64_t number = 0;
  std::uint64_t file_bytes = 0;
  std::unique_ptr<os::File> file;       ///< Open for reading.
  std::optional<SegmentHeader> header;  ///< Absent: damaged, or that of another number.
  SegmentHeader claimed;                ///< What stands where a header has it, proved or not.

  /// The last segment without a good header, being new or an old one under its next name: it was
  /// being made when the machine stopped, and that is normal.
  bool is_in_the_making = false;
};

/// All segments in `directory` by their names, ascending.
///
/// Errors: kIo
Result<std::vector<SegmentFile>> list_segments(os::Disk& disk, const std::string& directory);

/// A segment found on disk, open for reading.
struct FoundSegment {
  SegmentHeader header;
  std::unique_ptr<os::File> file;
};

/// The segments of one directory as they are found on opening.
class SegmentSet {
 public:
  /// Looks at every segment in `directory` and keeps the last ones that follow each other without a
  /// gap. What is before a gap is either old, its removal having become durable in part, or the
  /// opening finds that it is missing.
  ///
  /// Errors: kIo          a file cannot be read
  ///         kCorruption  the header of the last segment is damaged; one that may have been in the
  ///                      making is passed over instead (see SegmentFile::is_in_the_making)
  static Result<SegmentSet> scan(os::Disk& disk, const std::string& directory);

  /// Adds the segment behind the others.
  void add(FoundSegment segment) { segments_.push_back(std::move(segment)); }

  /// The set of `segments`, each of which begins where the one before ends.
  static SegmentSet of(std::vector<FoundSegment> segments);

  bool empty() const noexcept { return segments_.empty(); }
  const std::vector<FoundSegment>& segments() const noexcept { return segments_; }

  /// The path of a segment with a damaged header, before a gap; empty when there is none.
  const std::string& damaged() const noexcept { return damaged_; }

  /// The paths of sound segments before a gap.
  const std::vector<std::string>& stale() const noexcept { return stale_; }

  Position first() const noexcept { return segments_.front().header.first; }
  Position end() const noexcept { return segments_.back().header.end(); }

  /// Reads up to `to.size()` bytes of the log from `position` on, which is at or after `first()`.
  ///
  /// Returns: how many; fewer only at `end()`
  /// Errors:  kIo; kCorruption when a file is shorter than its header says
  Result<std::size_t> read(Position position, std::span<char> to) const;

  struct Place {
    std::string path;
    std::uint64_t offset = 0;
  };

  /// Where in which file `position` lies. Returns: nullopt when no segment holds it
  std::optional<Place> find_place(Position position) const;

  /// The file and the offset in it at which `position` lies, for messages: "0000000042.log at
  /// 4096".
  std::string place_of(Position position) const;

 private:
  std::vector<FoundSegment> segments_;  // Ascending, each beginning where the one before ends.
  std::string damaged_;
  std::vector<std::string> stale_;

  void forget_segments();
};

}  // namespace ashlar::log
