/// \file
/// Gives back the space of values that nothing refers to any more: the values of a piece that are
/// still needed move into a collected file, and the tables that refer to them are written anew,
/// each in its place.
///
/// How much of a piece is needed is not estimated: it is the sum of what the tables of the version
/// tell (V44 of table_output.h).
///
/// Invariants:
///   V47  A collection changes where values stand and nothing else: every table is replaced by one
///        of its level and age with the same rows, but for those that expired.
///   V48  After collections until there is none to pick, of no kept piece is more than half
///        garbage, nor of all of them together more than a third, but for pieces with damaged
///        values.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <vector>

#include "ashlar/result.h"
#include "engine/large_values.h"
#include "lsm/engine/settings.h"
#include "lsm/table_output.h"
#include "lsm/table_store.h"
#include "lsm/version.h"

namespace ashlar::lsm {

/// What a collection is to do.
struct CollectionPlan {
  struct Source {
    std::uint32_t level = 0;
    TableRef table = {};
  };
  std::vector<engine::ValuePiece> pieces = {};  ///< That are emptied, ascending.
  std::vector<Source> sources = {};             ///< The tables that refer to them.
};

/// How much of `piece` is values, or was.
std::uint64_t value_bytes_of(const engine::ValuePiece& piece) noexcept;

/// Chooses what to collect of `pieces`.
///
/// Input:   except  where pieces begin that cannot be emptied
/// Returns: nullopt when V48 holds
std::optional<CollectionPlan> pick_collection(const Version& version,
                                              std::span<const engine::ValuePiece> pieces,
                                              const CollectionSettings& settings,
                                              const std::set<std::uint64_t>& except);

struct CollectionResult {
  /// As that of a compaction.
  VersionEdit edit = {};
  std::uint64_t moved_bytes = 0;            ///< Of values.
  std::vector<std::uint64_t> damaged = {};  ///< Where pieces begin of which a value is damaged.
};

/// Carries out `plan` on open tables.
///
/// Returns: nullopt when it was stopped
/// Errors:  kCorruption       a table is damaged. A damaged value stays where it is
///          kIo, kOutOfSpace  a file cannot be read or written; nothing is left of the attempt
Result<std::optional<CollectionResult>> collect(TableStore& store, const CollectionPlan& plan,
                                                const EngineSettings& settings,
                                                engine::TimeMs now_ms, const std::stop_token& stop);

}  // namespace ashlar::lsm
