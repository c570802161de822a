/// \file
/// The rows of the disk engines as data.
#pragma once

#include <span>

#include "disk/disk_row.h"

namespace ashlar::bench {

/// All of them, in the order of the report.
std::span<const DiskRow> disk_row_table();

}  // namespace ashlar::bench
