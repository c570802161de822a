/// \file
/// What is known of the order of the versions of registers besides what a transaction made of what
/// it had read (read_walk.h).
///
/// The initial version stands before all others, so before each that has no known predecessor.
/// Where transactions take effect between their begin and their end, a version stands before those
/// whose writer began after its own had ended.
#pragma once

#include <vector>

#include "testing/isolation/findings.h"

namespace ashlar::testing {

/// Adds to `known` an edge from the initial version to each first one, the earliest writers first.
void add_first_versions(const Evidence& evidence, std::vector<Succession>& known);

/// The versions that follow next by time, marked as such: of those that began after a version had
/// ended only the ones with no third between. Linear in versions times sessions.
void add_successions_by_time(const Evidence& evidence, std::vector<Succession>& known);

}  // namespace ashlar::testing
