/// \file
/// Open tables for tests: rows written to a disk in memory, read through a cache.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/epoch.h"
#include "base/memory/memory_budget.h"
#include "lsm/open_table.h"
#include "os/simulated_disk.h"
#include "table/table_rig_test.h"

namespace ashlar::lsm {

struct OpenTableRig {
  using Rows = table::TestRows;

  explicit OpenTableRig(std::size_t cache_bytes = std::size_t{4} << 20U)
      : cache(*table::BlockCache::make(budget, domain, cache_bytes)) {}

  static table::TableIdentity identity(std::uint64_t number) {
    table::TableIdentity identity = table::kTestIdentity;
    identity.number = number;
    return identity;
  }
  static std::string path(std::uint64_t number) { return "/" + std::to_string(number); }

  /// Writes `rows` to a file. Returns: what a manifest says of it
  TableInfo write(std::uint64_t number, const Rows& rows) {
    const auto written = table::write_table(disk, rows, {}, path(number), identity(number)).value();
    return {.number = number,
            .age_rank = number,
            .file_bytes = written.file_bytes,
            .row_count = written.row_count,
            .erase_count = written.erase_count,
            .expiring_count = written.expiring_count,
            .earliest_deadline_ms = written.earliest_deadline_ms,
            .smallest = written.smallest_key,
            .largest = written.largest_key};
  }

  Result<base::Ref<const OpenTable>> open(const TableInfo& info) {
    return OpenTable::open(world, path(info.number), identity(info.number), info);
  }

  base::Ref<const OpenTable> table_of(std::uint64_t number, const Rows& rows) {
    return open(write(number, rows)).value();
  }

  os::SimulatedDisk disk;
  base::MemoryBudget budget{std::size_t{64} << 20U};
  base::EpochDomain domain;
  std::unique_ptr<table::BlockCache> cache;
  TableWorld world{.disk = disk, .budget = budget, .domain = domain, .cache = *cache};
};

/// The row that `cursor` stands on.
inline table::TestRow row_at(const engine::RowCursor& cursor) {
  return {.kind = cursor.kind(),
          .value = std::string(cursor.value()),
          .deadline_ms = cursor.deadline_ms()};
}

/// Whether `cursor` stands where `expected` does among `rows`; at their end: nowhere.
inline ::testing::AssertionResult stands_at(const engine::RowCursor& cursor,
                                            const table::TestRows& rows,
                                            table::TestRows::const_iterator expected) {
  if (!cursor.status()) return ::testing::AssertionFailure() << cursor.status().error().message();
  if (cursor.is_valid() != (expected != rows.end())) {
    return ::testing::AssertionFailure() << "valid: " << cursor.is_valid();
  }
  if (!cursor.is_valid()) return ::testing::AssertionSuccess();
  if (cursor.key() == expected->first && row_at(cursor) == expected->second) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << cursor.key() << " instead of " << expected->first;
}

/// Moves `cursor` at random and looks whether it is always where a map's iterator would be.
inline void walk_at_random(engine::RowCursor& cursor, const table::TestRows& rows,
                           testing::Random& random) {
  auto at = rows.begin();
  cursor.seek_to_first();
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t move = at == rows.end() ? random.below(4) : random.below(20);
    if (move == 0) {
      at = rows.begin();
      cursor.seek_to_first();
    } else if (move == 1) {
      at = std::prev(rows.end());
      cursor.seek_to_last();
    } else if (move <= 3) {
      auto near = rows.begin();
      std::advance(near, random.below(rows.size()));
      const std::string key = random.chance(50) ? near->first : near->first + '\0';
      if (move == 2) {
        at = rows.lower_bound(key);
        cursor.seek(key);
      } else {
        const auto behind = rows.upper_bound(key);
        at = behind == rows.begin() ? rows.end() : std::prev(behind);
        cursor.seek_for_previous(key);
      }
    } else if (move < 14) {
      ++at;
      cursor.next();
    } else {
      at = at == rows.begin() ? rows.end() : std::prev(at);
      cursor.previous();
    }
    ASSERT_TRUE(stands_at(cursor, rows, at)) << "move " << i << " of kind " << move;
  }
}

}  // namespace ashlar::lsm
