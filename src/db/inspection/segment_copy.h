/// \file
/// The bytes of a segment that is written anew, from where a survey found them.
///
/// Invariants:
///   I6 in repair_plan.h: a segment is copied whole, as the plan has it, or not at all
#pragma once

#include <string_view>

#include "ashlar/result.h"
#include "db/inspection/repair_plan.h"
#include "os/file.h"

namespace ashlar::db {

/// Copies what `segment` is to hold into `to`, behind its header, from the segments of `run` and
/// the `ring`.
///
/// Errors: kCorruption  they have less than the plan says: names the segment and the place
///         kIo, kOutOfSpace
/// Cost:   holds a mebibyte at a time of what comes from segments
Result<void> copy_segment(const NewSegment& segment, const log::SegmentSet& run,
                          std::string_view ring, os::File& to);

}  // namespace ashlar::db
