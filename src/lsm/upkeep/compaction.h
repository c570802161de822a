/// \file
/// Carries out a plan: merges its tables into new ones of the output level.
///
/// It reads past the cache, so that readers keep theirs, and looks at nothing but the tables of the
/// plan: no state, no snapshot, no lock (decision 0006). Where tables hardly overlap most blocks
/// are handed through as they are stored (V20): no row of them is compared, moved or compressed.
///
/// Invariants:
///   V19  Before and after a compaction every key has the same newest row, but for those that no
///        reader to come would be shown.
///   V17 of table_output.h: one that fails or is stopped leaves no file.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "ashlar/result.h"
#include "lsm/picker.h"
#include "lsm/table_output.h"
#include "lsm/table_store.h"
#include "lsm/version.h"

namespace ashlar::lsm {

struct CompactionResult {
  /// The tables of the plan go; those that were written come, which are durable and open. Whoever
  /// makes no version of it marks them obsolete.
  VersionEdit edit = {};
  std::uint64_t read_bytes = 0;         ///< Of all files that were read,
  std::uint64_t written_bytes = 0;      ///< and of all that were written.
  std::uint64_t whole_block_count = 0;  ///< Blocks that were handed through as they were stored.
};

/// Carries out `plan`, which is no move (`edit_of_move`), on open tables.
///
/// Input:   rule  how tables are to be, and what time it is; what follows from the plan is set here
/// Returns: nullopt when it was stopped
/// Errors:  kCorruption       a table of the plan is damaged: names file and offset
///          kIo, kOutOfSpace  a file cannot be read or written
/// Cost:    some 400 ns a row, 170 in blocks that are handed through. Reads and writes about
///          `plan.input_bytes` in pieces of 256 KiB; as much memory for each source and for the
///          output. A stop is seen at the next row or whole block
/// Threads: any; plans that may run side by side may be carried out so (V10)
Result<std::optional<CompactionResult>> compact(TableStore& store, const CompactionPlan& plan,
                                                OutputRule rule, const std::stop_token& stop);

}  // namespace ashlar::lsm
