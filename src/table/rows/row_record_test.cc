// What is written as a row is read as that row, with a deadline and without.

#include "table/rows/row_record.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

class RowRecordTest : public ::testing::Test {
 protected:
  RowRecord write(const RowKey& key, const CachedRow& row) {
    RowRecord::write(bytes_.data(), key, row);
    return RowRecord(bytes_.data());
  }

  alignas(8) std::array<char, RowRecord::kBytesMax> bytes_ = {};
};

TEST_F(RowRecordTest, IsReadAsItWasWritten) {
  testing::Random random(testing::seed());
  for (int i = 0; i < 500; ++i) {
    const std::string key = random.bytes(random.between(1, 100));
    const std::string value = random.bytes(random.below(500));
    const RowKey row_key{.table = random.next(), .key = key, .hash = random.next()};
    const CachedRow row{
        .kind = random.chance(10) ? engine::OperationKind::kErase : engine::OperationKind::kPut,
        .deadline_ms =
            random.chance(30) ? static_cast<engine::TimeMs>(random.next() >> 2U) : engine::kNever,
        .value = value};
    const RowRecord record = write(row_key, row);
    EXPECT_EQ(record.identity(), row_key.identity());
    EXPECT_EQ(record.table(), static_cast<std::uint16_t>(row_key.table));
    EXPECT_EQ(record.key(), key);
    EXPECT_EQ(record.row().kind, row.kind);
    EXPECT_EQ(record.row().deadline_ms, row.deadline_ms);
    EXPECT_EQ(record.row().value, value);
    EXPECT_EQ(record.bytes(), RowRecord::bytes_of(key, row));
    EXPECT_EQ(record.bytes() % RowRecord::kAlignmentBytes, 0U);
  }
}

TEST_F(RowRecordTest, HoldsTheLongestRow) {
  const std::string key(40, 'k');
  const std::string value(RowRecord::kBytesMax - 16 - key.size(), 'v');
  const CachedRow row{
      .kind = engine::OperationKind::kPut, .deadline_ms = engine::kNever, .value = value};
  EXPECT_EQ(RowRecord::bytes_of(key, row), RowRecord::kBytesMax);
  EXPECT_EQ(write({.table = 1, .key = key, .hash = 2}, row).row().value, value);
}

TEST_F(RowRecordTest, IsAReadingColderAsACopy) {
  const RowRecord record =
      write({.table = 1, .key = "key", .hash = 2},
            {.kind = engine::OperationKind::kPut, .deadline_ms = 77, .value = "value"});
  touch(record.heat());
  touch(record.heat());
  alignas(8) std::array<char, 64> place = {};
  RowRecord::copy(place.data(), record);
  const RowRecord copy(place.data());
  EXPECT_EQ(copy.heat().load(), 1);
  EXPECT_EQ(copy.key(), "key");
  EXPECT_EQ(copy.row().value, "value");
  EXPECT_EQ(copy.row().deadline_ms, 77);
  EXPECT_EQ(record.heat().load(), 2) << "readers may still be there";
}

// W18: rows of one key in two tables are told apart, whatever the numbers.
TEST(RowKey, HasAnotherIdentityInEveryTable) {
  testing::Random random(testing::seed());
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t hash = random.next();
    const std::uint64_t one = random.next();
    const std::uint64_t other = random.chance(50) ? one + 1 + random.below(100) : ~one;
    EXPECT_NE((RowKey{.table = one, .key = "k", .hash = hash}).identity(),
              (RowKey{.table = other, .key = "k", .hash = hash}).identity());
  }
}

}  // namespace
}  // namespace ashlar::table
