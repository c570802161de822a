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

/// When values are moved out of pieces of which little is needed: upkeep/collection.h.
struct CollectionSettings {
  /// A piece with so much garbage in a hundred bytes is collected,
  std::uint64_t piece_percent_max = 50;
  /// and the worst ones while of all together it is more than this. So what is kept takes at most
  /// half as much again as what is needed, and collecting writes each byte twice again at most.
  std::uint64_t total_percent_max = 33;
  /// About so much is moved at a time.
  std::uint64_t moved_bytes_max = std::uint64_t{256} << 20U;
};

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

  /// Values of so many bytes stand apart from their rows: a read of one then costs one more of the
  /// disk, and writing it again with every compaction would cost more. One block of the disk.
  std::size_t large_value_bytes = 4096;

  /// A memtable that refers to so many bytes is full: they are what an opening has to replay.
  std::uint64_t memtable_apart_bytes = std::uint64_t{256} << 20U;

  TableCompression compression = TableCompression::kLz4;
  PickerSettings picker = {};
  CollectionSettings collection = {};

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
