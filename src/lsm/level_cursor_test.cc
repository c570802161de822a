// A walk over a level goes through its tables as if they were one.

#include "lsm/level_cursor.h"

#include <gtest/gtest.h>

#include <vector>

#include "lsm/open_table_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

/// Cuts `rows` into tables of about as many rows.
std::vector<TableRef> level_of(OpenTableRig& rig, const table::TestRows& rows,
                               testing::Random& random) {
  std::vector<TableRef> tables;
  table::TestRows part;
  for (const auto& row : rows) {
    part.insert(row);
    if (random.chance(1) || row.first == rows.rbegin()->first) {
      tables.emplace_back(rig.table_of(tables.size() + 1, part));
      part.clear();
    }
  }
  return tables;
}

// V3: a table ends before the next begins, so the walk through one after the other is in order.
TEST(LevelCursor, StandsWhereAMapsIteratorWould) {
  testing::Random random(testing::seed());
  OpenTableRig rig;
  const auto rows = table::mixed_rows(random, 2000);
  const auto tables = level_of(rig, rows, random);
  ASSERT_GT(tables.size(), 1U);
  LevelCursor cursor(tables);
  EXPECT_FALSE(cursor.is_valid());
  walk_at_random(cursor, rows, random);
}

TEST(LevelCursor, TellsOfDamageInTheNextTable) {
  OpenTableRig rig;
  const auto rows = table::plain_rows(300);
  const auto middle = std::next(rows.begin(), 150);
  const std::vector<TableRef> tables = {TableRef(rig.table_of(1, {rows.begin(), middle})),
                                        TableRef(rig.table_of(2, {middle, rows.end()}))};
  const auto file = os::File::open(rig.disk, "/2", os::OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->write(5, std::string_view("damage")).has_value());
  LevelCursor cursor(tables);
  std::size_t count = 0;
  for (cursor.seek_to_first(); cursor.is_valid(); cursor.next()) ++count;
  EXPECT_EQ(count, 150U);
  EXPECT_EQ(cursor.status().error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace ashlar::lsm
