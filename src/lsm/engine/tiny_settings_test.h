/// \file
/// Settings by which a few hundred rows fill memtables, tables and levels.
#pragma once

#include "lsm/engine/settings.h"

namespace ashlar::lsm {

inline EngineSettings tiny_settings(const Options& options) {
  EngineSettings settings = EngineSettings::of(options);
  settings.memtable_bytes = std::size_t{88} << 10U;  // Of them 64 KiB for the first buckets.
  settings.large_value_bytes = 64;
  settings.memtable_apart_bytes = std::uint64_t{128} << 10U;
  settings.level0_count_stop = 6;
  settings.table_bytes_max = std::uint64_t{8} << 10U;
  settings.picker.level0_count_max = 2;
  settings.picker.base_bytes = std::uint64_t{32} << 10U;
  settings.picker.fan_out = 3;
  settings.picker.plan_bytes_max = std::uint64_t{256} << 10U;
  settings.picker.overlap_bytes_max = std::uint64_t{64} << 10U;
  return settings;
}

}  // namespace ashlar::lsm
