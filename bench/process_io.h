/// \file
/// What this process has written to files, as the kernel counts it.
#pragma once

#include <cstdint>
#include <string>

namespace ashlar::bench {

/// Counted since the process began, over all its threads.
struct ProcessIo {
  std::uint64_t written_bytes = 0;  ///< Handed to the system by calls: not what goes through maps.
  std::uint64_t dirtied_bytes = 0;  ///< Whole pages made to go to the disk, through maps as well.
};

/// Zeros when the system does not tell. Cost: a few microseconds.
ProcessIo process_io();

/// What the files of a store take on the disk, in bytes; holes are not counted.
struct DirectoryBytes {
  std::uint64_t data = 0;
  std::uint64_t log = 0;  ///< Files named `*.log`, and all in a directory named `log`.
};
DirectoryBytes directory_bytes(const std::string& directory);

}  // namespace ashlar::bench
