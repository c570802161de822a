/// \file
/// A table that is written anew, of the blocks of a damaged one that can be read.
///
/// Invariants:
///   I12  Each row of a block that can be read is in the copy, and no other row is.
#pragma once

#include <string>

#include "ashlar/result.h"
#include "db/inspection/table_plan.h"
#include "os/disk.h"

namespace ashlar::db {

/// Writes what is left of `table.source` to the file `path`, which must not exist, durably but for
/// its name.
///
/// Returns: what the manifest has to say of it
/// Errors:  kCorruption  it is not as it was found before: names the file
///          kIo, kOutOfSpace
Result<lsm::TableInfo> copy_table(os::Disk& disk, const NewTable& table, const std::string& path);

}  // namespace ashlar::db
