// What a writer of blocks relies on: every row that it adds comes back, and a block ends before it
// is too long, whatever the rows are.

#include "table/block_builder.h"

#include <gtest/gtest.h>

#include <string>

#include "table/block_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

void expect_rows(const std::string& raw, TestRows::const_iterator from,
                 TestRows::const_iterator until) {
  ASSERT_EQ(block_fault(raw), nullptr);
  const Block block(raw);
  std::string buffer;
  block.begin_keys(buffer);
  std::uint32_t row = 0;
  for (; from != until; ++from, ++row) {
    ASSERT_LT(row, block.row_count());
    ASSERT_EQ(block.key(row, buffer), from->first);
    ASSERT_EQ(row_of(block, row), from->second);
  }
  ASSERT_EQ(row, block.row_count());
}

// P6, P7, P9.
TEST(BlockBuilder, GivesBackAllRowsInBlocksOfBoundedLength) {
  testing::Random random(testing::seed());
  for (std::uint64_t round = 0; round < testing::scaled(200); ++round) {
    const RowForm form{.value_bytes_max = random.below(200),
                       .erase_percent = random.chance(50) ? 0U : 30U,
                       .deadline_percent = random.chance(50) ? 0U : 30U};
    TestRows rows;
    for (int i = 0; i < 500; ++i) rows[hard_key(random)] = random_row(random, form);
    for (auto from = rows.cbegin(); from != rows.cend();) {
      const auto begin = from;
      const std::string raw = block_of_rows(from, rows);
      ASSERT_LE(raw.size(), kBlockBytesMax);
      expect_rows(raw, begin, from);
    }
  }
}

// 16-byte keys and 100-byte values, the row that the engine is measured by.
TEST(BlockBuilder, TakesTwoBytesARowBesideKeysAndValues) {
  TestRows rows;
  for (int i = 0; i < 100; ++i) {
    const std::string digits = std::to_string(100'000'000 + i * 7919);
    rows["key0000" + digits] = {.value = std::string(100, 'v')};
  }
  auto from = rows.cbegin();
  const std::string raw = block_of_rows(from, rows);
  const Block block(raw);
  const std::size_t row_bytes = 116 * std::size_t{block.row_count()};
  EXPECT_GE(block.row_count(), 70U);
  EXPECT_LE(raw.size(), row_bytes + 2 * block.row_count() + 32) << "the prefix is kept once";
}

TEST(BlockBuilder, KeepsOfDenseKeysNothingButTheirHeads) {
  TestRows rows;
  for (int i = 100; i < 170; ++i) rows["user000000000" + std::to_string(i)] = {.value = "v"};
  const std::string raw = block_of_rows(rows);
  const std::size_t prefix_bytes = 12;
  EXPECT_EQ(raw.size(), kBlockHeaderBytes + prefix_bytes + 70 * (2 + kHeadBytes + 1));
}

TEST(BlockBuilder, GivesALongRowABlockOfItsOwn) {
  const TestRows rows = {{"a", {.value = "1"}},
                         {std::string(65'535, 'k'), {.value = std::string(1 << 20, 'v')}},
                         {"z", {.value = "2"}}};
  auto from = rows.cbegin();
  for (auto row = rows.cbegin(); row != rows.cend(); ++row) {
    const std::string raw = block_of_rows(from, rows);
    expect_rows(raw, row, std::next(row));
    EXPECT_EQ(from, std::next(row));
  }
}

TEST(BlockBuilder, FillsABlockToTheLastByte) {
  const std::string key(16, 'k');
  BlockBuilder builder;
  builder.add({.key = key, .value = "v"}, 1);
  std::string other = key;
  other.back() = 'l';
  std::size_t bytes_max = 0;
  for (std::size_t bytes = 7'000; bytes < 9'000; ++bytes) {
    const std::string value(bytes, 'w');
    if (builder.fits({.key = other, .value = value})) bytes_max = bytes;
  }
  const std::string value(bytes_max, 'w');
  builder.add({.key = other, .value = value}, 2);
  std::string raw;
  builder.finish(raw);
  EXPECT_EQ(raw.size(), kBlockBytesMax);
  EXPECT_TRUE(builder.is_empty());
}

TEST(BlockBuilderDeathTest, RefusesKeysOutOfOrder) {
  BlockBuilder builder;
  builder.add({.key = "b", .value = ""}, 0);
  EXPECT_DEATH(builder.add({.key = "b", .value = ""}, 0), "P6");
  EXPECT_DEATH(builder.add({.key = "a", .value = ""}, 0), "P6");
}

TEST(BlockBuilderDeathTest, RefusesAnEraseThatHoldsSomething) {
  BlockBuilder builder;
  EXPECT_DEATH(builder.add({.kind = engine::OperationKind::kErase, .key = "b", .value = "v"}, 0),
               "P9");
}

}  // namespace
}  // namespace ashlar::table
