/// \file
/// How the rest of the house makes an engine that keeps its rows on disk. What is inside:
/// src/lsm/README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ashlar/result.h"
#include "engine/large_values.h"
#include "engine/persistent_engine.h"
#include "lsm/engine/settings.h"
#include "os/clock.h"
#include "os/disk.h"

namespace ashlar::lsm {

/// What surrounds an engine. `disk` and `clock` must outlive it.
struct DiskEngineWorld {
  os::Disk& disk;
  const os::Clock& clock;
  std::string directory;   ///< Of its tables; made if it is missing.
  std::uint64_t seed = 0;  ///< For a new directory: nobody can know it who chooses keys.
  EngineSettings settings;
  /// The log as the place of long values; outlives the engine. Null: they stand in their rows.
  engine::LargeValues* values = nullptr;
};

/// Opens the tables of a directory. What was committed behind them is in the log.
///
/// Errors: kCorruption   the manifest or a table is damaged or missing: names the file
///         kOutOfSpace   the memory budget does not hold what tables keep in memory
///         kUnavailable  the system refuses the address space
///         kIo
Result<std::unique_ptr<engine::PersistentEngine>> open_disk_engine(const DiskEngineWorld& world);

}  // namespace ashlar::lsm
