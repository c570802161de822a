// What the record heap relies on: a page is one owner's, and empty chunks go back to the budget.

#include "memory/heap/page_store.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
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
