// What the cache relies on for memory: bytes that stay while somebody can see them (W12), slots
// that lead to what is cached and to nothing else (W13), a capacity that holds (W14), a budget that
// gets everything back (W11).

#include "table/cache/room.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <optional>
#include <vector>

namespace ashlar::table {
namespace {

constexpr std::size_t kBudgetBytes = std::size_t{32} << 20U;
constexpr std::size_t kTwoChunks = 2 * FrameArena::kChunkCost + 4096;  // And a page of heats.

class CacheRoomTest : public ::testing::Test {
 protected:
  CacheRoomTest() : room_(CacheRoom::make(budget_, domain_)) { room_->set_capacity(kTwoChunks); }
  ~CacheRoomTest() override {
    drop_all();
    room_.reset();
    EXPECT_EQ(budget_.used_bytes(), 0U) << "W11";
  }

  void drop_all() {
    for (std::atomic<std::uint64_t>& slot : slots_) {
      const std::uint64_t word = slot.load();
      if (!is_block_in(word)) continue;
      char* const block = address_in<char>(word);
      room_->drop(room_->map().contains(block) ? room_->map().entry_of(block)
                                               : reinterpret_cast<CacheEntry*>(block)[-1]);
    }
  }

  /// Loads a block filled with `filling` inside a guard of its own.
  CacheEntry* load(char filling, std::size_t bytes = kFrameBytes) {
    const base::EpochGuard guard(domain_);
    return load_unguarded(filling, bytes);
  }
  CacheEntry* load_unguarded(char filling, std::size_t bytes = kFrameBytes) {
    CacheEntry* const entry = room_->take(bytes);
    if (entry == nullptr) return nullptr;
    std::memset(entry->block, filling, bytes);
    slots_.emplace_back(kSlotEmpty);
    room_->admit(*entry, slots_.back(), 0);
    return entry;
  }
  std::size_t cached_count() const {
    std::size_t count = 0;
    for (const auto& slot : slots_) count += is_block_in(slot.load()) ? 1U : 0U;
    return count;
  }

  base::MemoryBudget budget_{kBudgetBytes};
  base::EpochDomain domain_;
  std::optional<CacheRoom> room_;
  std::deque<std::atomic<std::uint64_t>> slots_;
};

TEST_F(CacheRoomTest, FillsItsCapacityWithFramesAndStaysThere) {
  for (int i = 0; i < 5000; ++i) {
    CacheEntry* const entry = load('a');
    ASSERT_NE(entry, nullptr);
    ASSERT_TRUE(entry->is_frame()) << "a frame was free ahead of need";
    ASSERT_LE(room_->used_bytes(), kTwoChunks) << "W14";
    if (i % 100 == 0) room_->check();
  }
  EXPECT_EQ(room_->used_bytes(), kTwoChunks);
  EXPECT_GE(cached_count(), 2 * kFramesPerChunk * 9 / 10);
  EXPECT_EQ(room_->evicted_count() + cached_count(), 5000U);
}

// W12: the block of an open guard keeps its bytes through any number of evictions.
TEST_F(CacheRoomTest, KeepsTheBytesThatAGuardCanSee) {
  CacheEntry* const seen = load('s');
  std::optional<base::EpochGuard> guard(domain_);
  room_->drop(*seen);
  for (int i = 0; i < 3000; ++i) ASSERT_NE(load('x'), nullptr);
  room_->reclaim();
  EXPECT_EQ(std::string(seen->block, kFrameBytes), std::string(kFrameBytes, 's'));
  EXPECT_EQ(seen->place, Place::kRetired);
  guard.reset();
  room_->reclaim();
  EXPECT_NE(seen->place, Place::kRetired);
}

// W12
TEST_F(CacheRoomTest, KeepsTheBytesThatAPinHolds) {
  CacheEntry* const pinned = load('p');
  pinned->pin_count.fetch_add(1);
  room_->drop(*pinned);
  for (int i = 0; i < 3000; ++i) ASSERT_NE(load('x'), nullptr);
  EXPECT_EQ(pinned->place, Place::kHeld);
  EXPECT_EQ(std::string(pinned->block, kFrameBytes), std::string(kFrameBytes, 'p'));
  pinned->pin_count.fetch_sub(1);
  room_->reclaim();
  EXPECT_EQ(pinned->place, Place::kFree);
}

// W12, W14: with every frame pinned, blocks get memory of their own and go again.
TEST_F(CacheRoomTest, GetsAlongWithEverythingPinned) {
  std::vector<CacheEntry*> pinned;
  while (true) {
    CacheEntry* const entry = load('p');
    ASSERT_NE(entry, nullptr);
    if (!entry->is_frame()) break;
    entry->pin_count.fetch_add(1);
    pinned.push_back(entry);
  }
  EXPECT_EQ(pinned.size(), 2 * kFramesPerChunk);
  for (int i = 0; i < 1000; ++i) {
    CacheEntry* const entry = load('x');
    ASSERT_NE(entry, nullptr);
    ASSERT_EQ(entry->place, Place::kRetired);
  }
  EXPECT_LE(room_->used_bytes(), kTwoChunks + 64 * (kFrameBytes + sizeof(CacheEntry)));
  room_->check();
  for (CacheEntry* const entry : pinned) {
    ASSERT_EQ(entry->block[0], 'p');
    entry->pin_count.fetch_sub(1);
  }
  for (int i = 0; i < 20; ++i) load('x');
  EXPECT_TRUE(load('x')->is_frame());
}

// W12: a guard around many misses is served, from memory that goes when the guard does.
TEST_F(CacheRoomTest, ServesManyMissesInOneGuard) {
  for (int i = 0; i < 600; ++i) load('x');
  {
    const base::EpochGuard guard(domain_);
    std::vector<const char*> blocks;
    for (int i = 0; i < 700; ++i) {
      CacheEntry* const entry = load_unguarded('m');
      ASSERT_NE(entry, nullptr);
      blocks.push_back(entry->block);
    }
    for (const char* const block : blocks) ASSERT_EQ(block[kFrameBytes - 1], 'm');
  }
  room_->reclaim();
  EXPECT_LE(room_->used_bytes(), kTwoChunks) << "W14";
  EXPECT_TRUE(load('x')->is_frame());
}

// W14
TEST_F(CacheRoomTest, BecomesAsSmallAsItIsToldAndGrowsAgain) {
  for (int i = 0; i < 600; ++i) load('x');
  room_->set_capacity(FrameArena::kChunkCost + 4096);
  EXPECT_EQ(room_->used_bytes(), FrameArena::kChunkCost + 4096);
  EXPECT_GT(cached_count(), 0U);
  room_->check();
  room_->set_capacity(0);
  EXPECT_EQ(cached_count(), 0U);
  EXPECT_EQ(room_->used_bytes(), 4096U) << "the heats stay";
  room_->set_capacity(kTwoChunks);
  for (int i = 0; i < 600; ++i) load('x');
  EXPECT_EQ(room_->used_bytes(), kTwoChunks);
  room_->check();
}

// W14: what a guard and a pin hold back goes when they do.
TEST_F(CacheRoomTest, GivesAChunkBackWhenTheLastThatSeesItHasGone) {
  for (int i = 0; i < 100; ++i) load('x');
  CacheEntry* const pinned = load('p');
  pinned->pin_count.fetch_add(1);
  {
    const base::EpochGuard guard(domain_);
    room_->set_capacity(0);
    EXPECT_GE(room_->used_bytes(), FrameArena::kChunkCost);
  }
  room_->reclaim();
  EXPECT_GE(room_->used_bytes(), FrameArena::kChunkCost);
  EXPECT_EQ(pinned->block[kFrameBytes - 1], 'p') << "W12";
  pinned->pin_count.fetch_sub(1);
  room_->reclaim();
  EXPECT_EQ(room_->used_bytes(), 4096U);
}

// A block that is being loaded while its chunk is emptied goes with the chunk.
TEST_F(CacheRoomTest, DoesNotKeepABlockWhoseChunkIsBeingEmptied) {
  CacheEntry* const entry = room_->take(kFrameBytes);
  ASSERT_NE(entry, nullptr);
  room_->set_capacity(0);
  slots_.emplace_back(kSlotEmpty);
  room_->admit(*entry, slots_.back(), 0);
  EXPECT_EQ(slots_.back().load(), kSlotEmpty);
  room_->reclaim();
  EXPECT_EQ(room_->used_bytes(), 4096U);
}

TEST_F(CacheRoomTest, PutsFramesThatFailedToLoadBack) {
  CacheEntry* const frame = room_->take(100);
  CacheEntry* const own = room_->take(100'000);
  ASSERT_TRUE(frame->is_frame());
  ASSERT_FALSE(own->is_frame());
  const std::size_t before = room_->used_bytes();
  room_->give_back(*own);
  room_->give_back(*frame);
  EXPECT_EQ(room_->used_bytes(), before - 100'000 - sizeof(CacheEntry));
  EXPECT_EQ(frame->place, Place::kFree);
}

// W14, for blocks that are no frames, alone and mixed with frames.
TEST_F(CacheRoomTest, MakesRoomForLargeBlocks) {
  for (int i = 0; i < 600; ++i) load('x');
  for (int i = 0; i < 200; ++i) {
    CacheEntry* const entry = load('l', 100'000 + static_cast<std::size_t>(i));
    ASSERT_NE(entry, nullptr);
    ASSERT_TRUE(entry->is_cached());
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(entry->block) % 64, 0U);
    if (i % 7 == 0) load('x');
  }
  room_->check();
  room_->reclaim();
  EXPECT_LE(room_->used_bytes(), kTwoChunks);
}

TEST_F(CacheRoomTest, DoesNotKeepABlockOfMoreThanAnEighth) {
  CacheEntry* const entry = load('l', kTwoChunks / 8);
  EXPECT_EQ(entry->place, Place::kRetired);
  room_->reclaim();
  EXPECT_EQ(room_->used_bytes(), 0U);
}

// Below a chunk every block has memory of its own.
TEST_F(CacheRoomTest, CachesWithoutAChunk) {
  constexpr std::size_t kCapacity = 200'000;
  room_->set_capacity(kCapacity);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(load('s')->is_cached());
    ASSERT_LE(room_->used_bytes(), kCapacity + 20 * (kFrameBytes + sizeof(CacheEntry)));
  }
  room_->reclaim();
  EXPECT_LE(room_->used_bytes(), kCapacity);
  EXPECT_GE(cached_count(), 20U);
}

// W11: where others have taken the budget, it declines and nothing is lost; one who asks again
// gets what was evicted meanwhile.
TEST_F(CacheRoomTest, DeclinesWhereTheBudgetHasNoRoom) {
  const std::size_t taken = kBudgetBytes - 50'000;
  ASSERT_TRUE(budget_.try_take(taken));
  EXPECT_EQ(load('x', 60'000), nullptr);
  CacheEntry* const entry = load('x', 40'000);
  ASSERT_NE(entry, nullptr);
  EXPECT_TRUE(entry->is_cached());
  EXPECT_EQ(load('y', 40'000), nullptr) << "the guard that is open holds the first back";
  EXPECT_NE(load('y', 40'000), nullptr);
  room_->check();
  budget_.give_back(taken);
}

TEST_F(CacheRoomTest, DeathRefusesToGoWithBlocksCached) {
  EXPECT_DEATH(
      {
        load('x');
        room_.reset();
      },
      "dropped their blocks");
}

}  // namespace
}  // namespace ashlar::table
