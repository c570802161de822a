// What stands between a bad disk and the data: no flipped bit of a table passes, and a table of a
// million rows gives every one of them back.

#include <gtest/gtest.h>

#include "table/table_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

/// Opens and reads everything. Returns: the words of the refusal, or nothing
std::string refusal_of(os::SimulatedDisk& disk, const TestRows& rows) {
  const auto table = open_table(disk);
  if (!table) return std::string(table.error().message());
  const auto read = read_rows(**table);
  if (!read) return std::string(read.error().message());
  EXPECT_EQ(*read, rows);
  return {};
}

class EveryBit : public ::testing::TestWithParam<Compression> {};

// G4, G5: each byte is covered, so each flipped bit is found, and found by file and offset.
TEST_P(EveryBit, IsCovered) {
  os::SimulatedDisk disk;
  testing::Random random(testing::seed());
  TestRows rows = plain_rows(40, 300);
  rows.merge(mixed_rows(random, 40));
  ASSERT_TRUE(write_table(disk, rows, {.compression = GetParam()}).has_value());
  const std::string content = disk.read_all(kTestPath);
  ASSERT_GT(content.size(), 1'000U);
  ASSERT_EQ(refusal_of(disk, rows), "");
  // A sanitizer build takes every eighth bit, another one in each byte.
  for (std::size_t bit = 0; bit < 8 * content.size();
       bit += testing::kWorkDivisor == 1 ? 1 : testing::kWorkDivisor + 1) {
    const char flipped = static_cast<char>(content[bit / 8] ^ 1 << bit % 8);
    disk.overwrite(kTestPath, bit / 8, {&flipped, 1});
    ASSERT_TRUE(refusal_of(disk, rows).starts_with("/0000000012.table at ")) << "bit " << bit;
    disk.overwrite(kTestPath, bit / 8, content.substr(bit / 8, 1));
  }
  EXPECT_EQ(refusal_of(disk, rows), "");
}

// The same of a table that has a dictionary, which takes a longer one to learn from: some bits.
TEST(SomeBits, OfATableWithADictionaryAreCovered) {
  os::SimulatedDisk disk;
  testing::Random random(testing::seed());
  const TestRows rows = plain_rows(1'500, 300);
  ASSERT_TRUE(write_table(disk, rows, {.compression = Compression::kZstdDictionary}).has_value());
  ASSERT_TRUE((*open_table(disk))->has_dictionary());
  const std::string content = disk.read_all(kTestPath);
  for (std::uint64_t round = 0; round < testing::scaled(3'000); ++round) {
    const std::size_t bit = random.below(8 * content.size());
    const char flipped = static_cast<char>(content[bit / 8] ^ 1 << bit % 8);
    disk.overwrite(kTestPath, bit / 8, {&flipped, 1});
    ASSERT_TRUE(refusal_of(disk, rows).starts_with("/0000000012.table at ")) << "bit " << bit;
    disk.overwrite(kTestPath, bit / 8, content.substr(bit / 8, 1));
  }
  EXPECT_EQ(refusal_of(disk, rows), "");
}

INSTANTIATE_TEST_SUITE_P(All, EveryBit, ::testing::ValuesIn(kAllCompressions));

std::string key_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return "user" + digits.insert(0, 12 - digits.size(), '0');
}

TEST(LongTable, GivesBackAMillionRows) {
  const std::uint64_t count = testing::scaled(1'000'000);
  for (const Compression compression : {Compression::kLz4, Compression::kZstdDictionary}) {
    os::SimulatedDisk disk;
    const auto writer =
        TableWriter::create(disk, kTestPath, kTestIdentity, {.compression = compression});
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string key = key_of(i * 3);
      ASSERT_TRUE((*writer)->add({.key = key, .value = key}, test_hash(key)).has_value());
    }
    ASSERT_TRUE((*writer)->finish().has_value());
    const auto table = open_table(disk).value();
    EXPECT_EQ(table->has_dictionary(), compression == Compression::kZstdDictionary);
    TableWalk walk(*table);
    std::uint64_t row = 0;
    for (walk.seek_to_first(); walk.is_valid(); walk.next(), ++row) {
      ASSERT_EQ(walk.key(), key_of(row * 3));
      ASSERT_EQ(walk.value(), walk.key());
    }
    ASSERT_TRUE(walk.status().has_value());
    EXPECT_EQ(row, count);
    testing::Random random(testing::seed());
    for (std::uint64_t probe = 0; probe < testing::scaled(20'000); ++probe) {
      const std::uint64_t number = random.below(3 * count);
      const auto found = get_row(*table, key_of(number)).value();
      ASSERT_EQ(found.has_value(), number % 3 == 0);
    }
  }
}

}  // namespace
}  // namespace ashlar::table
