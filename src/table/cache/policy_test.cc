// What the cache relies on when it asks which block goes: new ones first, read ones stay, a scan
// leaves the others alone, and one that comes back soon stays.

#include "table/cache/policy.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <set>
#include <vector>

namespace ashlar::table {
namespace {

/// A cache of as many blocks as it is told, for the policy alone: numbers stand for blocks.
class NumberCache {
 public:
  explicit NumberCache(std::size_t block_count_max) : block_count_max_(block_count_max) {}

  /// Whether `number` was there; it is afterwards.
  bool read(std::size_t number) {
    if (number >= blocks_.size()) blocks_.resize(number + 1);
    Block& block = blocks_[number];
    if (block.is_in) {
      touch(block.entry.own_heat);
      return true;
    }
    if (policy_.count() == block_count_max_) evict();
    block.entry.place = Place::kLoading;
    block.entry.heat = &block.entry.own_heat;
    block.entry.own_heat.store(0);
    block.entry.bytes = 100;
    policy_.admit(block.entry, block.ghost);
    block.is_in = true;
    return false;
  }

  bool has(std::size_t number) const { return number < blocks_.size() && blocks_[number].is_in; }
  Place place_of(std::size_t number) const { return blocks_[number].entry.place; }
  CachePolicy& policy() { return policy_; }
  CacheEntry& entry(std::size_t number) { return blocks_[number].entry; }

  bool evict() {
    CacheEntry* const victim = policy_.pick();
    if (victim == nullptr) return false;
    for (Block& block : blocks_) {
      if (&block.entry != victim) continue;
      block.ghost = policy_.remember(*victim);
      block.is_in = false;
    }
    return true;
  }

 private:
  struct Block {
    CacheEntry entry;
    CachePolicy::Ghost ghost = 0;
    bool is_in = false;
  };

  std::size_t block_count_max_;
  std::deque<Block> blocks_;  // Stays put when it grows.
  CachePolicy policy_;
};

TEST(CachePolicy, HasNobodyToNameWhenEmpty) {
  CachePolicy policy;
  EXPECT_EQ(policy.pick(), nullptr);
}

TEST(CachePolicy, NamesColdBlocksInTheOrderInWhichTheyCame) {
  NumberCache cache(100);
  for (std::size_t i = 0; i < 100; ++i) cache.read(i);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_TRUE(cache.has(i));
    EXPECT_TRUE(cache.evict());
    EXPECT_FALSE(cache.has(i));
  }
  EXPECT_FALSE(cache.evict());
}

// A loop over twice the capacity, three times: those that are read between stay all along.
TEST(CachePolicy, KeepsAHotSetThroughAScanOfTwiceTheCapacity) {
  constexpr std::size_t kCapacity = 1000;
  constexpr std::size_t kHot = 200;
  NumberCache cache(kCapacity);
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < kHot; ++i) cache.read(i);
  }
  std::size_t missed_count = 0;
  std::size_t hot = 0;
  for (std::size_t at = 0; at < 3 * 2 * kCapacity; ++at) {
    cache.read(kHot + at % (2 * kCapacity));
    if (at % 4 != 0) continue;  // Each hot block once in 800 blocks of the scan.
    missed_count += cache.read(hot) ? 0U : 1U;
    hot = (hot + 1) % kHot;
  }
  EXPECT_EQ(missed_count, 0U);
}

TEST(CachePolicy, TakesABlockThatComesBackSoonStraightToMain) {
  NumberCache cache(10);
  for (std::size_t i = 0; i < 11; ++i) cache.read(i);
  ASSERT_FALSE(cache.has(0));
  cache.read(0);
  EXPECT_EQ(cache.place_of(0), Place::kMain);
  EXPECT_EQ(cache.place_of(10), Place::kSmall);
}

TEST(CachePolicy, ForgetsWhoWasEvictedLongAgo) {
  NumberCache cache(10);
  for (std::size_t i = 0; i < 40; ++i) cache.read(i);
  cache.read(0);
  EXPECT_EQ(cache.place_of(0), Place::kSmall);
}

TEST(CachePolicy, EvictsOnceReadNewBlocksAndKeepsTwiceReadOnes) {
  NumberCache cache(3);
  for (std::size_t i = 0; i < 3; ++i) cache.read(i);
  cache.read(0);
  cache.read(1);
  cache.read(1);
  ASSERT_TRUE(cache.evict());
  EXPECT_FALSE(cache.has(0));
  ASSERT_TRUE(cache.evict());
  EXPECT_TRUE(cache.has(1));
  EXPECT_FALSE(cache.has(2));
  EXPECT_EQ(cache.place_of(1), Place::kMain);
}

TEST(CachePolicy, PassesPinnedBlocksOverAndGivesUpWhereAllAre) {
  NumberCache cache(10);
  for (std::size_t i = 0; i < 10; ++i) {
    cache.read(i);
    if (i != 7) cache.entry(i).pin_count.store(1);
  }
  ASSERT_TRUE(cache.evict());
  EXPECT_FALSE(cache.has(7));
  EXPECT_FALSE(cache.evict());
  EXPECT_EQ(cache.policy().count(), 9U);
}

// The effort is bounded: where all are hot one of them goes all the same.
TEST(CachePolicy, EvictsOneOfManyHotBlocks) {
  NumberCache cache(1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    for (int reading = 0; reading < 4; ++reading) cache.read(i);
  }
  EXPECT_TRUE(cache.evict());
  EXPECT_EQ(cache.policy().count(), 999U);
}

TEST(CachePolicy, RemembersWhomItWasMadeToLetGo) {
  NumberCache cache(10);
  for (std::size_t i = 0; i < 10; ++i) cache.read(i);
  const CachePolicy::Ghost ghost = cache.policy().force_out(cache.entry(4));
  cache.entry(4).place = Place::kLoading;
  cache.policy().admit(cache.entry(4), ghost);
  EXPECT_EQ(cache.place_of(4), Place::kMain);
}

TEST(CachePolicy, CountsBlocksAndBytesOfBothQueues) {
  NumberCache cache(10);
  for (std::size_t i = 0; i < 11; ++i) cache.read(i);
  cache.read(0);
  EXPECT_EQ(cache.policy().count(), 10U);
  EXPECT_EQ(cache.policy().bytes(), 1000U);
  std::set<const CacheEntry*> seen;
  cache.policy().for_each([&](const CacheEntry& entry) { seen.insert(&entry); });
  EXPECT_EQ(seen.size(), 10U);
  cache.policy().remove(cache.entry(0));
  EXPECT_EQ(cache.policy().bytes(), 900U);
}

}  // namespace
}  // namespace ashlar::table
