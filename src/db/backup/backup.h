/// \file
/// Makes a backup of a database that is open, beside its writers.
///
///     1  open the directory, alone; remove what an earlier attempt left
///     2  checkpoint or flush, and hold what then stands for the database (journal.h)
///     3  tables: keep those that the backup before has; link or copy the others, and check them
///     4  checkpoint or manifest, and the log behind it as a closed segment
///     5  install the list
///
/// Which tables the backup before has is told by their numbers, which no two tables of a database
/// share, and a database is told by the id of its log, which a restore draws anew. Length and all
/// figures of the manifest must agree besides: where they do not, somebody has copied the directory
/// by other means and both copies were written to, and the backup is refused.
///
/// Invariants:
///   K5 to K7 in backup_list.h and backup_store.h
///   K8  A backup holds every commit that was acknowledged before it was begun, and of all others
///       only such that all before them are in it.
#pragma once

#include <string>

#include "ashlar/backup.h"
#include "ashlar/result.h"
#include "db/backup/backup_list.h"
#include "db/journal.h"

namespace ashlar::db {

/// Backs up the database of `journal` to the directory `to`, which is made if it is missing.
///
/// Errors: kInvalidArgument  `to` is neither empty nor a backup of this database
///         kUnavailable      somebody else is at it, or the log failed before
///         kCorruption       a table of the database, or the backup before, is damaged: names the
///                           file and the offset
///         kIo, kOutOfSpace  the backup before still counts, if there is one
Result<BackupReport> back_up(Journal& journal, const std::string& to,
                             const BackupObserver& observer);

/// What a list tells of its backup.
BackupReport report_of(const BackupList& list);

}  // namespace ashlar::db
