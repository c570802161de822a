// What a compaction relies on: a walk goes through tables that follow each other as if they were
// one, reads far ahead in one of them at a time, and stops at damage with the reason.

#include "lsm/upkeep/level_walk.h"

#include <gtest/gtest.h>

#include <iterator>
#include <vector>

#include "lsm/open_table_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

/// Cuts `rows` into tables of `table_rows` rows each.
std::vector<TableRef> level_of(OpenTableRig& rig, const table::TestRows& rows,
                               std::size_t table_rows) {
  std::vector<TableRef> tables;
  table::TestRows part;
  for (const auto& row : rows) {
    part.insert(row);
    if (part.size() < table_rows && row.first != rows.rbegin()->first) continue;
    tables.emplace_back(rig.table_of(tables.size() + 1, part));
    part.clear();
  }
  return tables;
}

// V3: a table ends before the next begins, so one after the other is in order.
TEST(LevelWalk, GoesThroughAllTables) {
  testing::Random random(testing::seed());
  OpenTableRig rig;
  const auto rows = table::mixed_rows(random, 1000);
  const auto tables = level_of(rig, rows, 70);
  LevelWalk walk(tables);
  EXPECT_FALSE(walk.is_valid());
  auto expected = rows.begin();
  for (walk.seek_to_first(); walk.is_valid(); walk.next(), ++expected) {
    ASSERT_TRUE(stands_at(walk, rows, expected));
  }
  EXPECT_TRUE(stands_at(walk, rows, rows.end()));
  EXPECT_EQ(expected, rows.end());
}

TEST(LevelWalk, SeeksWhatAMapSeeks) {
  testing::Random random(testing::seed());
  OpenTableRig rig;
  const auto rows = table::mixed_rows(random, 1000);
  const auto tables = level_of(rig, rows, 70);
  LevelWalk walk(tables);
  for (int probe = 0; probe < 300; ++probe) {
    const std::string key = random.chance(95) ? table::hard_key(random) : std::string(20, '\xff');
    auto expected = rows.lower_bound(key);
    walk.seek(key);
    ASSERT_TRUE(stands_at(walk, rows, expected));
    for (int step = 0; step < 80 && expected != rows.end(); ++step) {
      walk.next();
      ASSERT_TRUE(stands_at(walk, rows, ++expected));
    }
  }
}

TEST(LevelWalk, LeavesTheCacheAsItIs) {
  OpenTableRig rig;
  const auto tables = level_of(rig, table::plain_rows(500), 100);
  LevelWalk walk(tables);
  for (walk.seek_to_first(); walk.is_valid();) walk.next();
  EXPECT_EQ(rig.cache->stats().miss_count, 0U);
}

// A table that cannot be read to its end is not passed over, nor is one that cannot be begun.
TEST(LevelWalk, StopsAtDamageInTheNextTable) {
  for (const std::uint64_t offset : {5U, 9000U}) {
    OpenTableRig rig;
    const auto rows = table::plain_rows(300);
    const auto tables = level_of(rig, rows, 100);
    rig.disk.overwrite("/2", offset, "damage");
    LevelWalk walk(tables);
    std::size_t count = 0;
    for (walk.seek_to_first(); walk.is_valid(); walk.next()) ++count;
    EXPECT_EQ(count >= 150, offset > 5);
    EXPECT_LT(count, 200U);
    EXPECT_EQ(walk.status().error().code(), ErrorCode::kCorruption);
    walk.seek(std::next(rows.begin(), 200)->first);
    EXPECT_TRUE(walk.is_valid()) << "what is behind the damage can be read";
    EXPECT_TRUE(walk.status().has_value());
  }
}

TEST(LevelWalkDeathTest, GoesForwardOnly) {
  OpenTableRig rig;
  const auto tables = level_of(rig, table::plain_rows(1), 1);
  LevelWalk walk(tables);
  EXPECT_DEATH(walk.next(), "at a row");
  EXPECT_DEATH(walk.previous(), "forward");
  EXPECT_DEATH(walk.seek_to_last(), "forward");
  EXPECT_DEATH(walk.seek_for_previous("k"), "forward");
  EXPECT_DEATH(LevelWalk{std::span<const TableRef>()}, "has a table");
}

}  // namespace
}  // namespace ashlar::lsm
