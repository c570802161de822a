/// \file
/// The rows of the disk engines, in the form of the others.
#pragma once

#include <span>

#include "rows.h"

namespace ashlar::bench {

/// In the order of the report.
std::span<const Row> disk_rows();

}  // namespace ashlar::bench
