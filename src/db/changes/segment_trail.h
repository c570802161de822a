/// \file
/// The segments of one log wherever they lie: in its own folder, and in the one with those that it
/// has given up (history.h). They are found by their numbers, and opened a few at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "log/segment.h"
#include "os/disk.h"

namespace ashlar::db {

/// Threads:  externally synchronised; the log may go on and give up segments meanwhile.
/// Lifetime: the disk must outlive it.
class SegmentTrail {
 public:
  /// So many segments are open at once: a frame of the largest size spans no more of them.
  static constexpr std::size_t kOpenMax = 32;

  /// A segment goes from the last of `folders` towards the first, and has its new name before the
  /// old one goes: so the last is looked into first, and what goes meanwhile is found behind it.
  /// In several folders it is the same. A folder that does not exist has none.
  SegmentTrail(os::Disk& disk, std::vector<std::string> folders);

  /// Looks which segments there are.
  ///
  /// Errors: kIo
  Result<void> refresh();

  /// Ascending without a gap, the newest of all included. Each had a file with its name when it was
  /// looked for; what is in the file is for `open_from` to find out.
  std::span<const std::uint64_t> numbers() const noexcept { return numbers_; }

  /// The segment `number` and those behind it, as far as their headers are good and each goes on
  /// where the one before ends.
  ///
  /// Input:   count_max  1 to kOpenMax
  /// Returns: an empty set when the segment is not there, or was used again
  /// Errors:  kIo
  Result<log::SegmentSet> open_from(std::uint64_t number, std::size_t count_max = kOpenMax) const;

 private:
  os::Disk& disk_;
  std::vector<std::string> folders_;
  std::vector<std::uint64_t> numbers_;
};

}  // namespace ashlar::db
