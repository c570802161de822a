/// \file
/// Looks at every byte of a backup, and changes nothing.
///
/// Each file is held against the checksum of its list, and is read besides as an opening reads it:
/// the one finds every changed byte, the other says where it is, and finds what was wrong already
/// when the backup was made.
///
/// Invariants:
///   K9  A backup that is called sound has every byte that was written, and makes a database that
///       opens.
#pragma once

#include <string>

#include "ashlar/backup.h"
#include "ashlar/result.h"
#include "os/disk.h"

namespace ashlar::db {

/// As `ashlar::verify_backup`. Errors: as there.
Result<BackupCheck> verify_backup(os::Disk& disk, const std::string& path,
                                  const BackupObserver& observer);

}  // namespace ashlar::db
