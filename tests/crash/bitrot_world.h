/// \file
/// Directories for the campaign `bitrot` to damage: what is in them, what was acknowledged, and
/// what each file held at earlier moments.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "acknowledged.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "simulated_world.h"

namespace ashlar::crash {

/// How the life of a directory came to its end.
enum class Ending : std::uint8_t {
  kClosed,         ///< In order.
  kKilled,         ///< With commits that only the ring has.
  kKilledDurable,  ///< After a commit at kDisk: nothing is in the ring alone.
  kKilledLong,     ///< The same, and the commit is longer than the ring.
  kReopened,       ///< Killed, opened again, and killed before anything was written.
};

/// Whatever else is chosen when a directory is made.
struct WorldPlan {
  const char* name = "";
  Ending ending = Ending::kClosed;
  Setting setting;
  std::uint64_t steps_before = 0;  ///< Until the second of two checkpoints.
  std::uint64_t steps_after = 0;
  std::uint64_t history_stride = 1;  ///< Of so many writes to a file one is remembered.
};

/// The plans of all directories that the campaign damages.
const std::vector<WorldPlan>& world_plans();

/// What a file held earlier, oldest first, its content now not among them.
using FileHistory = std::map<std::string, std::vector<std::string>>;

/// One directory, to be cloned and damaged.
struct World {
  const WorldPlan* plan = nullptr;
  std::unique_ptr<os::SimulatedDisk> disk;
  FileHistory history;
  std::vector<std::string> paths;     ///< Of all files.
  std::vector<std::uint64_t> states;  ///< Fingerprints after 0, 1, 2 … commits, all acknowledged.
  std::uint64_t durable_count = 0;   ///< So many commits were acknowledged at kDisk, or before one.
  std::uint64_t segments_count = 0;  ///< So many are there without the ring.
  State last;                        ///< After all of them.
};

/// Makes the directory of `plan`, which is looked at by the clock `later`. Aborts when a database
/// on a disk without faults fails.
World make_world(const WorldPlan& plan, std::uint64_t seed, const os::Clock& later);

}  // namespace ashlar::crash
