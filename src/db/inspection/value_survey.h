/// \file
/// All values that stand apart from their rows: whether each is where its row says, unchanged.
///
/// Invariants:
///   I1 of inspect.h
///   I14  A directory is called sound only when every value that a row of a table refers to can be
///        read, and is what it was.
#pragma once

#include <string>

#include "ashlar/result.h"
#include "db/directory.h"
#include "db/inspection/log_survey.h"
#include "db/inspection/report.h"
#include "db/inspection/table_survey.h"
#include "os/disk.h"

namespace ashlar::db {

/// Reads every value that `tables` refer to, and tells in `report` what is wrong and what there is.
///
/// Errors: kIo
/// Cost:   reads all of them
Result<void> survey_values(os::Disk& disk, const Directory& directory, const TableSurvey& tables,
                           const LogSurvey& log, DirectoryReport& report);

}  // namespace ashlar::db
