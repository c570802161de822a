// What a table may rely on: what was loaded is found, a failed load leaves no trace (W16), pins and
// guards keep blocks (W12), and all memory comes back (W11). With many threads:
// block_cache_race_test.

#include "table/block_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{32} << 20U;
constexpr std::size_t kTwoChunks = 2 * FrameArena::kChunkCost + 4096;  // And a page of heats.

class BlockCacheTest : public ::testing::Test {
 protected:
  BlockCacheTest() : cache_(*BlockCache::make(budget_, domain_, kTwoChunks)) {}
  ~BlockCacheTest() override {
    cache_.reset();
    EXPECT_EQ(budget_.used_bytes(), 0U) << "W11";
  }

  CacheSlots slots(std::size_t block_count) { return *CacheSlots::make(*cache_, block_count); }

  /// Whether the block was there; it is afterwards, filled with `filling`.
  bool read(CacheSlots& slots, std::size_t index, char filling = 'b',
            std::size_t bytes = kFrameBytes) {
    const base::EpochGuard guard(domain_);
    bool is_hit = true;
    const auto block = cache_->get_or_load(slots, index, bytes, [&](std::span<char> to) {
      is_hit = false;
      std::memset(to.data(), filling, to.size());
      return Result<void>();
    });
    EXPECT_TRUE(block.has_value());
    EXPECT_EQ(block ? (*block)[bytes - 1] : 0, filling);
    return is_hit;
  }
  bool is_cached(const CacheSlots& slots, std::size_t index) {
    const base::EpochGuard guard(domain_);
    return cache_->find(slots, index) != nullptr;
  }

  base::MemoryBudget budget_{kBudgetBytes};
  base::EpochDomain domain_;
  std::unique_ptr<BlockCache> cache_;
};

TEST_F(BlockCacheTest, FindsWhatWasLoadedAndNothingElse) {
  CacheSlots first = slots(10);
  CacheSlots second = slots(10);
  EXPECT_FALSE(is_cached(first, 3));
  EXPECT_FALSE(read(first, 3, 'a'));
  EXPECT_TRUE(read(first, 3, 'a'));
  EXPECT_FALSE(is_cached(first, 4));
  EXPECT_FALSE(is_cached(second, 3));
  EXPECT_FALSE(read(second, 3, 'z'));
  EXPECT_TRUE(read(first, 3, 'a'));
  cache_->check();
}

TEST_F(BlockCacheTest, HandsTheLoadExactlyItsBytes) {
  CacheSlots table = slots(3);
  for (const std::size_t bytes : {std::size_t{1}, kFrameBytes, kFrameBytes + 1}) {
    const base::EpochGuard guard(domain_);
    const auto block = cache_->get_or_load(table, bytes % 3, bytes, [&](std::span<char> to) {
      EXPECT_EQ(to.size(), bytes);
      std::memset(to.data(), 'e', to.size());
      return Result<void>();
    });
    ASSERT_TRUE(block.has_value());
    EXPECT_EQ(std::string(*block, bytes), std::string(bytes, 'e'));
  }
}

// W16
TEST_F(BlockCacheTest, LeavesNoTraceOfALoadThatFails) {
  CacheSlots table = slots(2);
  read(table, 0);
  const std::size_t used_bytes = budget_.used_bytes();
  for (int i = 0; i < 1000; ++i) {
    const base::EpochGuard guard(domain_);
    const auto block =
        cache_->get_or_load(table, 1, kFrameBytes, [](std::span<char>) -> Result<void> {
          return std::unexpected(Error(ErrorCode::kCorruption, std::string("table 7: block 1")));
        });
    ASSERT_FALSE(block.has_value());
    ASSERT_EQ(block.error().code(), ErrorCode::kCorruption);
    ASSERT_EQ(block.error().message(), "table 7: block 1");
  }
  EXPECT_FALSE(is_cached(table, 1));
  EXPECT_EQ(budget_.used_bytes(), used_bytes);
  EXPECT_FALSE(read(table, 1));
  cache_->check();
}

// W16
TEST_F(BlockCacheTest, TakesALoadWithoutMemoryForAFailure) {
  CacheSlots table = slots(1);
  {
    const base::EpochGuard guard(domain_);
    const auto block = cache_->get_or_load(
        table, 0, kFrameBytes, [](std::span<char>) -> Result<void> { throw std::bad_alloc(); });
    ASSERT_FALSE(block.has_value());
    EXPECT_EQ(block.error().code(), ErrorCode::kOutOfSpace);
  }
  EXPECT_FALSE(read(table, 0));
}

// W12
TEST_F(BlockCacheTest, KeepsAPinnedBlockPastItsGuardAndItsTable) {
  std::optional<CacheSlots> table(slots(2000));
  Pin pin;
  Pin large;
  EXPECT_EQ(pin.block(), nullptr);
  {
    const base::EpochGuard guard(domain_);
    read(*table, 0, 'p');
    read(*table, 1, 'q', 50'000);
    pin = cache_->pin(cache_->find(*table, 0));
    large = cache_->pin(cache_->find(*table, 1));
  }
  for (std::size_t i = 2; i < 2000; ++i) read(*table, i);
  EXPECT_TRUE(is_cached(*table, 0)) << "eviction passes pinned blocks over";
  table.reset();
  cache_->set_capacity(0);
  const Pin moved = std::move(pin);
  EXPECT_EQ(std::string(moved.block(), kFrameBytes), std::string(kFrameBytes, 'p'));
  EXPECT_EQ(std::string(large.block(), 50'000), std::string(50'000, 'q'));
}

TEST_F(BlockCacheTest, LetsTheBlocksOfATableGoWithIt) {
  const std::size_t before = cache_->stats().used_bytes;
  {
    CacheSlots table = slots(50);
    CacheSlots moved = std::move(table);
    for (std::size_t i = 0; i < 50; ++i) read(moved, i, 'd', 30'000);
    EXPECT_EQ(moved.block_count(), 50U);
    EXPECT_GT(cache_->stats().used_bytes, before + std::size_t{50} * 30'000);
  }
  cache_->reclaim();
  EXPECT_EQ(cache_->stats().used_bytes, before);
  cache_->check();
}

// Three times over twice the capacity: a hot set that is read all along stays.
TEST_F(BlockCacheTest, KeepsAHotSetThroughAScan) {
  constexpr std::size_t kHot = 64;
  constexpr std::size_t kScan = 4 * kFramesPerChunk;
  CacheSlots hot = slots(kHot);
  CacheSlots cold = slots(kScan);
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < kHot; ++i) read(hot, i);
  }
  std::size_t missed_count = 0;
  for (std::size_t at = 0; at < 3 * kScan; ++at) {
    read(cold, at % kScan);
    if (at % 4 == 0) missed_count += read(hot, at / 4 % kHot) ? 0U : 1U;
  }
  EXPECT_EQ(missed_count, 0U);
}

TEST_F(BlockCacheTest, CountsWhatItDoes) {
  CacheSlots table = slots(2000);
  for (std::size_t i = 0; i < 2000; ++i) read(table, i);
  const CacheStats before = cache_->stats();
  EXPECT_EQ(before.miss_count, 2000U);
  EXPECT_EQ(before.hit_count, 0U);
  EXPECT_GT(before.evicted_count, 1400U);
  EXPECT_EQ(before.capacity_bytes, kTwoChunks);
  EXPECT_EQ(before.used_bytes, kTwoChunks);
  for (int i = 0; i < 5; ++i) read(table, 1999);
  EXPECT_EQ(cache_->stats().hit_count, 5U);
}

// M1, W11
TEST_F(BlockCacheTest, SaysSoWhereTheBudgetHasNoRoom) {
  const std::size_t left = kBudgetBytes - budget_.used_bytes();
  ASSERT_TRUE(budget_.try_take(left - 1000));
  EXPECT_EQ(CacheSlots::make(*cache_, 1000).error().code(), ErrorCode::kOutOfSpace);
  {
    CacheSlots table = slots(10);
    const base::EpochGuard guard(domain_);
    const auto block =
        cache_->get_or_load(table, 0, kFrameBytes, [](std::span<char>) { return Result<void>(); });
    ASSERT_FALSE(block.has_value());
    EXPECT_EQ(block.error().code(), ErrorCode::kOutOfSpace);
    EXPECT_EQ(cache_->find(table, 0), nullptr);
  }
  base::MemoryBudget small(1000);
  EXPECT_EQ(BlockCache::make(small, domain_, 0).error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(small.used_bytes(), 0U);
  budget_.give_back(left - 1000);
}

/// Random operations of one thread against what must be true of each answer.
TEST_F(BlockCacheTest, AnswersAsAMapDoesUnderRandomOperations) {
  constexpr std::size_t kTables = 4;
  constexpr std::size_t kBlocks = 300;
  testing::Random random(testing::seed());
  std::vector<std::optional<CacheSlots>> tables(kTables);
  std::vector<std::pair<Pin, char>> pins;
  char filling = 1;
  std::vector<char> fillings(kTables);
  for (std::uint64_t i = 0; i < testing::scaled(30'000); ++i) {
    const std::size_t number = random.below(kTables);
    if (!tables[number] || random.chance(1)) {
      tables[number].reset();
      tables[number].emplace(slots(kBlocks));
      fillings[number] = ++filling;
    }
    const std::size_t index = random.below(kBlocks);
    const std::size_t bytes = index % 10 == 0 ? 9000 + 1000 * index : 1 + index * 27;
    if (random.chance(1)) cache_->set_capacity(random.below(2 * kTwoChunks));
    const base::EpochGuard guard(domain_);
    const bool fails = random.chance(10);
    const auto block =
        cache_->get_or_load(*tables[number], index, bytes, [&](std::span<char> to) -> Result<void> {
          if (fails) return std::unexpected(Error::of_literal(ErrorCode::kIo, "no luck"));
          std::memset(to.data(), fillings[number], to.size());
          return {};
        });
    if (!block) {
      ASSERT_TRUE(fails);
      continue;
    }
    ASSERT_EQ((*block)[0], fillings[number]);
    ASSERT_EQ((*block)[bytes - 1], fillings[number]);
    if (random.chance(2)) pins.emplace_back(cache_->pin(*block), fillings[number]);
    if (pins.size() > 50) pins.erase(pins.begin());
    for (const auto& [pin, expected] : pins) ASSERT_EQ(pin.block()[0], expected);
    if (i % 500 == 0) cache_->check();
  }
}

using BlockCacheDeathTest = BlockCacheTest;

TEST_F(BlockCacheDeathTest, RefusesToLoadAndPinOutsideOfGuards) {
  CacheSlots table = slots(1);
  EXPECT_DEATH(
      (void)cache_->get_or_load(table, 0, 1, [](std::span<char>) { return Result<void>(); }),
      "a guard is open");
  const char* block = nullptr;
  {
    const base::EpochGuard guard(domain_);
    read(table, 0);
    block = cache_->find(table, 0);
  }
  EXPECT_DEATH((void)cache_->pin(block), "inside the guard");
}

}  // namespace
}  // namespace ashlar::table
