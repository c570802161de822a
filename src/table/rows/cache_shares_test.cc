// Memory goes where it saves reads: to blocks while they fit, to rows where hot ones are strewn
// over cold blocks.

#include "table/rows/cache_shares.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/hash.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{64} << 20U;
constexpr std::size_t kSharedBytes = std::size_t{16} << 20U;
constexpr std::size_t kBlockCount = 8'000;
constexpr std::size_t kRowsPerBlock = 60;

class CacheSharesTest : public ::testing::Test {
 protected:
  CacheSharesTest() { shares_.set_capacity(kSharedBytes); }

  /// Reads a row as a table does.
  void read(std::size_t block, std::size_t row) {
    const std::string key = std::to_string(block) + "/" + std::to_string(row);
    const RowKey row_key{.table = 0, .key = key, .hash = base::hash_key(key, 7)};
    const base::EpochGuard guard(domain_);
    if (rows_->find(row_key).has_value()) return;
    bool is_loaded = false;
    ASSERT_TRUE(blocks_
                    ->get_or_load(slots_, block, kFrameBytes,
                                  [&](std::span<char> to) -> Result<void> {
                                    is_loaded = true;
                                    std::memset(to.data(), 0, to.size());
                                    return {};
                                  })
                    .has_value());
    if (!is_loaded) return;
    ++load_count_;
    shares_.offer(
        row_key,
        {.kind = engine::OperationKind::kPut, .deadline_ms = engine::kNever, .value = value_});
  }
  void expect_shared() {
    shares_.reclaim();
    const RowCacheStats rows = rows_->stats();
    EXPECT_LE(rows.used_bytes + blocks_->stats().capacity_bytes, kSharedBytes + rows.index_bytes)
        << "W21";
  }

  const std::string value_ = std::string(100, 'v');
  testing::Random random_{testing::seed()};
  std::uint64_t load_count_ = 0;
  base::MemoryBudget budget_{kBudgetBytes};
  base::EpochDomain domain_;
  std::unique_ptr<BlockCache> blocks_ = *BlockCache::make(budget_, domain_, 0);
  std::unique_ptr<RowCache> rows_ = *RowCache::make(budget_, domain_);
  CacheShares shares_{*blocks_, *rows_};
  CacheSlots slots_ = *CacheSlots::make(*blocks_, kBlockCount);
};

TEST_F(CacheSharesTest, GivesRowsNothingWhileBlocksFit) {
  for (int i = 0; i < 50'000; ++i) {
    read(random_.below(1'500), random_.below(kRowsPerBlock));
  }
  EXPECT_EQ(rows_->stats().used_bytes, 0U);
  EXPECT_EQ(blocks_->stats().capacity_bytes, kSharedBytes);
}

TEST_F(CacheSharesTest, GivesRowsTheMostWhereHotOnesAreStrewn) {
  // One row of each block is hot: together 1.1 MB, in 64 MB of blocks.
  for (int i = 0; i < 150'000; ++i) {
    const std::size_t block = random_.below(kBlockCount);
    read(block, random_.chance(90) ? 7 : random_.below(kRowsPerBlock));
    if (i % 10'000 == 0) expect_shared();
  }
  const std::uint64_t load_count = load_count_;
  constexpr int kReadCount = 10'000;
  for (int i = 0; i < kReadCount; ++i) {
    read(random_.below(kBlockCount), random_.chance(90) ? 7 : random_.below(kRowsPerBlock));
  }
  EXPECT_LT(load_count_ - load_count, kReadCount / 5U) << "blocks alone: three of four";
  expect_shared();
}

// Where the rows of a block are read alike blocks keep all but the least that rows have. That is
// one chunk of these eight, and its index takes enough of another that blocks do without it: six
// chunks hold two of three blocks. Rows take a step more now and then.
TEST_F(CacheSharesTest, LosesLittleWhereNoRowOfABlockIsHotter) {
  constexpr int kReadCount = 100'000;
  std::uint64_t before = 0;
  for (int i = 0; i < 2 * kReadCount; ++i) {
    if (i == kReadCount) before = load_count_;
    // A little more than fits.
    read(random_.below(2'300), random_.below(kRowsPerBlock));
    if (i % 10'000 == 0) expect_shared();
  }
  EXPECT_LT(load_count_ - before, kReadCount * 2U / 5U) << "eight chunks: one in six";
  EXPECT_LE(rows_->capacity(), 4U) << "rows may have six, where hot ones are strewn";
}

TEST_F(CacheSharesTest, GivesHalfBackWhenAsked) {
  for (int i = 0; i < 60'000; ++i) {
    read(random_.below(kBlockCount), random_.chance(90) ? 7 : random_.below(kRowsPerBlock));
  }
  const std::size_t before = budget_.used_bytes();
  EXPECT_TRUE(shares_.halve());
  EXPECT_LT(budget_.used_bytes(), before - kSharedBytes / 4);
  while (shares_.halve()) continue;
  EXPECT_EQ(rows_->stats().used_bytes, 0U);
}

TEST(NextRowShare, GoesBySteps) {
  EXPECT_EQ(next_row_share(64, 16, {.block_count = 10, .row_count = 54}), 18U);
  EXPECT_EQ(next_row_share(64, 16, {.block_count = 54, .row_count = 10}), 14U);
  EXPECT_EQ(next_row_share(64, 16, {.block_count = 32, .row_count = 32}), 16U);
}

TEST(NextRowShare, LeavesEitherSideALeast) {
  for (const std::size_t chunk_count : {4U, 5U, 8U, 100U, 1'000U}) {
    std::size_t most = 1;
    std::size_t least = chunk_count - 1;
    for (std::size_t i = 0; i < chunk_count; ++i) {
      most = next_row_share(chunk_count, most, {.block_count = 0, .row_count = 64});
      least = next_row_share(chunk_count, least, {.block_count = 64, .row_count = 0});
    }
    EXPECT_EQ(most, chunk_count - chunk_count / 4);
    EXPECT_EQ(least, 1U);
  }
}

}  // namespace
}  // namespace ashlar::table
