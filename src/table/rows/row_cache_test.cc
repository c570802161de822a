// A row that is found is the one that was offered for that table and key, whatever was evicted,
// moved or taken away meanwhile; and the cache stays within its budget.

#include "table/rows/row_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/hash.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{16} << 20U;

class RowCacheTest : public ::testing::Test {
 protected:
  ~RowCacheTest() override {
    rows_.reset();
    EXPECT_EQ(budget_.used_bytes(), 0U) << "M1";
  }

  static RowKey key_of(std::uint64_t table, const std::string& key) {
    return {.table = table, .key = key, .hash = base::hash_key(key, 7)};
  }
  /// A row whose value tells of table and key.
  static std::string value_of(std::uint64_t table, const std::string& key) {
    return std::to_string(table) + "/" + key + std::string(80, '.');
  }

  void offer(std::uint64_t table, const std::string& key) {
    const base::EpochGuard guard(domain_);
    rows_->offer(key_of(table, key), {.kind = engine::OperationKind::kPut,
                                      .deadline_ms = static_cast<engine::TimeMs>(table + 1),
                                      .value = value_of(table, key)});
  }
  /// Whether the row is there; if so it must be right.
  bool has(std::uint64_t table, const std::string& key) {
    const base::EpochGuard guard(domain_);
    const auto row = rows_->find(key_of(table, key));
    if (!row) return false;
    EXPECT_EQ(row->value, value_of(table, key)) << "W18";
    EXPECT_EQ(row->deadline_ms, static_cast<engine::TimeMs>(table + 1));
    return true;
  }

  base::MemoryBudget budget_{kBudgetBytes};
  base::EpochDomain domain_;
  std::unique_ptr<RowCache> rows_ = *RowCache::make(budget_, domain_);
};

TEST_F(RowCacheTest, HoldsNothingWithoutACapacity) {
  offer(1, "key");
  EXPECT_FALSE(has(1, "key"));
  EXPECT_EQ(rows_->stats().used_bytes, 0U);
}

// W18
TEST_F(RowCacheTest, TellsRowsOfOneKeyApartByTheirTables) {
  rows_->set_capacity(1);
  offer(1, "key");
  offer(2, "key");
  EXPECT_TRUE(has(1, "key"));
  EXPECT_TRUE(has(2, "key"));
  EXPECT_FALSE(has(3, "key"));
  EXPECT_FALSE(has(1, "other"));
  EXPECT_EQ(rows_->stats().hit_count, 2U);
}

TEST_F(RowCacheTest, DeclinesLongRows) {
  rows_->set_capacity(1);
  const std::string value(RowRecord::kBytesMax, 'v');
  const base::EpochGuard guard(domain_);
  rows_->offer(
      key_of(1, "key"),
      {.kind = engine::OperationKind::kPut, .deadline_ms = engine::kNever, .value = value});
  EXPECT_FALSE(rows_->find(key_of(1, "key")).has_value());
  EXPECT_EQ(rows_->stats().miss_count, 0U);
}

TEST_F(RowCacheTest, KeepsWhatIsReadAndLetsTheRestGo) {
  rows_->set_capacity(1);
  rows_->note_table(1);
  for (int i = 0; i < 60'000; ++i) {
    offer(1, "cold" + std::to_string(i));
    if (i % 2'000 == 0) {
      for (int hot = 0; hot < 100; ++hot) {
        const std::string key = "hot" + std::to_string(hot);
        if (!has(1, key)) offer(1, key);
      }
    }
  }
  int hot_count = 0;
  for (int i = 0; i < 100; ++i) hot_count += has(1, "hot" + std::to_string(i)) ? 1 : 0;
  EXPECT_GE(hot_count, 98) << "all but those whose bucket was full of hot ones";
  EXPECT_FALSE(has(1, "cold0"));
  EXPECT_LE(rows_->stats().used_bytes, RowRing::kChunkBytes + rows_->stats().index_bytes);
  EXPECT_GT(rows_->stats().row_count, 8'000U);
  rows_->check();
}

// What nobody will ask for is not carried round.
TEST_F(RowCacheTest, LetsHotRowsOfTablesThatAreGoneGo) {
  rows_->set_capacity(1);
  rows_->note_table(1);
  rows_->note_table(2);
  for (int i = 0; i < 100; ++i) {
    offer(1, "hot" + std::to_string(i));
    EXPECT_TRUE(has(1, "hot" + std::to_string(i)));
  }
  rows_->forget_table(1);
  for (int i = 0; i < 20'000; ++i) offer(2, "cold" + std::to_string(i));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(has(1, "hot" + std::to_string(i)));
}

TEST_F(RowCacheTest, CountsWhatComesBackSoon) {
  rows_->set_capacity(1);
  rows_->set_return_window(std::size_t{1} << 20U);
  for (int i = 0; i < 60'000; ++i) offer(1, std::to_string(i));
  EXPECT_EQ(rows_->stats().returned_count, 0U);
  for (int i = 0; i < 100; ++i) offer(1, std::to_string(i));
  EXPECT_EQ(rows_->stats().returned_count, 0U) << "those were evicted long ago";
  int kept = 100;
  while (!has(1, std::to_string(kept))) ++kept;
  for (int i = kept - 100; i < kept; ++i) offer(1, std::to_string(i));
  EXPECT_GE(rows_->stats().returned_count, 50U) << "all but those whose bucket was full";
}

// W18, W19, W20, M1: against a model, with a capacity that changes and guards that stay open.
TEST_F(RowCacheTest, NeverFindsAnotherRowWhateverHappens) {
  testing::Random random(testing::seed());
  std::uint64_t hit_count = 0;
  std::unique_ptr<base::EpochGuard> held;
  std::map<std::string, std::string_view> seen;  // Found under the guard.
  for (int step = 0; step < 60'000; ++step) {
    const std::uint64_t table = random.below(4);
    const std::string key = std::to_string(random.below(random.chance(50) ? 500 : 30'000));
    if (has(table, key)) {
      ++hit_count;
    } else {
      offer(table, key);
    }
    if (random.below(500) == 0) rows_->set_capacity(random.below(4));
    if (random.below(300) == 0) rows_->reclaim();
    if (random.below(100) == 0)
      (random.chance(50) ? rows_->note_table(table) : rows_->forget_table(table));
    if (random.below(400) == 0) {
      for (const auto& [id, value] : seen) EXPECT_EQ(value, id) << "W20";
      seen.clear();
      held.reset();
      if (random.chance(50)) held = std::make_unique<base::EpochGuard>(domain_);
    }
    if (held) {
      const auto row = rows_->find(key_of(table, key));
      if (row) seen[value_of(table, key)] = row->value;
    }
    if (random.below(2'000) == 0) rows_->check();
    ASSERT_LE(budget_.used_bytes(), kBudgetBytes);
  }
  EXPECT_GT(hit_count, 2'000U) << "how many there are is a matter of the seed";
}

}  // namespace
}  // namespace ashlar::table
