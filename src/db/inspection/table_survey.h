/// \file
/// All that is in the folder of the tables: every manifest, and every byte of the tables that the
/// newest one names.
///
/// Invariants:
///   I1 of inspect.h
///   I10  A table is called sound only when every row of it can be found, by the filter and the
///        tags of the blocks as well, and when its figures are those that the manifest tells.
///   I11  A manifest that was damaged is used only when changing one bit of it makes its checksum
///        right; an older one only when all of its tables are sound.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "db/inspection/report.h"
#include "engine/value_reference.h"
#include "lsm/manifest.h"
#include "os/disk.h"
#include "table/table_file.h"

namespace ashlar::db {

/// A manifest by its name.
struct FoundManifest {
  std::uint64_t number = 0;
  std::string path;
  std::uint64_t file_bytes = 0;
  std::optional<lsm::Manifest> content = {};  ///< None: it is damaged beyond mending.
  std::optional<Damage> damage = {};          ///< With a content that was mended, too.
};

/// Keys whose rows cannot be read.
struct KeyRange {
  std::string from;
  std::string to;
  bool has_to = true;  ///< Whether `to` belongs to it.
};

/// A table that a manifest names.
struct SurveyedTable {
  lsm::Manifest::Entry entry;
  std::string path;
  std::uint64_t checked_bytes = 0;
  bool is_there = false;     ///< As a file, of whatever content.
  bool is_readable = false;  ///< Block by block, but for `lost_blocks`.
  std::size_t block_count = 0;
  std::vector<std::size_t> lost_blocks = {};
  std::vector<KeyRange> lost_keys = {};
  std::uint64_t lost_row_count = 0;
  std::vector<table::ValueShare> shares = {};           ///< Of pieces that its rows refer to,
  std::vector<engine::ValueReference> references = {};  ///< and what to.
  std::vector<Damage> damages = {};

  bool is_sound() const noexcept { return damages.empty(); }
};

struct TableSurvey {
  std::vector<FoundManifest> manifests;  ///< The newest first.
  const FoundManifest* basis = nullptr;  ///< The newest that can be used; of `manifests`.
  std::vector<SurveyedTable> tables;     ///< Of that one, in its order.
  std::vector<std::string> strangers;    ///< Names of tables that it does not name.

  TableSurvey() = default;
  TableSurvey(const TableSurvey&) = delete;  // `basis` leads into it; a move takes that along.
  TableSurvey& operator=(const TableSurvey&) = delete;
  TableSurvey(TableSurvey&&) = default;
  TableSurvey& operator=(TableSurvey&&) = default;
  ~TableSurvey() = default;

  const FoundManifest* newest() const noexcept {
    return manifests.empty() ? nullptr : &manifests.front();
  }
  bool has_newest() const noexcept { return basis != nullptr && basis == newest(); }
};

/// What an error tells that begins with "PATH at OFFSET: ".
Damage damage_of(const Error& error, const std::string& path);

/// Where the log goes on behind the tables of `manifest`.
log::Start start_of(const lsm::Manifest& manifest) noexcept;

/// Which table of `manifest` the one with `number` is.
table::TableIdentity identity_of(const lsm::Manifest& manifest, std::uint64_t number) noexcept;

/// Reads every byte of the table that `entry` of `manifest` tells of.
///
/// Errors: kIo
///         kUnavailable  a later version wrote it
Result<SurveyedTable> survey_table(os::Disk& disk, const std::string& folder,
                                   const lsm::Manifest& manifest,
                                   const lsm::Manifest::Entry& entry);

/// Looks at `folder`; one that is missing is an empty one. What is wrong, or odd, goes into
/// `report`, the figures too.
///
/// Errors: as survey_table
/// Cost:   reads every byte that the newest manifest leads to; holds filter and index of one table
Result<TableSurvey> survey_tables(os::Disk& disk, const std::string& folder,
                                  DirectoryReport& report);

/// A key for people: "\"user:1\\x00\"", cut short when it is long.
std::string text_of_key(std::string_view key);

/// "from KEY to KEY", or "from KEY up to before KEY".
std::string text_of(const KeyRange& range);

}  // namespace ashlar::db
