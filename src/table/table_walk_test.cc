// What a compaction relies on: a walk gives all rows from a key on in their order, reads far ahead,
// and stops at damage with the reason.

#include "table/table_walk.h"

#include <gtest/gtest.h>

#include "os/faulty_disk.h"
#include "table/table_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

TEST(TableWalk, SeeksWhatAMapSeeks) {
  testing::Random random(testing::seed());
  os::SimulatedDisk disk;
  const TestRows rows = mixed_rows(random, testing::scaled(3'000));
  ASSERT_TRUE(write_table(disk, rows, {.compression = Compression::kLz4}).has_value());
  const auto table = open_table(disk).value();
  TableWalk walk(*table);
  EXPECT_FALSE(walk.is_valid());
  for (std::uint64_t probe = 0; probe < testing::scaled(500); ++probe) {
    const std::string key = random.chance(95) ? hard_key(random) : std::string(20, '\xff');
    walk.seek(key);
    auto expected = rows.lower_bound(key);
    for (int step = 0; step < 20 && expected != rows.end(); ++step, ++expected) {
      ASSERT_TRUE(walk.is_valid());
      ASSERT_EQ(walk.key(), expected->first);
      ASSERT_EQ(row_at(walk), expected->second);
      walk.next();
    }
    ASSERT_EQ(walk.is_valid(), expected != rows.end());
    ASSERT_TRUE(walk.status().has_value());
  }
}

// From the last key of a block the first of the next is one step away, and a key between two blocks
// leads to the second.
TEST(TableWalk, CrossesFromBlockToBlock) {
  os::SimulatedDisk disk;
  const TestRows rows = plain_rows(1'000);
  ASSERT_TRUE(write_table(disk, rows, {}).has_value());
  const auto table = open_table(disk).value();
  TableWalk walk(*table);
  for (const auto& [key, row] : rows) {
    walk.seek(key + '\0');
    const auto next = rows.upper_bound(key);
    ASSERT_EQ(walk.is_valid(), next != rows.end());
    if (walk.is_valid()) {
      ASSERT_EQ(walk.key(), next->first);
    }
  }
}

TEST(TableWalk, ReadsFarAhead) {
  os::SimulatedDisk below;
  os::FaultyDisk disk(below);
  const TestRows rows = plain_rows(10'000);
  const auto properties = write_table(disk, rows, {});
  ASSERT_TRUE(properties.has_value());
  const auto table = open_table(disk).value();
  const std::uint64_t reads_before = disk.call_count(os::CallKind::kRead);
  EXPECT_EQ(read_rows(*table).value(), rows);
  const std::uint64_t reads = disk.call_count(os::CallKind::kRead) - reads_before;
  EXPECT_LE(reads, properties->file_bytes / TableWalk::kReadAheadBytes + 1);
}

TEST(TableWalk, SkipsWholeBlocks) {
  os::SimulatedDisk disk;
  ASSERT_TRUE(write_table(disk, plain_rows(1'000), {}).has_value());
  const auto table = open_table(disk).value();
  TableWalk walk(*table);
  std::size_t block_count = 0;
  for (walk.seek_to_first(); walk.is_valid(); walk.skip_block(), ++block_count) {
    EXPECT_EQ(walk.block(), block_count);
    EXPECT_TRUE(walk.is_at_block_begin());
    EXPECT_EQ(walk.stored_block().raw_bytes, table->raw_bytes(block_count));
    walk.next();
    EXPECT_FALSE(walk.is_at_block_begin());
  }
  EXPECT_EQ(block_count, table->block_count());
}

TEST(TableWalk, StopsAtDamageWithTheReason) {
  os::SimulatedDisk disk;
  const TestRows rows = plain_rows(1'000);
  ASSERT_TRUE(write_table(disk, rows, {}).has_value());
  const auto table = open_table(disk).value();
  disk.overwrite(kTestPath, table->offset(2) + 100, "?");
  TableWalk walk(*table);
  std::size_t row_count = 0;
  for (walk.seek_to_first(); walk.is_valid(); walk.next()) ++row_count;
  ASSERT_FALSE(walk.status().has_value());
  EXPECT_EQ(walk.status().error().message(),
            "/0000000012.table at " + std::to_string(table->offset(2)) + ": block 2 is damaged");
  EXPECT_GT(row_count, 100U);
  walk.seek(rows.begin()->first);
  EXPECT_TRUE(walk.is_valid()) << "what is before the damage can be read";
  EXPECT_TRUE(walk.status().has_value());
}

TEST(TableWalk, TellsOfAReadThatFails) {
  os::SimulatedDisk below;
  ASSERT_TRUE(write_table(below, plain_rows(10), {}).has_value());
  os::FaultyDisk disk(below);
  const auto table = open_table(disk).value();
  TableWalk walk(*table);
  disk.fail(os::CallKind::kRead, disk.call_count(os::CallKind::kRead), os::Fault::kEio,
            os::FaultSpan::kOnce);
  walk.seek_to_first();
  EXPECT_FALSE(walk.is_valid());
  EXPECT_EQ(walk.status().error().code(), ErrorCode::kIo);
}

TEST(TableWalkDeathTest, GoesForwardOnly) {
  os::SimulatedDisk disk;
  ASSERT_TRUE(write_table(disk, plain_rows(1), {}).has_value());
  const auto table = open_table(disk).value();
  TableWalk walk(*table);
  EXPECT_DEATH(walk.next(), "at a row");
  EXPECT_DEATH(walk.previous(), "forward");
  EXPECT_DEATH(walk.seek_to_last(), "forward");
  EXPECT_DEATH(walk.seek_for_previous("k"), "forward");
}

}  // namespace
}  // namespace ashlar::table
