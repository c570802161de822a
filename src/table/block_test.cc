// What a reader of blocks relies on: a key is found where it is and nowhere else, and bytes that
// are no block are refused or read without going outside of them.

#include "table/block.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "table/block_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

/// Reads all that a block hands out, so that a sanitizer sees where it lies.
std::size_t read_all(const std::string& raw) {
  // Of its exact length on the heap: a byte beyond is not ours.
  const auto exact = std::make_unique<char[]>(raw.size());
  std::memcpy(exact.get(), raw.data(), raw.size());
  const std::string_view bytes(exact.get(), raw.size());
  if (block_fault(bytes) != nullptr) return 0;
  const Block block(bytes);
  std::string buffer;
  block.begin_keys(buffer);
  std::size_t sum = 0;
  for (std::uint32_t row = 0; row < block.row_count(); ++row) {
    const std::string_view key = block.key(row, buffer);
    sum += key.size() + block.value(row).size() + (block.deadline_ms(row) != 0 ? 1U : 0U);
    EXPECT_EQ(block.lower_bound(key), row);
    const auto found = block.find(key, tag_of(test_hash(key)));
    if (found) {
      EXPECT_EQ(*found, row);
    }
  }
  return sum;
}

TestRows rows_of_one_block(testing::Random& random) {
  const RowForm form{.value_bytes_max = random.below(40)};
  TestRows rows;
  const std::uint64_t count = random.between(1, 120);
  for (std::uint64_t i = 0; i < count; ++i) rows[hard_key(random)] = random_row(random, form);
  auto until = rows.cbegin();
  block_of_rows(until, rows);
  rows.erase(until, rows.cend());
  return rows;
}

// An ordered map is the specification, for keys that are there and keys that are not.
TEST(Block, FindsWhatAMapFinds) {
  testing::Random random(testing::seed());
  for (std::uint64_t round = 0; round < testing::scaled(300); ++round) {
    const TestRows rows = rows_of_one_block(random);
    const std::string raw = block_of_rows(rows);
    const Block block(raw);
    ASSERT_EQ(block.row_count(), rows.size());
    for (int probe = 0; probe < 300; ++probe) {
      std::string key = hard_key(random);
      if (random.chance(50)) {
        key =
            std::next(rows.begin(), static_cast<std::ptrdiff_t>(random.below(rows.size())))->first;
        if (random.chance(30)) key.resize(random.between(1, key.size()));
        if (random.chance(30)) key += '\0';
      }
      const auto bound = std::distance(rows.begin(), rows.lower_bound(key));
      ASSERT_EQ(block.lower_bound(key), bound);
      const auto found = block.find(key, tag_of(test_hash(key)));
      ASSERT_EQ(found.has_value(), rows.contains(key));
      if (found) {
        ASSERT_EQ(row_of(block, *found), rows.at(key));
      }
    }
  }
}

TEST(Block, TellsKeysWithOneTagApart) {
  BlockBuilder builder;
  for (int i = 100; i < 140; ++i) {
    const std::string key = "key" + std::to_string(i);
    builder.add({.key = key, .value = ""}, 0x4242);
  }
  std::string raw;
  builder.finish(raw);
  const Block block(raw);
  for (std::uint32_t i = 0; i < 40; ++i) {
    EXPECT_EQ(block.find("key" + std::to_string(100 + i), 0x4242), i);
  }
  EXPECT_EQ(block.find("key140", 0x4242), std::nullopt);
  EXPECT_EQ(block.find("key100", 0x4241), std::nullopt) << "the tag decides first";
  EXPECT_EQ(block.find("ke", 0x4242), std::nullopt);
}

// P8: whatever byte is changed to whatever, the block is refused or stays within itself.
TEST(Block, IsReadWithinItselfOrRefusedAfterAnyDamage) {
  testing::Random random(testing::seed());
  for (std::uint64_t round = 0; round < testing::scaled(40); ++round) {
    const std::string raw = block_of_rows(rows_of_one_block(random));
    for (std::size_t at = 0; at < std::min<std::size_t>(raw.size(), 600); ++at) {
      std::string damaged = raw;
      damaged[at] = static_cast<char>(random.next());
      read_all(damaged);
    }
    for (std::size_t cut = 0; cut < raw.size(); cut += 1 + raw.size() / 100) {
      EXPECT_NE(block_fault(std::string_view(raw).substr(0, cut)), nullptr) << "cut at " << cut;
    }
    EXPECT_NE(block_fault(raw + '\0'), nullptr);
    EXPECT_GT(read_all(raw), 0U);
  }
}

class BlockFault : public ::testing::Test {
 protected:
  // Rows of one length but for the values: the header, 4 bytes of prefix, 4 tags, 4 heads, values.
  void SetUp() override {
    const TestRows rows = {{"key:1", {.value = "x"}},
                           {"key:22", {.value = "yy"}},
                           {"key:3", {.kind = engine::OperationKind::kErase}},
                           {"key:4", {.value = "z", .deadline_ms = 9}}};
    raw_ = block_of_rows(rows);
    header_ = load_block_header(raw_.data());
    columns_ = columns_of(header_);
    ASSERT_EQ(block_fault(raw_), nullptr);
  }

  template <typename Number>
  std::string fault_with(std::size_t offset, Number number) const {
    std::string raw = raw_;
    base::store_number(raw.data() + offset, number);
    const char* const fault = block_fault(raw);
    return fault == nullptr ? "nothing" : fault;
  }

  std::string raw_;
  BlockHeader header_;
  BlockColumns columns_{};
};

TEST_F(BlockFault, NamesWhatIsWrong) {
  EXPECT_EQ(fault_with(0, std::uint16_t{0}), "has no rows");
  EXPECT_EQ(fault_with(6, std::uint8_t{0xff}), "has unknown flags");
  EXPECT_EQ(fault_with(7, std::uint8_t{1}), "has unknown flags");
  EXPECT_EQ(fault_with(0, std::uint16_t{9000}), "is shorter than its columns");
  EXPECT_EQ(fault_with(2, std::uint16_t{60'000}), "is shorter than its columns");
  EXPECT_EQ(fault_with(12, std::uint32_t{0xffff'ffff}), "is shorter than its columns");
  EXPECT_EQ(fault_with(columns_.rest_begins + 4, std::uint16_t{50'000}),
            "has keys that do not fill their place");
  EXPECT_EQ(fault_with(columns_.value_begins + 8, std::uint16_t{3}),
            "has values that do not fill their place");
  EXPECT_EQ(fault_with(columns_.erases, std::uint8_t{0x14}), "has kinds beyond its rows");
  EXPECT_EQ(fault_with(columns_.rests, 'z'), "has a head of another key");
}

// P6 and P9 hold of what is read as they do of what is written.
TEST_F(BlockFault, FindsKeysOutOfOrderAndErasesThatHoldSomething) {
  EXPECT_EQ(fault_with(columns_.erases, std::uint8_t{0x05}), "has an erase with a value");
  EXPECT_EQ(fault_with(columns_.deadlines + 16, std::int64_t{5}), "has an erase with a deadline");
  std::string raw = raw_;
  raw[columns_.rests] = '3';
  base::store_number(raw.data() + columns_.heads, head_of("3"));
  EXPECT_STREQ(block_fault(raw), "has keys out of order");
}

// P7 holds of what is read, too.
TEST_F(BlockFault, FindsABlockOfManyRowsThatIsTooLong) {
  std::string raw = raw_;
  raw.resize(kBlockBytesMax + 1);
  EXPECT_STREQ(block_fault(raw), "is too long");
}

TEST_F(BlockFault, NamesFileAndOffset) {
  const auto result = check_block("short", "tables/1", 4096);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(), "tables/1 at 4096: the block is shorter than its header");
  EXPECT_EQ(result.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(check_block(raw_, "tables/1", 0).has_value());
}

}  // namespace
}  // namespace ashlar::table
