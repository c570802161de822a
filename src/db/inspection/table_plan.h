/// \file
/// Decides what a repair does with manifests and tables: which manifest counts, and which of its
/// tables are written anew, of what can be read of them.
///
/// Files of tables do not tell in which level and order they stood, nor whether a compaction had
/// replaced them: one that was let go of would bring back rows that were erased. So without a
/// manifest that tells it there is no repair (I11).
///
/// Invariants:
///   I11 of table_survey.h
///   I13  A table that is sound stays as it is, in its place among the others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "db/inspection/inspect.h"
#include "lsm/manifest.h"

namespace ashlar::db {

/// A table to be written anew, in the place of a damaged one.
struct NewTable {
  std::string name;
  std::uint64_t number = 0;
  std::uint32_t level = 0;
  std::uint64_t age_rank = 0;
  std::string source;                    ///< The path of the damaged one,
  table::TableIdentity identity;         ///< which table that is,
  std::vector<std::size_t> lost_blocks;  ///< and its blocks that cannot be read, ascending.
};

/// A manifest to be written anew.
struct NewManifest {
  std::string name;
  lsm::Manifest content;         ///< But for the tables that
  std::vector<NewTable> tables;  ///< are written anew.
};

/// Puts `entry`, of a table that was written anew, into its place.
///
/// Errors: kCorruption  it does not fit between the others
Result<void> add_table(lsm::Manifest& manifest, const lsm::Manifest::Entry& entry);

/// What becomes of the folder of tables.
struct TablePlan {
  std::string basis;            ///< In words: "the tables of tables/0000000003.manifest".
  log::Start start;             ///< Where the log goes on behind it,
  std::optional<LogWalk> walk;  ///< and how far.
  std::optional<NewManifest> manifest;
  std::vector<std::string> removed;
  std::vector<std::string> kept;
  std::vector<std::string> losses;
};

/// The plan for a directory of the disk engine with damage.
///
/// Input:  new_id  of tables, where all of them are lost; random
/// Errors: kUnavailable  nothing that is there tells which tables count (I11)
///         kIo
Result<TablePlan> plan_tables(const Inspection& inspection, std::uint64_t new_id);

}  // namespace ashlar::db
