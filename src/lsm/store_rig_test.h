/// \file
/// A store of tables on a disk in memory, and the rows of a table as a cursor.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lsm/open_table_rig_test.h"
#include "lsm/table_cursor.h"
#include "lsm/table_store.h"

namespace ashlar::lsm {

struct StoreRig : OpenTableRig {
  static constexpr const char* kDirectory = "/tables";

  StoreRig() {
    // The seed is the one that the rows of tests are hashed by.
    EXPECT_TRUE(os::make_directory(disk, kDirectory).has_value());
  }

  std::vector<std::string> names() { return os::list_directory(disk, kDirectory).value(); }

  TableStore store{world, kDirectory, {.database_id = 1, .hash_seed = table::kTestHashSeed}, 1};
};

/// All rows of `tables`, one after the other.
inline table::TestRows rows_of(const std::vector<base::Ref<const OpenTable>>& tables) {
  table::TestRows rows;
  for (const auto& table : tables) {
    TableCursor cursor(table);
    for (cursor.seek_to_first(); cursor.is_valid(); cursor.next()) {
      rows.emplace(cursor.key(), row_at(cursor));
    }
    EXPECT_TRUE(cursor.status().has_value());
  }
  return rows;
}

}  // namespace ashlar::lsm
