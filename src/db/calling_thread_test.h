/// \file
/// A database that does everything in the calling thread, in the same order each time.
#pragma once

#include <cstddef>

#include "db/access.h"

namespace ashlar::db {

/// Of a log that is so small that a test has several segments of it.
struct SmallLog {
  std::size_t segment_bytes;
  std::size_t ring_bytes;
};

/// Lifetime: `disk` and `clock` outlive the database.
inline Environment in_calling_thread(os::Disk& disk, const os::Clock& clock, SmallLog log) {
  Environment environment;
  environment.clock = &clock;
  environment.hash_seed = 7;
  environment.has_background = false;
  environment.disk = &disk;
  environment.log.segment_bytes = log.segment_bytes;
  environment.log.ring_bytes = log.ring_bytes;
  environment.log.has_thread = false;
  return environment;
}

}  // namespace ashlar::db
