/// \file
/// Which engine a campaign works on: `--engine=memory|disk`. That on disk is so small that a few
/// hundred commits fill memtables, tables and levels.
#pragma once

#include <map>
#include <string>

#include "ashlar/options.h"
#include "campaign_arguments.h"
#include "lsm/engine/settings.h"

namespace ashlar::crash {

/// Takes the engine from the command line.
inline Engine engine_of(CampaignArguments& arguments) {
  return arguments.choice("engine", Engine::kMemory,
                          {{"memory", Engine::kMemory}, {"disk", Engine::kDisk}});
}

inline Options options_for(const std::string& directory, Engine engine) {
  return {.directory = directory, .engine = engine, .memory_budget_bytes = std::size_t{64} << 20U};
}

/// Of a disk engine.
inline lsm::EngineSettings tiny_settings(const Options& options) {
  lsm::EngineSettings settings = lsm::EngineSettings::of(options);
  settings.memtable_bytes = std::size_t{72} << 10U;  // Of them 64 KiB for the first buckets.
  settings.large_value_bytes = 64;
  settings.memtable_apart_bytes = std::uint64_t{16} << 10U;
  settings.level0_count_stop = 6;
  settings.table_bytes_max = std::uint64_t{4} << 10U;
  settings.picker.level0_count_max = 2;
  settings.picker.base_bytes = std::uint64_t{8} << 10U;
  settings.picker.fan_out = 3;
  settings.picker.plan_bytes_max = std::uint64_t{256} << 10U;
  settings.picker.overlap_bytes_max = std::uint64_t{64} << 10U;
  return settings;
}

}  // namespace ashlar::crash
