/// \file
/// The engine that a suite is run on: suites of what holds for both are run twice (E1), the second
/// time with ASHLAR_TEST_ENGINE=disk in their environment.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "db/access.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/simulated_disk.h"

namespace ashlar::db {

inline Engine engine_under_test() noexcept {
  // Read before any thread of a test starts.
  const char* const name = std::getenv("ASHLAR_TEST_ENGINE");  // NOLINT(concurrency-mt-unsafe)
  return name != nullptr && std::string_view(name) == "disk" ? Engine::kDisk : Engine::kMemory;
}

/// Opens databases of the engine under test: that on disk on a disk in memory, each in a directory
/// of its own, and so small that flushes and compactions happen all the time.
///
/// Lifetime: outlives its databases.
class EngineRig {
 public:
  Result<Db> open(Options options, Environment environment) {
    const bool may_be_on_disk =
        options.directory.empty() && options.memory_policy == MemoryPolicy::kRefuse;
    if (engine_under_test() == Engine::kMemory || !may_be_on_disk) {
      return Access::open(options, environment);
    }
    options.engine = Engine::kDisk;
    options.directory = "/" + std::to_string(++database_count_);
    options.memory_budget_bytes = std::max(options.memory_budget_bytes, kDiskMemoryBudgetBytesMin);
    environment.disk = &disk_;
    environment.log.segment_bytes = std::uint64_t{4} << 20U;
    environment.log.ring_bytes = std::size_t{1} << 20U;
    environment.disk_engine = lsm::tiny_settings(options);
    return Access::open(options, environment);
  }

 private:
  os::SimulatedDisk disk_;
  int database_count_ = 0;
};

}  // namespace ashlar::db
