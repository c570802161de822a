// What the cache relies on: frames that are its alone and aligned, memory that is in the budget
// while it is held (W11), chunks that go when they are empty.

#include "table/cache/frame_arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

namespace ashlar::table {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{8} << 20U;  // Three chunks, not four.

class FrameArenaTest : public ::testing::Test {
 protected:
  base::MemoryBudget budget_{kBudgetBytes};
};

std::vector<CacheEntry*> take_all(FrameArena& arena) {
  std::vector<CacheEntry*> taken;
  while (CacheEntry* const entry = arena.take()) taken.push_back(entry);
  return taken;
}

TEST_F(FrameArenaTest, GivesEachFrameOnceAndAligned) {
  auto arena = FrameArena::make(budget_);
  ASSERT_TRUE(arena.has_value());
  EXPECT_EQ(arena->take(), nullptr);
  ASSERT_TRUE(arena->grow());
  ASSERT_TRUE(arena->grow());
  const std::vector<CacheEntry*> taken = take_all(*arena);
  ASSERT_EQ(taken.size(), 2 * kFramesPerChunk);
  std::set<char*> blocks;
  for (CacheEntry* const entry : taken) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(entry->block) % kFrameBytes, 0U);
    EXPECT_TRUE(blocks.insert(entry->block).second);
    EXPECT_TRUE(arena->map().contains(entry->block + kFrameBytes - 1));
    EXPECT_EQ(&arena->map().entry_of(entry->block), entry);
    EXPECT_EQ(&arena->map().heat_of(entry->block), entry->heat);
    std::memset(entry->block, 1, kFrameBytes);
  }
  const char elsewhere = 0;
  EXPECT_FALSE(arena->map().contains(&elsewhere));
  for (CacheEntry* const entry : taken) arena->put(*entry);
  EXPECT_EQ(arena->free_count(), 2 * kFramesPerChunk);
  arena->check();
}

// W11
TEST_F(FrameArenaTest, TakesNoMoreThanTheBudgetHasAndGivesItAllBack) {
  {
    auto arena = FrameArena::make(budget_);
    ASSERT_TRUE(arena.has_value());
    std::size_t chunk_count = 0;
    while (arena->grow()) ++chunk_count;
    EXPECT_EQ(chunk_count, 3U);
    EXPECT_EQ(arena->used_bytes(), budget_.used_bytes());
    EXPECT_GE(arena->used_bytes(), 3 * FrameArena::kChunkCost);
  }
  EXPECT_EQ(budget_.used_bytes(), 0U);
}

// W11
TEST_F(FrameArenaTest, GivesAChunkBackWithItsLastFrame) {
  auto arena = FrameArena::make(budget_);
  ASSERT_TRUE(arena.has_value());
  ASSERT_TRUE(arena->grow());
  ASSERT_TRUE(arena->grow());
  const std::size_t before = budget_.used_bytes();
  CacheEntry* const first = arena->take();
  CacheEntry* const second = arena->take();
  std::memset(first->block, 7, kFrameBytes);
  arena->empty_chunk(0);
  EXPECT_TRUE(arena->is_emptying(*first));
  EXPECT_EQ(arena->free_count(), kFramesPerChunk);
  EXPECT_EQ(arena->emptying_bytes(), FrameArena::kChunkCost);
  std::size_t in_use_count = 0;
  arena->for_each_in_use(0, [&](const CacheEntry&) { ++in_use_count; });
  EXPECT_EQ(in_use_count, 2U);
  char* const block = first->block;
  arena->put(*first);
  EXPECT_EQ(budget_.used_bytes(), before);
  arena->put(*second);
  EXPECT_EQ(budget_.used_bytes(), before - FrameArena::kChunkCost);
  EXPECT_EQ(block[0], 0) << "the memory is the system's again";
  arena->check();
  ASSERT_TRUE(arena->grow());
  EXPECT_EQ(take_all(*arena).size(), 2 * kFramesPerChunk);
}

TEST_F(FrameArenaTest, NamesTheChunkThatWasReadLeast) {
  auto arena = FrameArena::make(budget_);
  ASSERT_TRUE(arena.has_value());
  EXPECT_FALSE(arena->coldest_chunk().has_value());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(arena->grow());
  const std::vector<CacheEntry*> taken = take_all(*arena);
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (i / kFramesPerChunk != 1) touch(*taken[i]->heat);
  }
  EXPECT_EQ(arena->coldest_chunk(), 1U);
  arena->put(*taken[0]);
  EXPECT_EQ(arena->coldest_chunk(), 1U);
  arena->empty_chunk(1);
  EXPECT_EQ(arena->coldest_chunk(), 0U) << "one of its frames is free";
}

TEST_F(FrameArenaTest, DeathRefusesAFrameTwice) {
  auto arena = FrameArena::make(budget_);
  ASSERT_TRUE(arena->grow());
  CacheEntry* const entry = arena->take();
  arena->put(*entry);
  EXPECT_DEATH(arena->put(*entry), "put back once");
}

}  // namespace
}  // namespace ashlar::table
