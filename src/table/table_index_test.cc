// What a reader relies on: the index leads to the one block that may have a key, and an index that
// makes no sense is refused.

#include "table/table_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/coding.h"
#include "table/block_rig_test.h"
#include "table/table_format.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

constexpr std::uint64_t kStoredBytes = 100;

std::string stored_index(const std::set<std::string>& separators) {
  TableIndexBuilder builder;
  for (const std::string& separator : separators) {
    builder.add({.separator = separator, .stored_bytes = kStoredBytes, .raw_bytes = 200});
  }
  EXPECT_EQ(builder.block_count(), separators.size());
  return builder.finish();
}

std::uint64_t data_bytes(std::size_t block_count) {
  return block_count * (kStoredBytes + kTrailerBytes);
}

TableIndex index_of(const std::set<std::string>& separators) {
  return TableIndex::load(stored_index(separators), data_bytes(separators.size())).value();
}

std::size_t block_by_set(const std::set<std::string>& separators, const std::string& key) {
  const auto above = separators.upper_bound(key);
  const auto count = std::distance(separators.begin(), above);
  return count == 0 ? 0 : static_cast<std::size_t>(count) - 1;
}

// G6: an ordered set is the specification. One block, a node's worth, and up to four levels.
TEST(TableIndex, LeadsToTheBlockThatASetNames) {
  testing::Random random(testing::seed());
  for (const std::size_t count : {1U, 2U, 15U, 16U, 17U, 255U, 256U, 257U, 5'000U}) {
    for (const bool has_long_ties : {false, true}) {
      std::set<std::string> separators;
      while (separators.size() < count) {
        // Eight equal bytes in front make all heads equal.
        separators.insert(
            (has_long_ties ? "equal in front" + std::to_string(random.below(3)) : "") +
            hard_key(random) + hard_key(random));
      }
      const TableIndex index = index_of(separators);
      ASSERT_EQ(index.block_count(), count);
      for (std::uint64_t probe = 0; probe < testing::scaled(1000); ++probe) {
        std::string key =
            *std::next(separators.begin(), static_cast<std::ptrdiff_t>(random.below(count)));
        if (random.chance(30)) key.resize(random.below(key.size() + 1));
        if (random.chance(30)) key += static_cast<char>(random.next());
        if (random.chance(20)) key = hard_key(random);
        ASSERT_EQ(index.block_of(key), block_by_set(separators, key)) << count << " blocks";
      }
    }
  }
}

TEST(TableIndex, FindsKeysOfTheGreatestBytes) {
  std::set<std::string> separators;
  for (std::size_t bytes = 1; bytes < 40; ++bytes) separators.insert(std::string(bytes, '\xff'));
  separators.insert("a");
  const TableIndex index = index_of(separators);
  for (const std::string& separator : separators) {
    EXPECT_EQ(index.block_of(separator), block_by_set(separators, separator));
  }
  EXPECT_EQ(index.block_of(std::string(100, '\xff')), 39U);
}

TEST(TableIndex, TellsWhereBlocksLie) {
  const TableIndex index = index_of({"a", "b", "c"});
  EXPECT_EQ(index.place(0).offset, 0U);
  EXPECT_EQ(index.place(2).offset, 2 * (kStoredBytes + kTrailerBytes));
  EXPECT_EQ(index.place(2).stored_bytes, kStoredBytes);
  EXPECT_EQ(index.raw_bytes(1), 200U);
  EXPECT_EQ(index.separator(1), "b");
  EXPECT_GT(index.bytes(), 128U);
}

TEST(TableIndex, SeparatesByAsFewBytesAsItTakes) {
  EXPECT_EQ(shortest_separator("apple", "banana"), "b");
  EXPECT_EQ(shortest_separator("apple", "applications"), "appli");
  EXPECT_EQ(shortest_separator("app", "apple"), "appl");
  EXPECT_EQ(shortest_separator("app", std::string_view("app\0", 4)), std::string_view("app\0", 4));
}

TEST(TableIndexDeathTest, RefusesSeparatorsOutOfOrder) {
  TableIndexBuilder builder;
  builder.add({.separator = "b", .stored_bytes = 1, .raw_bytes = 1});
  EXPECT_DEATH(builder.add({.separator = "b", .stored_bytes = 1, .raw_bytes = 1}), "G6");
  EXPECT_DEATH(shortest_separator("b", "a"), "G6");
}

// Whatever the bytes are: they are refused, or they are an index that can be searched.
TEST(TableIndex, IsRefusedOrSearchedAfterAnyDamage) {
  testing::Random random(testing::seed());
  const std::string stored = stored_index({"user:1", "user:17", "user:2", "user:39"});
  EXPECT_FALSE(TableIndex::load(stored, data_bytes(4) + 1).has_value());
  for (std::size_t cut = 0; cut < stored.size(); ++cut) {
    EXPECT_FALSE(TableIndex::load(std::string_view(stored).substr(0, cut), data_bytes(4)));
  }
  for (std::size_t at = 0; at < stored.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string damaged = stored;
      damaged[at] = static_cast<char>(byte);
      const auto index = TableIndex::load(damaged, data_bytes(4));
      if (index) {
        EXPECT_LT(index->block_of("user:2"), index->block_count());
      }
    }
  }
}

TEST(TableIndex, AllocatesNothingForACountThatItOnlyAnnounces) {
  std::string stored;
  base::append_number(stored, std::uint64_t{1} << 60U);
  stored.append(100, '\0');
  EXPECT_FALSE(TableIndex::load(stored, 1000).has_value());
}

}  // namespace
}  // namespace ashlar::table
