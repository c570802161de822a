// What a repaired table relies on: the rows of every block that can be read, erases and deadlines
// as they were, and nothing else (I12).

#include "db/inspection/table_copy.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"
#include "os/simulated_disk.h"
#include "table/table_walk.h"
#include "table/table_writer.h"

namespace ashlar::db {
namespace {

struct OwnedRow {
  std::string key;
  std::string value;
  engine::OperationKind kind = engine::OperationKind::kPut;
  engine::TimeMs deadline_ms = engine::kNever;
  bool operator==(const OwnedRow&) const = default;
};

class TableCopyTest : public ::testing::Test {
 protected:
  static constexpr table::TableIdentity kFrom{.database_id = 1, .number = 3, .hash_seed = 2};

  void SetUp() override {
    const auto writer =
        table::TableWriter::create(disk_, "/from", kFrom, {.filter_bits_per_key = 12});
    for (int i = 0; i < 200; ++i) {
      OwnedRow row{.key = "key" + std::to_string(1000 + i), .value = std::string(300, 'v')};
      if (i % 7 == 0) {
        row.kind = engine::OperationKind::kErase;
        row.value.clear();
      }
      if (i % 7 == 1) row.deadline_ms = 5000 + i;
      rows_.push_back(row);
      ASSERT_TRUE((*writer)->add(
          {.kind = row.kind, .key = row.key, .value = row.value, .deadline_ms = row.deadline_ms},
          base::hash_key(row.key, kFrom.hash_seed)));
    }
    ASSERT_TRUE((*writer)->finish().has_value());
  }

  static NewTable table_without(std::vector<std::size_t> blocks) {
    return {.name = "tables/0000000009.table",
            .number = 9,
            .level = 2,
            .age_rank = 5,
            .source = "/from",
            .identity = kFrom,
            .lost_blocks = std::move(blocks)};
  }

  std::unique_ptr<table::TableFile> open(const std::string& path, std::uint64_t number) {
    return std::move(
        *table::TableFile::open(disk_, path, {.database_id = 1, .number = number, .hash_seed = 2}));
  }
  static std::vector<OwnedRow> rows_of(const table::TableFile& file) {
    std::vector<OwnedRow> rows;
    table::TableWalk walk(file);
    for (walk.seek_to_first(); walk.is_valid(); walk.next()) {
      rows.push_back({.key = std::string(walk.key()),
                      .value = std::string(walk.value()),
                      .kind = walk.kind(),
                      .deadline_ms = walk.deadline_ms()});
      EXPECT_TRUE(file.may_contain(base::hash_key(walk.key(), kFrom.hash_seed)));
    }
    EXPECT_TRUE(walk.status().has_value());
    return rows;
  }

  os::SimulatedDisk disk_;
  std::vector<OwnedRow> rows_;
};

TEST_F(TableCopyTest, HasEveryRowOfASoundTable) {
  const auto info = copy_table(disk_, table_without({}), "/to");
  ASSERT_TRUE(info.has_value()) << info.error().message();
  const auto copy = open("/to", 9);
  EXPECT_EQ(rows_of(*copy), rows_);
  EXPECT_EQ(info->number, 9U);
  EXPECT_EQ(info->age_rank, 5U);
  EXPECT_EQ(info->row_count, rows_.size());
  EXPECT_EQ(info->erase_count, 29U);
  EXPECT_EQ(info->expiring_count, 29U);
  EXPECT_EQ(info->earliest_deadline_ms, 5001);
  EXPECT_EQ(info->file_bytes, copy->properties().file_bytes);
  EXPECT_EQ(copy->properties().filter_bits_per_key, 12U);
}

TEST_F(TableCopyTest, LeavesOutTheBlocksThatAreLostAndNoOther) {
  const auto from = open("/from", 3);
  ASSERT_GT(from->block_count(), 3U);
  const std::string begin = from->separator(1);
  const std::string end = from->separator(2);
  disk_.overwrite("/from", from->offset(1) + 5, "damage");
  const auto info = copy_table(disk_, table_without({1}), "/to");
  ASSERT_TRUE(info.has_value()) << info.error().message();
  std::vector<OwnedRow> expected = rows_;
  std::erase_if(expected, [&](const OwnedRow& row) { return row.key >= begin && row.key < end; });
  EXPECT_LT(expected.size(), rows_.size());
  EXPECT_EQ(rows_of(*open("/to", 9)), expected);
}

TEST_F(TableCopyTest, RefusesABlockThatIsDamagedMeanwhile) {
  disk_.overwrite("/from", 5, "damage");
  const auto info = copy_table(disk_, table_without({}), "/to");
  ASSERT_FALSE(info.has_value());
  EXPECT_EQ(info.error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace ashlar::db
