/// \file
/// Makes the directory of a database of a backup.
///
///     1  make NEW.unfinished with the folders of a database
///     2  copy each file, and hold what was read against the list
///     3  write the log anew, for another log: the database is not the one that was backed up
///     4  write FORMAT; read all of it back, as `ashlar check` does
///     5  give it its name
///
/// Invariants:
///   K10  The directory has its name only when all of it is durable and sound. Nothing is written
///        outside it and its unfinished form; nothing that was there before is touched.
#pragma once

#include "ashlar/backup.h"
#include "ashlar/result.h"
#include "log/frame.h"
#include "os/disk.h"

namespace ashlar::db {

/// As `ashlar::restore_backup`.
///
/// Input:  new_log_id  random, as for LocalLog
/// Errors: as there
Result<BackupReport> restore_backup(os::Disk& disk, const RestoreOptions& options,
                                    log::LogId new_log_id, const BackupObserver& observer);

}  // namespace ashlar::db
