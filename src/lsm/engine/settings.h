/// \file
/// The sizes by which a disk engine works, all of which follow from its memory budget unless a test
/// wants others.
///
///     budget   = memtables + what tables keep pinned + cache + what compactions hold
///     memtables: one that is written to and `full_count_max` that are being written out
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ashlar/options.h"
#include "lsm/picker.h"
#include "table/table_writer.h"

namespace ashlar::lsm {

struct EngineSettings {
  std::size_t budget_bytes = 0;

  /// A memtable that uses so many bytes is full.
  std::size_t memtable_bytes = 0;

  /// Writers wait while so many memtables are full.
  std::size_t full_count_max = 2;

  /// Writers wait while level 0 has so many tables, and are slowed down from half of it on.
  std::uint64_t level0_count_stop = 24;

  /// About how long tables of levels 1 to 6 are.
  std::uint64_t table_bytes_max = std::uint64_t{64} << 20U;

  /// What the cache of rows has before blocks are short of memory, in chunks; for tests.
  std::size_t row_chunk_count = 0;

  TableCompression compression = TableCompression::kLz4;
  PickerSettings picker = {};

  /// The settings that go with options that have been checked.
  static EngineSettings of(const Options& options) noexcept {
    constexpr std::size_t kMemtableBytesMax = std::size_t{64} << 20U;
    EngineSettings settings{
        .budget_bytes = options.memory_budget_bytes,
        .memtable_bytes = std::min(options.memory_budget_bytes / 16, kMemtableBytesMax),
        .compression = options.table_compression};
    settings.picker.plan_bytes_max =
        std::min<std::uint64_t>(settings.picker.plan_bytes_max, options.memory_budget_bytes);
    return settings;
  }

  /// How tables of `level` are written. What is in levels 0 and 1 is written again soon.
  table::TableOptions table_options(std::uint32_t level, bool is_bottom_most) const noexcept {
    constexpr std::uint32_t kFastLevels = 2;
    table::TableOptions made;
    if (compression == TableCompression::kNone) {
      made.compression = table::Compression::kNone;
    } else if (compression == TableCompression::kLz4 || level < kFastLevels) {
      made.compression = table::Compression::kLz4;
    } else {
      made.compression =
          is_bottom_most ? table::Compression::kZstdDictionary : table::Compression::kZstd;
    }
    return made;
  }

  /// What tables keep pinned that a compaction has written, beside those that it replaces: a
  /// filter of ten bits for a row of a hundred bytes, and the index.
  std::size_t table_margin_bytes() const noexcept { return picker.plan_bytes_max / 64; }

  /// What a full memtable has taken at most, unless one commit made it longer: also a step of each
  /// arena that is not used up, and runs while its keys are sorted.
  std::size_t memtable_kept_bytes() const noexcept {
    constexpr std::size_t kStepsBytes = std::size_t{4} << 20U;
    return memtable_bytes + memtable_bytes / 4 + kStepsBytes;
  }

  /// What memtables may take. One that is kept for the next is among them: it was full before.
  std::size_t memtable_share_bytes() const noexcept {
    return (full_count_max + 1) * memtable_kept_bytes();
  }
};

}  // namespace ashlar::lsm
