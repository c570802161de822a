/// \file
/// What processes hold in memory, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace ashlar::bench {

/// Bytes of this process that are in memory. Cost: a few microseconds.
double resident_bytes();

/// Bytes of the process `pid` that are in memory, what it shares with others counted in parts (its
/// PSS); 0 when there is no such process. Cost: some milliseconds, and page faults of it wait.
double proportional_bytes(pid_t pid);

/// The child processes of `pid`, those of its first thread.
std::vector<pid_t> children_of(pid_t pid);

/// The figure of `field`, in bytes, in a text of lines like "Pss:    12 kB"; 0 when it has none.
double field_bytes(std::string_view text, std::string_view field);

/// Gives memory that was freed back to the system, so that it is not used again unseen.
void trim_memory();

}  // namespace ashlar::bench
