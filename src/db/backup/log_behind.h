/// \file
/// Commits that were made after a backup, out of the log of the database that was backed up: what a
/// restore to a later moment needs besides.
///
/// Invariants:
///   K11  Every commit behind the last one of the backup is added, up to the goal and none beyond,
///        with the number that it had; or it is told why that cannot be.
#pragma once

#include "ashlar/backup.h"
#include "db/backup/backup_list.h"
#include "log/closed_segment.h"
#include "os/disk.h"

namespace ashlar::db {

/// Adds them to `writer`, which has all commits of the backup.
///
/// Returns: the number of the last commit that is there now
/// Errors:  kInvalidArgument  the log is that of another database, or the backup goes beyond the
///                            goal
///          kUnavailable      the log does not reach back to the backup, or not up to the goal
///          kCorruption, kIo, kOutOfSpace
Result<std::uint64_t> add_log_behind(os::Disk& disk, const BackupList& list,
                                     const RestoreOptions& options,
                                     log::ClosedSegmentWriter& writer);

}  // namespace ashlar::db
