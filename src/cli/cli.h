/// \file
/// The command line of `ashlar`.
#pragma once

#include "cli/streams.h"
#include "os/disk.h"

namespace ashlar::cli {

/// Runs the command that the arguments tell of, the name of the program being the first of them.
///
/// Input:   disk  what all work on, but for databases that are opened: those use the system's
/// Returns: the exit status; nothing is thrown
int run(int argument_count, const char* const* argument_list, os::Disk& disk,
        const Streams& streams);

}  // namespace ashlar::cli
