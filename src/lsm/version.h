/// \file
/// The list of tables that make up a state of the database on disk.
///
///     level 0       tables as they were flushed, newest first; they may overlap
///     levels 1 - 6  tables in the order of their keys, none of which overlap
///
/// A key's newest row is in the first table, going down the levels and in level 0 from new to old,
/// that has the key at all.
///
/// Invariants:
///   V2  Of two tables in level 0 the one that stands first has the larger age rank.
///   V3  In levels 1 to 6 a table ends before the next one begins.
///   V4  A table stands in a version once.
///
/// What a reader looks through to find a table is two arrays of eight-byte heads for each level: 20
/// GiB in tables of 64 MiB are 320 tables, 80 cache lines that stay in the second-level cache. No
/// table is touched to find out that it has not got a key, unless heads are equal.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "base/key_head.h"
#include "lsm/table.h"

namespace ashlar::lsm {

inline constexpr std::uint32_t kLevelCount = 7;
inline constexpr std::uint32_t kLastLevel = kLevelCount - 1;

/// How the next version differs: what a flush, a compaction or a move has done.
struct VersionEdit {
  struct Addition {
    std::uint32_t level = 0;
    TableRef table = {};
  };
  struct Removal {
    std::uint32_t level = 0;
    std::uint64_t number = 0;
  };
  std::vector<Removal> removals = {};
  std::vector<Addition> additions = {};
};

/// Threads: immutable.
class Version {
 public:
  /// One without tables.
  Version() = default;

  /// The version after `edit`. Removals come first: a table that moves is removed and added.
  ///
  /// Errors: kCorruption  a removed table is not there, or an added one breaks V2, V3 or V4: says
  ///                      which
  /// Cost:   a reference to each table
  Result<Version> apply(const VersionEdit& edit) const;

  std::span<const TableRef> tables(std::uint32_t level) const noexcept {
    return levels_[level].tables;
  }
  std::uint64_t bytes(std::uint32_t level) const noexcept { return levels_[level].bytes; }
  std::uint64_t table_count() const noexcept;

  /// Hands each table that may have `key`, newest first, to `visit(const Table&)` until that
  /// returns true.
  ///
  /// Returns: whether `visit` did
  /// Cost:    in level 0 a look at every table; below that a search among heads for each level. No
  ///          allocation, no count
  template <typename Visit>
  bool visit_tables_for(std::string_view key, Visit visit) const;

  /// The table of `level`, which is not 0, that has `key` within its ends; null when there is none.
  const Table* find(std::uint32_t level, std::string_view key) const noexcept;

  /// The tables of `level` that overlap with `smallest` to `largest`, both included, in the order
  /// in which they stand there.
  std::vector<TableRef> overlapping(std::uint32_t level, std::string_view smallest,
                                    std::string_view largest) const;

  /// The bytes of those, for levels other than 0.
  ///
  /// Cost: two searches
  std::uint64_t overlapping_bytes(std::uint32_t level, std::string_view smallest,
                                  std::string_view largest) const noexcept;

  /// Whether no table of `level` overlaps with that range.
  bool is_clear(std::uint32_t level, std::string_view smallest, std::string_view largest) const;

  /// Aborts unless V2 to V4 hold and what is cached is right.
  void check() const;

 private:
  /// One level, with what a search needs in arrays of its own.
  struct Level {
    std::vector<TableRef> tables = {};
    std::vector<std::uint64_t> smallest_heads = {};  ///< Those of the tables' smallest keys.
    std::vector<std::uint64_t> largest_heads = {};   ///< Those of the tables' largest keys.
    std::vector<std::uint64_t> bytes_before = {};    ///< The sum of the tables before each.
    std::uint64_t bytes = 0;

    void index_tables();
  };

  std::span<const TableRef> overlap_below(std::uint32_t level, std::string_view smallest,
                                          std::string_view largest) const noexcept;
  std::size_t first_ending_at_or_after(const Level& level, std::string_view key) const noexcept;
  Result<void> validate() const;

  std::array<Level, kLevelCount> levels_ = {};
};

/// The earliest deadline of a row that was not told of (Table::untold_ms); kNever: there is none.
engine::TimeMs first_untold_ms(const Version& version) noexcept;

template <typename Visit>
bool Version::visit_tables_for(std::string_view key, Visit visit) const {
  for (const TableRef& table : levels_[0].tables) {
    if (table->info().overlaps(key, key) && visit(*table)) return true;
  }
  for (std::uint32_t level = 1; level < kLevelCount; ++level) {
    const Table* const table = find(level, key);
    if (table != nullptr && visit(*table)) return true;
  }
  return false;
}

}  // namespace ashlar::lsm
