// What the record heap relies on: a page is one owner's, and empty chunks go back to the budget.

#include "memory/heap/page_store.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

constexpr std::size_t kSideBytes = 100;
constexpr std::size_t kChunks = 4;
constexpr std::size_t kChargeBytes = kPageBytes + kSideBytes;

struct Rig {
  explicit Rig(std::size_t budget_bytes) : budget(budget_bytes) {}
  base::MemoryBudget budget;
  base::Reservation region = *base::Reservation::make(kChunks * base::kHugePageBytes);
  PageStore store{region, kChunks, kSideBytes, budget};
};

// P1, M1: random use; no page is out twice, and the budget covers what is out.
TEST(PageStore, HandsAPageOutOnce) {
  testing::Random random(testing::seed());
  Rig rig(kChunks * kPagesPerChunk * kChargeBytes);
  std::vector<std::uint32_t> live;
  std::set<std::uint32_t> distinct;
  for (int step = 0; step < 2000; ++step) {
    if (random.chance(step < 1000 ? 65 : 35)) {
      const std::uint32_t page = rig.store.take();
      if (page == kNoPage) continue;
      ASSERT_LT(page, kChunks * kPagesPerChunk);
      ASSERT_TRUE(distinct.insert(page).second);
      live.push_back(page);
    } else if (!live.empty()) {
      std::swap(live[random.below(live.size())], live.back());
      rig.store.give_back(live.back());
      distinct.erase(live.back());
      live.pop_back();
    }
    ASSERT_GE(rig.store.taken_bytes(), live.size() * kChargeBytes);
    ASSERT_EQ(rig.budget.used_bytes(), rig.store.taken_bytes());
  }
  for (const std::uint32_t page : live) rig.store.give_back(page);
  EXPECT_EQ(rig.budget.used_bytes(), 0U);
}

// M1: a small database pays by the page, a larger one by the chunk.
TEST(PageStore, TakesTheFirstChunkByThePageAndOthersWhole) {
  Rig rig(kChunks * kPagesPerChunk * kChargeBytes);
  for (std::uint32_t i = 1; i <= kPagesPerChunk; ++i) {
    ASSERT_NE(rig.store.take(), kNoPage);
    ASSERT_EQ(rig.store.taken_bytes(), i * kChargeBytes);
  }
  const std::uint32_t next = rig.store.take();
  EXPECT_EQ(rig.store.taken_bytes(), 2 * kPagesPerChunk * kChargeBytes);
  rig.store.give_back(next);
  EXPECT_EQ(rig.store.taken_bytes(), kPagesPerChunk * kChargeBytes);
}

// M1: no page above the budget, though the region has room.
TEST(PageStore, RefusesAtTheBudget) {
  Rig rig(3 * kChargeBytes);
  for (int i = 0; i < 3; ++i) ASSERT_NE(rig.store.take(), kNoPage);
  EXPECT_EQ(rig.store.take(), kNoPage);
}

constexpr std::size_t kAheadBudgetBytes = std::size_t{64} << 20U;

/// The bytes under `chunk` that the system has memory for.
std::size_t resident_bytes(const base::Reservation& region, std::size_t chunk) {
  std::array<unsigned char, base::kHugePageBytes / 4096> states;
  if (::mincore(region.begin() + chunk * base::kHugePageBytes, base::kHugePageBytes,
                states.data()) != 0) {
    return 0;
  }
  return 4096 * static_cast<std::size_t>(std::ranges::count(states, 1));
}

// P5, M1: one chunk ahead of need, charged before it is touched, and none for a small store.
TEST(PageStore, HasOneChunkReadyAheadWhileItGrows) {
  Rig rig(kAheadBudgetBytes);
  constexpr std::size_t kChunkCharge = kPagesPerChunk * kChargeBytes;
  for (std::uint32_t i = 0; i < kPagesPerChunk; ++i) ASSERT_NE(rig.store.take(), kNoPage);
  EXPECT_FALSE(rig.store.open_ahead()) << "what fits into the first chunk gets no other";

  ASSERT_NE(rig.store.take(), kNoPage);
  EXPECT_TRUE(rig.store.is_growing());
  EXPECT_TRUE(rig.store.open_ahead());
  EXPECT_EQ(rig.store.taken_bytes(), 3 * kChunkCharge);
  EXPECT_EQ(rig.budget.used_bytes(), 3 * kChunkCharge);
  // Linux before 5.14 cannot, and leaves it to the first touch.
  if (rig.region.populate(0, kPageBytes)) {
    EXPECT_EQ(resident_bytes(rig.region, 2), base::kHugePageBytes);
  }
  EXPECT_FALSE(rig.store.is_growing());
  EXPECT_FALSE(rig.store.open_ahead());

  for (std::uint32_t i = 1; i < kPagesPerChunk; ++i) ASSERT_NE(rig.store.take(), kNoPage);
  EXPECT_FALSE(rig.store.is_growing()) << "what is ahead is not in use yet";
  EXPECT_EQ(rig.store.take(), 2 * kPagesPerChunk);
  EXPECT_TRUE(rig.store.open_ahead());
  EXPECT_EQ(rig.store.taken_bytes(), 4 * kChunkCharge);
}

// P5: a load that swings around the edge of a chunk does not have one cleared each time.
TEST(PageStore, StopsOpeningAheadWhenAChunkIsGivenUp) {
  Rig rig(kAheadBudgetBytes);
  for (std::uint32_t i = 0; i < kPagesPerChunk; ++i) ASSERT_NE(rig.store.take(), kNoPage);
  int opened_count = 0;
  for (int swing = 0; swing < 10; ++swing) {
    const std::uint32_t page = rig.store.take();
    ASSERT_NE(page, kNoPage);
    opened_count += rig.store.open_ahead() ? 1 : 0;
    rig.store.give_back(page);
  }
  EXPECT_EQ(opened_count, 1);
  EXPECT_EQ(rig.store.taken_bytes(), 2 * kPagesPerChunk * kChargeBytes) << "one is kept empty";
}

// M1: where others may need what is left, nothing is taken ahead of need.
TEST(PageStore, OpensNothingAheadOutOfALittleBudget) {
  for (const bool is_small : {true, false}) {
    Rig rig(is_small ? kAheadBudgetBytes - 1 : kAheadBudgetBytes);
    for (std::uint32_t i = 0; i <= kPagesPerChunk; ++i) ASSERT_NE(rig.store.take(), kNoPage);
    const std::size_t left = is_small ? 0 : kAheadBudgetBytes / 8 - 1;
    if (!is_small) {
      ASSERT_TRUE(rig.budget.try_take(kAheadBudgetBytes - rig.budget.used_bytes() - left));
    }
    const std::size_t used = rig.budget.used_bytes();
    EXPECT_FALSE(rig.store.open_ahead());
    EXPECT_EQ(rig.budget.used_bytes(), used);
  }
}

// P1, M1, P5: what is opened ahead may be used and given up at the same time.
TEST(PageStore, OpensAheadWhileOthersTakeAndGiveBack) {
  Rig rig(kAheadBudgetBytes);
  std::atomic<bool> is_done = false;
  std::atomic<int> opened_count = 0;
  std::thread background([&] {
    while (!is_done.load()) opened_count += rig.store.open_ahead() ? 1 : 0;
  });
  for (int round = 0; round < 200 || opened_count.load() == 0; ++round) {
    std::vector<std::uint32_t> pages;
    for (std::uint32_t i = 0; i < 3 * kPagesPerChunk; ++i) {
      pages.push_back(rig.store.take());
      ASSERT_NE(pages.back(), kNoPage);
      rig.region.begin()[pages.back() * kPageBytes] = 1;
    }
    EXPECT_EQ(std::set(pages.begin(), pages.end()).size(), pages.size());
    for (const std::uint32_t page : pages) rig.store.give_back(page);
  }
  is_done.store(true);
  background.join();
  EXPECT_EQ(rig.budget.used_bytes(), rig.store.taken_bytes());
  EXPECT_LE(rig.store.taken_bytes(), kPagesPerChunk * kChargeBytes) << "one chunk is kept empty";
}

// P1: a page that is not out does not come back.
TEST(PageStoreDeathTest, RefusesAPageTwice) {
  Rig rig(3 * kChargeBytes);
  const std::uint32_t page = rig.store.take();
  ASSERT_NE(rig.store.take(), kNoPage);
  rig.store.give_back(page);
  EXPECT_DEATH(rig.store.give_back(page), "P1");
}

}  // namespace
}  // namespace ashlar::memory
