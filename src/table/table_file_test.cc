// What readers rely on: every row is found by its key, nothing else is, and a file that is not what
// it should be is refused by its name and the offset.

#include "table/table_file.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "os/faulty_disk.h"
#include "table/table_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

/// Rows at the limits, beside hard ones.
TestRows rows_at_the_limits(testing::Random& random) {
  TestRows rows = mixed_rows(random, testing::scaled(2'000));
  rows[std::string(kKeyBytesHardMax, 'k')] = {.value = "long key"};
  rows[std::string(kKeyBytesHardMax - 1, 'k')] = {.value = std::string(9'000, 'v')};
  rows[std::string(kKeyBytesHardMax, '\xff')] = {.kind = engine::OperationKind::kErase};
  rows["one MiB"] = {.value = random.bytes(std::size_t{1} << 20U), .deadline_ms = 3};
  rows["one MiB that repeats"] = {.value = std::string(std::size_t{1} << 20U, 'r')};
  rows[std::string(1, '\0')] = {.value = ""};
  return rows;
}

void expect_finds_all(const TableFile& table, const TestRows& rows) {
  for (const auto& [key, row] : rows) {
    const auto found = get_row(table, key);
    ASSERT_TRUE(found.has_value()) << found.error().message();
    ASSERT_TRUE(found->has_value());
    ASSERT_EQ(**found, row);
  }
}

TEST(TableFile, FindsEveryRow) {
  testing::Random random(testing::seed());
  const TestRows rows = rows_at_the_limits(random);
  for (const Compression compression : kAllCompressions) {
    for (const unsigned filter_bits : {0U, 10U}) {
      os::SimulatedDisk disk;
      const TableOptions options{.compression = compression, .filter_bits_per_key = filter_bits};
      ASSERT_TRUE(write_table(disk, rows, options).has_value());
      const auto table = open_table(disk);
      ASSERT_TRUE(table.has_value()) << table.error().message();
      EXPECT_EQ((*table)->properties().row_count, rows.size());
      expect_finds_all(**table, rows);
      EXPECT_EQ(read_rows(**table).value(), rows);
    }
  }
}

TEST(TableFile, HoldsOneRow) {
  os::SimulatedDisk disk;
  ASSERT_TRUE(write_table(disk, {{"k", {.value = ""}}}, {}).has_value());
  const auto table = open_table(disk);
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ((*table)->block_count(), 1U);
  EXPECT_EQ((*table)->block_of(""), 0U);
  EXPECT_EQ((*table)->block_of("zzz"), 0U);
  expect_finds_all(**table, {{"k", {.value = ""}}});
  EXPECT_EQ(get_row(**table, "j").value(), std::nullopt);
}

// G6: a block's rows lie between its separator and the next.
TEST(TableFile, LeadsToTheBlockThatMayHaveAKey) {
  testing::Random random(testing::seed());
  os::SimulatedDisk disk;
  const TestRows rows = mixed_rows(random, testing::scaled(4'000));
  ASSERT_TRUE(write_table(disk, rows, {}).has_value());
  const auto table = open_table(disk).value();
  ASSERT_GT(table->block_count(), 1U);
  EXPECT_EQ(table->separator(0), rows.begin()->first);
  for (std::size_t index = 0; index < table->block_count(); ++index) {
    std::string raw(table->raw_bytes(index), '\0');
    ASSERT_TRUE(table->load_block(index, raw).has_value());
    const Block block(raw);
    EXPECT_LE(table->separator(index), block.key(0));
    for (std::uint32_t row = 0; row < block.row_count(); ++row) {
      ASSERT_EQ(table->block_of(block.key(row)), index);
    }
    if (index + 1 < table->block_count()) {
      EXPECT_LT(block.key(block.row_count() - 1), table->separator(index + 1));
    }
  }
}

TEST(TableFile, SeldomReadsABlockForAKeyThatIsNotThere) {
  os::SimulatedDisk disk;
  ASSERT_TRUE(write_table(disk, plain_rows(20'000, 10), {}).has_value());
  const auto table = open_table(disk).value();
  int maybe = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t hash = test_hash("missing" + std::to_string(i));
    table->prefetch_filter(hash);
    maybe += table->may_contain(hash) ? 1 : 0;
  }
  EXPECT_LT(maybe, 200);
}

TEST(TableFile, PinsItsFilterAndItsIndex) {
  os::SimulatedDisk disk;
  ASSERT_TRUE(write_table(disk, plain_rows(20'000), {}).has_value());
  const auto table = open_table(disk).value();
  const std::size_t filter_bytes = 20'000 * 10 / 8;
  EXPECT_GT(table->pinned_bytes(), filter_bytes + 20 * table->block_count());
  EXPECT_LT(table->pinned_bytes(), filter_bytes + 60 * table->block_count() + 4'000);
}

class DamagedTable : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_table(disk_, rows_, {.compression = Compression::kLz4}).has_value());
    content_ = disk_.read_all(kTestPath);
  }

  std::string refusal(const std::string& path = kTestPath,
                      const TableIdentity& identity = kTestIdentity) {
    const auto table = open_table(disk_, path, identity);
    return table ? "none" : std::string(table.error().message());
  }

  const TestRows rows_ = plain_rows(2'000);
  os::SimulatedDisk disk_;
  std::string content_;
};

// G5: it is a table of its own database, with its own number and seed, or it is none.
TEST_F(DamagedTable, IsRefusedUnderAnotherIdentity) {
  EXPECT_EQ(refusal(), "none");
  for (const TableIdentity& other :
       {TableIdentity{.database_id = 1, .number = 12, .hash_seed = kTestHashSeed},
        TableIdentity{.database_id = 0xdb, .number = 13, .hash_seed = kTestHashSeed},
        TableIdentity{.database_id = 0xdb, .number = 12, .hash_seed = 1}}) {
    EXPECT_TRUE(refusal(kTestPath, other).starts_with("/0000000012.table at "));
  }
  EXPECT_EQ(refusal("/other"), "/other at 0: the file is missing");
}

// G5: two blocks of one length, each in the other's place.
TEST_F(DamagedTable, RefusesABlockThatWasMoved) {
  os::SimulatedDisk disk;
  const TestRows rows = {{"a", {.value = std::string(9'000, 'a')}},
                         {"b", {.value = std::string(9'000, 'b')}}};
  ASSERT_TRUE(write_table(disk, rows, {}).has_value());
  const std::string content = disk.read_all(kTestPath);
  const auto table = open_table(disk).value();
  const std::uint64_t second = table->offset(1);
  ASSERT_EQ(table->offset(2), 2 * second);
  disk.overwrite(kTestPath, 0, content.substr(second, second));
  disk.overwrite(kTestPath, second, content.substr(0, second));
  for (const std::size_t index : {0U, 1U}) {
    std::string raw(table->raw_bytes(index), '\0');
    const auto result = table->load_block(index, raw);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message(), "/0000000012.table at " + std::to_string(index * second) +
                                            ": block " + std::to_string(index) + " is damaged");
  }
}

// G8.
TEST_F(DamagedTable, IsRefusedWhereverItIsCut) {
  const auto file = os::File::open(disk_, kTestPath, os::OpenMode::kReadWrite).value();
  testing::Random random(testing::seed());
  std::size_t bytes = content_.size();
  while (bytes > 0) {
    // Each byte near the end, then ever longer steps.
    bytes -= std::min(bytes, 1 + (content_.size() - bytes) / 40);
    ASSERT_TRUE(file->truncate(bytes).has_value());
    ASSERT_TRUE(refusal().starts_with("/0000000012.table at ")) << "cut at " << bytes;
  }
}

TEST_F(DamagedTable, IsRefusedWhenItIsOfALaterVersion) {
  std::string version;
  base::append_number(version, std::uint32_t{7});
  disk_.overwrite(kTestPath, content_.size() - kFooterBytes + 80, version);
  EXPECT_EQ(refusal(), "/0000000012.table at " + std::to_string(content_.size() - kFooterBytes) +
                           ": a table of version 7, and this program reads version 2");
}

// Each read fails in turn, at the opening and at a block: nobody gets a table that is not whole.
TEST_F(DamagedTable, TellsOfEachReadThatFails) {
  for (std::uint64_t nth = 0; nth < 6; ++nth) {
    os::FaultyDisk faulty(disk_);
    faulty.fail(os::CallKind::kRead, nth, os::Fault::kEio, os::FaultSpan::kOnce);
    const auto table = open_table(faulty);
    ASSERT_EQ(table.has_value(), nth == 5) << "five reads open a table";
    if (!table) {
      EXPECT_EQ(table.error().code(), ErrorCode::kIo);
      continue;
    }
    std::string raw((*table)->raw_bytes(0), '\0');
    EXPECT_EQ((*table)->load_block(0, raw).error().code(), ErrorCode::kIo);
    EXPECT_TRUE((*table)->load_block(0, raw).has_value());
  }
}

}  // namespace
}  // namespace ashlar::table
