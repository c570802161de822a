// The index leads to what was stored, loses rows only where a bucket is full, and remembers what
// left.

#include "table/rows/row_index.h"

#include <gtest/gtest.h>

#include <map>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

constexpr auto kNoHeat = [](std::uint64_t) { return 0; };

class RowIndexTest : public ::testing::Test {
 protected:
  bool has_row(const RowIndex& index, std::uint64_t identity, std::uint64_t offset) {
    return index.find(identity, [&](std::uint64_t other) { return other == offset; }).has_value();
  }

  base::MemoryBudget budget_{std::size_t{1} << 20U};
};

// W19
TEST_F(RowIndexTest, LeadsToWhatItDidNotLose) {
  testing::Random random(testing::seed());
  const auto index = RowIndex::make(budget_, 64);
  std::map<std::uint64_t, std::uint64_t> rows;  // Offset to identity.
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::uint64_t identity = random.next();
    const std::uint64_t offset = 8 * (i + 1);
    rows[offset] = identity;
    if (const auto lost = index->insert(identity, offset, kNoHeat)) {
      EXPECT_EQ(rows.erase(*lost), 1U) << "only a row that was there goes";
    }
    if (random.chance(20)) {
      const auto row = rows.lower_bound(8 * random.below(i + 1));
      index->evict(row->second, row->first, i + 1);
      rows.erase(row);
    } else if (random.chance(20)) {
      const auto row = rows.lower_bound(8 * random.below(i + 1));
      const std::uint64_t to = row->first + (std::uint64_t{1} << 30U);
      index->move(row->second, row->first, to);
      rows[to] = row->second;
      rows.erase(row);
    }
    ASSERT_EQ(index->row_count(), rows.size());
  }
  EXPECT_GT(rows.size(), index->slot_count() / 2);
  for (const auto& [offset, row_identity] : rows) {
    EXPECT_TRUE(has_row(*index, row_identity, offset));
    EXPECT_TRUE(index->has(row_identity, offset));
  }
}

TEST_F(RowIndexTest, RemembersWhenARowLeft) {
  const auto index = RowIndex::make(budget_, 1);
  (void)index->insert(5, 64, kNoHeat);
  EXPECT_FALSE(index->take_ghost(5)) << "it has not left";
  index->evict(5, 64, 99);
  EXPECT_FALSE(has_row(*index, 5, 64));
  EXPECT_FALSE(index->take_ghost(6));
  EXPECT_EQ(index->take_ghost(5), 99U);
  EXPECT_FALSE(index->take_ghost(5)) << "once only";
}

TEST_F(RowIndexTest, PutsRowsInThePlacesOfOldGhosts) {
  const auto index = RowIndex::make(budget_, 1);
  for (std::uint64_t i = 1; i <= RowIndex::kSlotsPerBucket; ++i) {
    (void)index->insert(i, 8 * i, kNoHeat);
    index->evict(i, 8 * i, i);
  }
  EXPECT_FALSE(index->insert(100, 8, kNoHeat)) << "no row had to go";
  EXPECT_FALSE(index->take_ghost(1)) << "the oldest gave way";
  EXPECT_TRUE(index->take_ghost(2));
}

TEST_F(RowIndexTest, LosesTheColdestOfAFullBucket) {
  const auto index = RowIndex::make(budget_, 1);
  const auto heat_of = [](std::uint64_t offset) { return offset == 8 * 5 ? 0 : 1; };
  for (std::uint64_t i = 1; i <= RowIndex::kSlotsPerBucket; ++i) {
    EXPECT_FALSE(index->insert(i, 8 * i, heat_of));
  }
  EXPECT_EQ(index->insert(100, 800, heat_of), 8U * 5U);
  EXPECT_TRUE(has_row(*index, 100, 800));
  EXPECT_FALSE(has_row(*index, 5, 8 * 5));
}

TEST_F(RowIndexTest, DeclinesWhatTheBudgetDoesNotHold) {
  EXPECT_EQ(RowIndex::make(budget_, 1U << 20U), nullptr);
  EXPECT_EQ(budget_.used_bytes(), 0U);
  {
    const auto index = RowIndex::make(budget_, 64);
    EXPECT_EQ(budget_.used_bytes(), index->bytes());
  }
  EXPECT_EQ(budget_.used_bytes(), 0U);
}

}  // namespace
}  // namespace ashlar::table
