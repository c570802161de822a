// A walk over a table stands where an ordered map's iterator would, whatever its moves, and stays
// good while the cache forgets the blocks that it has seen.

#include "lsm/table_cursor.h"

#include <gtest/gtest.h>

#include "lsm/open_table_rig_test.h"
#include "os/faulty_disk.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

TEST(TableCursor, StandsWhereAMapsIteratorWould) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 4; ++round) {
    OpenTableRig rig;
    const auto rows = table::mixed_rows(random, 1 + random.below(3000));
    TableCursor cursor(rig.table_of(1, rows));
    walk_at_random(cursor, rows, random);
  }
}

TEST(TableCursor, KeepsTheRowThatItStandsOn) {
  OpenTableRig rig(0);  // Nothing stays in the cache but what is pinned.
  const auto rows = table::plain_rows(1000);
  const auto opened = rig.table_of(1, rows);
  TableCursor resting(opened);
  resting.seek_to_first();
  TableCursor other(opened);
  for (other.seek_to_first(); other.is_valid(); other.next()) rig.cache->reclaim();
  EXPECT_TRUE(stands_at(resting, rows, rows.begin()));
}

TEST(TableCursor, TellsOfDamageAndWalksAgainAfterASeek) {
  OpenTableRig rig;
  const auto rows = table::plain_rows(1000);
  const auto opened = rig.table_of(1, rows);
  const auto file = os::File::open(rig.disk, "/1", os::OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->write(opened->file().offset(2) + 5, std::string_view("damage")).has_value());
  TableCursor cursor(opened);
  std::size_t count = 0;
  for (cursor.seek_to_first(); cursor.is_valid(); cursor.next()) ++count;
  EXPECT_GT(count, 0U);
  EXPECT_LT(count, rows.size());
  ASSERT_FALSE(cursor.status().has_value());
  EXPECT_EQ(cursor.status().error().code(), ErrorCode::kCorruption);
  cursor.seek_to_last();
  EXPECT_TRUE(stands_at(cursor, rows, std::prev(rows.end())));
}

// The system is told of every block of a walk once, and of none that is in memory.
TEST(TableCursor, TellsWhatAWalkReadsNext) {
  OpenTableRig rig;
  os::FaultyDisk disk(rig.disk);
  const TableWorld world{
      .disk = disk, .budget = rig.budget, .domain = rig.domain, .cache = *rig.cache};
  const TableInfo info = rig.write(1, table::plain_rows(9000));
  const auto table = OpenTable::open(world, rig.path(1), rig.identity(1), info).value();
  TableCursor point(table);
  point.seek(table->file().separator(5));
  EXPECT_EQ(disk.ahead_bytes(), 0U) << "one block is no walk";
  const auto walk = [&] {
    TableCursor cursor(table);
    for (cursor.seek_to_first(); cursor.is_valid();) cursor.next();
  };
  walk();
  EXPECT_EQ(disk.ahead_bytes(), table->file().offset(table->file().block_count()));
  walk();
  EXPECT_EQ(disk.ahead_bytes(), table->file().offset(table->file().block_count()));
}

}  // namespace
}  // namespace ashlar::lsm
