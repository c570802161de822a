/// \file
/// A version of real tables on a disk that can fail, and the carrying out of plans on it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lsm/store_rig_test.h"
#include "lsm/upkeep/compaction.h"
#include "os/faulty_disk.h"

namespace ashlar::lsm {

struct CompactionRig : OpenTableRig {
  static constexpr const char* kDirectory = "/tables";

  CompactionRig() { EXPECT_TRUE(os::make_directory(disk, kDirectory).has_value()); }

  /// A table of `rows`, which is in no version yet.
  TableRef write(const Rows& rows, const table::TableOptions& options = {}) {
    TableOutput output(store, {.table = options, .table_bytes_max = ~std::uint64_t{0}});
    for (const auto& row : rows) EXPECT_TRUE(output.add(table::operation_of(row)).has_value());
    return TableRef(output.finish().value().at(0));
  }

  void add(std::uint32_t level, const Rows& rows, const table::TableOptions& options = {}) {
    apply({.additions = {{.level = level, .table = write(rows, options)}}});
  }

  /// Makes the next version, and lets the files of tables that are in it no more go. Not for moves.
  void apply(const VersionEdit& edit) {
    const Result<Version> next = version.apply(edit);
    ASSERT_TRUE(next.has_value()) << next.error().message();
    for (const auto& [level, number] : edit.removals) {
      for (const TableRef& table : version.tables(level)) {
        if (table->info().number == number) table->mark_obsolete();
      }
    }
    version = *next;
    version.check();
  }

  std::vector<std::string> names() { return os::list_directory(disk, kDirectory).value(); }

  os::FaultyDisk faulty{disk};
  TableWorld world{.disk = faulty, .budget = budget, .domain = domain, .cache = *cache};
  TableStore store{world, kDirectory, {.database_id = 1, .hash_seed = table::kTestHashSeed}, 1};
  Version version;
};

/// The rows of `version` as its tables have them: of each key the newest.
inline table::TestRows newest_rows(const Version& version) {
  table::TestRows rows;
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : version.tables(level)) {
      const auto older = rows_of({base::Ref<const OpenTable>(&opened(*table))});
      rows.insert(older.begin(), older.end());
    }
  }
  return rows;
}

/// The rows of the tables that a compaction has added.
inline table::TestRows added_rows(const CompactionResult& result) {
  table::TestRows rows;
  for (const auto& [level, table] : result.edit.additions) {
    rows.merge(rows_of({base::Ref<const OpenTable>(&opened(*table))}));
  }
  return rows;
}

/// What a reader is shown of `rows`.
inline table::TestRows visible_rows(table::TestRows rows, engine::TimeMs now_ms) {
  std::erase_if(rows, [now_ms](const auto& row) {
    return row.second.kind == engine::OperationKind::kErase || row.second.deadline_ms <= now_ms;
  });
  return rows;
}

inline const table::TestRow kErased = {.kind = engine::OperationKind::kErase};

inline Result<std::optional<CompactionResult>> run(CompactionRig& rig, const CompactionPlan& plan,
                                                   const OutputRule& rule = {}) {
  return compact(rig.store, plan, rule, std::stop_token());
}

/// A plan of all of level 0 and all of level 6.
inline CompactionPlan plan_of_all(const Version& version) {
  CompactionPlan plan{.input_level = 0, .output_level = kLastLevel};
  plan.inputs.assign(version.tables(0).begin(), version.tables(0).end());
  plan.below.assign(version.tables(kLastLevel).begin(), version.tables(kLastLevel).end());
  plan.is_bottom_most = true;
  return plan;
}

}  // namespace ashlar::lsm
