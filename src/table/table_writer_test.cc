// What a caller of the writer relies on: a finished table says truly what is in it, a block moves
// from one table to another as it is, and a failure of the disk is told.

#include "table/table_writer.h"

#include <gtest/gtest.h>

#include "os/faulty_disk.h"
#include "table/table_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

TEST(TableWriter, TellsWhatIsInTheTable) {
  os::SimulatedDisk disk;
  const TestRows rows = {
      {"a", {.value = "1"}},
      {"b", {.kind = engine::OperationKind::kErase}},
      {"c", {.value = "2", .deadline_ms = 500}},
      {"d", {.value = "3", .deadline_ms = 400}},
  };
  const auto properties = write_table(disk, rows, {});
  ASSERT_TRUE(properties.has_value());
  EXPECT_EQ(properties->row_count, 4U);
  EXPECT_EQ(properties->erase_count, 1U);
  EXPECT_EQ(properties->expiring_count, 2U);
  EXPECT_EQ(properties->earliest_deadline_ms, 400);
  EXPECT_EQ(properties->block_count, 1U);
  EXPECT_EQ(properties->smallest_key, "a");
  EXPECT_EQ(properties->largest_key, "d");
  EXPECT_EQ(properties->filter_bits_per_hash, 6);
  EXPECT_EQ(properties->file_bytes, disk.read_all(kTestPath).size());
}

TEST(TableWriter, KnowsAboutHowLongTheFileIs) {
  os::SimulatedDisk disk;
  const TestRows rows = plain_rows(3'000);
  for (const Compression compression : kAllCompressions) {
    const std::string path = "/" + std::to_string(static_cast<int>(compression));
    const auto writer =
        TableWriter::create(disk, path, kTestIdentity, {.compression = compression});
    for (const auto& row : rows) {
      ASSERT_TRUE((*writer)->add(operation_of(row), test_hash(row.first)).has_value());
    }
    const std::uint64_t expected = (*writer)->file_bytes();
    const auto properties = (*writer)->finish();
    ASSERT_TRUE(properties.has_value());
    // The dictionary has not been trained when so little was added: then it is a bound.
    EXPECT_GE(expected + 30'000, properties->file_bytes);
    if (compression != Compression::kZstdDictionary) {
      EXPECT_LE(expected, properties->file_bytes + 30'000);
    }
  }
}

TEST(TableWriter, MakesATableOfCompressibleRowsShorter) {
  os::SimulatedDisk disk;
  const TestRows rows = plain_rows(5'000, 400);
  std::uint64_t bytes_before = UINT64_MAX;
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    const std::string path = "/" + std::to_string(static_cast<int>(compression));
    const auto properties = write_table(disk, rows, {.compression = compression}, path);
    ASSERT_TRUE(properties.has_value());
    EXPECT_LT(properties->file_bytes, bytes_before);
    bytes_before = properties->file_bytes;
  }
}

/// Copies a table block by block.
Result<TableProperties> copy_blocks(os::Disk& disk, const TableFile& from, const std::string& path,
                                    const TableIdentity& identity, const TableOptions& options) {
  ASHLAR_TRY_ASSIGN(const auto writer, TableWriter::create(disk, path, identity, options));
  TableWalk walk(from);
  for (walk.seek_to_first(); walk.is_valid(); walk.skip_block()) {
    EXPECT_TRUE(walk.is_at_block_begin());
    ASHLAR_TRY(writer->add_stored_block(walk.stored_block(), walk.rows()));
  }
  ASHLAR_TRY(walk.status());
  return writer->finish();
}

TEST(TableWriter, TakesStoredBlocksOfAnotherTable) {
  testing::Random random(testing::seed());
  const TestRows rows = mixed_rows(random, 3'000);
  const TableIdentity other{.database_id = 0xdb, .number = 13, .hash_seed = kTestHashSeed};
  for (const Compression compression :
       {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
    os::SimulatedDisk disk;
    const auto written = write_table(disk, rows, {.compression = compression});
    const auto from = open_table(disk);
    ASSERT_TRUE(from.has_value());
    const auto copied = copy_blocks(disk, **from, "/copy", other, {.compression = compression});
    ASSERT_TRUE(copied.has_value());
    EXPECT_EQ(copied->row_count, written->row_count);
    EXPECT_EQ(copied->erase_count, written->erase_count);
    EXPECT_EQ(copied->expiring_count, written->expiring_count);
    EXPECT_EQ(copied->earliest_deadline_ms, written->earliest_deadline_ms);
    EXPECT_EQ(copied->raw_bytes, written->raw_bytes);
    EXPECT_EQ(copied->largest_key, written->largest_key);
    const auto copy = open_table(disk, "/copy", other);
    ASSERT_TRUE(copy.has_value());
    EXPECT_EQ(read_rows(**copy).value(), rows);
    for (const auto& row : rows) ASSERT_TRUE((*copy)->may_contain(test_hash(row.first)));  // G7.
  }
}

TEST(TableWriter, TakesRowsAndStoredBlocksInTurn) {
  os::SimulatedDisk disk;
  const TestRows rows = plain_rows(2'000);
  ASSERT_TRUE(write_table(disk, rows, {}).has_value());
  const auto from = open_table(disk).value();
  for (const Compression compression : kAllCompressions) {
    const std::string path = "/mixed" + std::to_string(static_cast<int>(compression));
    const auto writer =
        TableWriter::create(disk, path, kTestIdentity, {.compression = compression});
    TableWalk walk(*from);
    for (walk.seek_to_first(); walk.is_valid();) {
      if (walk.is_at_block_begin() && walk.block() % 3 == 0) {
        ASSERT_TRUE((*writer)->add_stored_block(walk.stored_block(), walk.rows()).has_value());
        walk.skip_block();
        continue;
      }
      const engine::Operation row{.key = walk.key(), .value = walk.value()};
      ASSERT_TRUE((*writer)->add(row, test_hash(row.key)).has_value());
      walk.next();
    }
    ASSERT_TRUE((*writer)->finish().has_value());
    EXPECT_EQ(read_rows(**open_table(disk, path)).value(), rows);
  }
}

TEST(TableWriterDeathTest, RefusesABlockThatNeedsADictionary) {
  EXPECT_FALSE(TableWriter::can_take(Compression::kZstdDictionary));
  EXPECT_TRUE(TableWriter::can_take(Compression::kZstd));
  os::SimulatedDisk disk;
  const auto writer = TableWriter::create(disk, "/t", kTestIdentity, {});
  const std::string raw = block_of_rows({{"a", {.value = "1"}}});
  const StoredBlock stored{.bytes = raw, .kind = Compression::kZstdDictionary, .raw_bytes = 1};
  EXPECT_DEATH(static_cast<void>((*writer)->add_stored_block(stored, Block(raw))), "dictionary");
}

// G6.
TEST(TableWriterDeathTest, RefusesABlockBehindItsPlace) {
  os::SimulatedDisk disk;
  const auto writer = TableWriter::create(disk, "/t", kTestIdentity, {});
  ASSERT_TRUE((*writer)->add({.key = "m", .value = ""}, test_hash("m")).has_value());
  const std::string raw = block_of_rows({{"a", {.value = "1"}}});
  const StoredBlock stored{.bytes = raw, .kind = Compression::kNone, .raw_bytes = raw.size()};
  EXPECT_DEATH(static_cast<void>((*writer)->add_stored_block(stored, Block(raw))), "G6");
  EXPECT_DEATH(static_cast<void>((*writer)->add({.key = "a", .value = ""}, test_hash("a"))), "P6");
}

TEST(TableWriter, DoesNotReplaceAFile) {
  os::SimulatedDisk disk;
  ASSERT_TRUE(write_table(disk, plain_rows(1), {}).has_value());
  const auto again = TableWriter::create(disk, kTestPath, kTestIdentity, {});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code(), ErrorCode::kUnavailable);
}

// Whichever call of the disk fails: the caller hears of it.
TEST(TableWriter, TellsOfEachFailedCall) {
  const TestRows rows = plain_rows(4'000, 200);
  std::uint64_t call_count = 0;
  {
    os::SimulatedDisk disk;
    os::FaultyDisk faulty(disk);
    ASSERT_TRUE(write_table(faulty, rows, {}).has_value());
    call_count = faulty.call_count(os::CallKind::kAny);
  }
  ASSERT_GE(call_count, 5U) << "made, written in pieces, synced";
  for (std::uint64_t nth = 0; nth < call_count; ++nth) {
    for (const os::Fault fault : {os::Fault::kEio, os::Fault::kEnospc}) {
      os::SimulatedDisk disk;
      os::FaultyDisk faulty(disk);
      faulty.fail(os::CallKind::kAny, nth, fault, os::FaultSpan::kOnce);
      const auto result = write_table(faulty, rows, {});
      ASSERT_FALSE(result.has_value()) << "call " << nth;
      EXPECT_NE(result.error().message().find(kTestPath), std::string_view::npos);
    }
  }
}

// What `finish` has returned survives a power cut, once the name does.
TEST(TableWriter, IsDurableWhenItIsFinished) {
  os::SimulatedDisk disk;
  const TestRows rows = plain_rows(1'000);
  ASSERT_TRUE(write_table(disk, rows, {.compression = Compression::kLz4}).has_value());
  ASSERT_TRUE(os::sync_directory(disk, "/").has_value());
  disk.cut_power(os::PowerCut::kKeepNothing, testing::seed());
  const auto table = open_table(disk);
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(read_rows(**table).value(), rows);
}

}  // namespace
}  // namespace ashlar::table
