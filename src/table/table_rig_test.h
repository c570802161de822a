/// \file
/// Tables for tests: rows written to a disk in memory, opened, and read back.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "os/simulated_disk.h"
#include "table/block_rig_test.h"
#include "table/table_file.h"
#include "table/table_walk.h"
#include "table/table_writer.h"

namespace ashlar::table {

inline constexpr TableIdentity kTestIdentity{
    .database_id = 0xdb, .number = 12, .hash_seed = kTestHashSeed};
inline constexpr const char* kTestPath = "/0000000012.table";

inline constexpr Compression kAllCompressions[] = {
    Compression::kNone, Compression::kLz4, Compression::kZstd, Compression::kZstdDictionary};

/// Rows whose keys are easy to tell apart and whose values repeat themselves.
inline TestRows plain_rows(std::size_t count, std::size_t value_bytes = 100) {
  TestRows rows;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string digits = std::to_string(1'000'000'000 + i * 7);
    std::string value = "value of " + digits + ":";
    while (value.size() < value_bytes) value += value;
    value.resize(value_bytes);
    rows["user" + digits] = {.value = std::move(value)};
  }
  return rows;
}

/// Rows with hard keys, erases and deadlines among them.
inline TestRows mixed_rows(testing::Random& random, std::size_t count) {
  TestRows rows;
  for (std::size_t i = 0; i < count; ++i) rows[hard_key(random)] = random_row(random, {});
  return rows;
}

inline Result<TableProperties> write_table(os::Disk& disk, const TestRows& rows,
                                           const TableOptions& options,
                                           const std::string& path = kTestPath,
                                           const TableIdentity& identity = kTestIdentity) {
  ASHLAR_TRY_ASSIGN(const auto writer, TableWriter::create(disk, path, identity, options));
  for (const auto& row : rows) {
    ASHLAR_TRY(writer->add(operation_of(row), test_hash(row.first)));
  }
  return writer->finish();
}

inline Result<std::unique_ptr<TableFile>> open_table(
    os::Disk& disk, const std::string& path = kTestPath,
    const TableIdentity& identity = kTestIdentity) {
  return TableFile::open(disk, path, identity);
}

/// The row that the walk stands at.
inline TestRow row_at(const TableWalk& walk) {
  return {
      .kind = walk.kind(), .value = std::string(walk.value()), .deadline_ms = walk.deadline_ms()};
}

/// All rows of a table.
inline Result<TestRows> read_rows(const TableFile& table) {
  TestRows rows;
  TableWalk walk(table);
  for (walk.seek_to_first(); walk.is_valid(); walk.next()) {
    const bool is_new = rows.emplace(walk.key(), row_at(walk)).second;
    EXPECT_TRUE(is_new) << "G6: a key comes once";
  }
  ASHLAR_TRY(walk.status());
  return rows;
}

/// What a point read does.
inline Result<std::optional<TestRow>> get_row(const TableFile& table, std::string_view key) {
  const std::uint64_t hash = test_hash(key);
  if (!table.may_contain(hash)) return std::nullopt;
  const std::size_t index = table.block_of(key);
  std::string raw(table.raw_bytes(index), '\0');
  ASHLAR_TRY(table.load_block(index, raw));
  const Block block(raw);
  const auto row = block.find(key, tag_of(hash));
  return row ? std::optional(row_of(block, *row)) : std::nullopt;
}

}  // namespace ashlar::table
