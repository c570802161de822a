/// \file
/// Where the figures were taken.
#pragma once

#include <ostream>

namespace ashlar::bench {

/// Writes one line on processor, kernel and huge pages, and a warning when others are at work.
void write_machine(std::ostream& out);

}  // namespace ashlar::bench
