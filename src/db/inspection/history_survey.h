/// \file
/// What is kept of the log for those who follow it: how far back it can be read.
///
/// Invariants:
///   I1 of inspect.h
///   I15  What is told to be the oldest commit, and all behind it up to the log, can be read. What
///        cannot be is remarked with file and offset; no row of the database rests on it.
#pragma once

#include "ashlar/result.h"
#include "db/directory.h"
#include "db/inspection/log_survey.h"
#include "db/inspection/report.h"
#include "os/disk.h"

namespace ashlar::db {

/// Reads all of it, and tells in `report` what there is.
///
/// Errors: kIo
/// Cost:   reads every byte up to the log
Result<void> survey_history(os::Disk& disk, const Directory& directory, const LogSurvey& log,
                            DirectoryReport& report);

}  // namespace ashlar::db
