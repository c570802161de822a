// What large records rely on: extents never overlap, and budget and address space come back.

#include "memory/heap/extent_store.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <utility>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

constexpr std::size_t kBlock = ExtentStore::kBlockBytes;
constexpr std::size_t kBegin = 16 * kBlock;
constexpr std::size_t kBlocks = 256;

struct Rig {
  explicit Rig(std::size_t budget_bytes) : budget(budget_bytes) {}
  base::MemoryBudget budget;
  base::Reservation region = *base::Reservation::make(kBegin + kBlocks * kBlock);
  ExtentStore store{region, kBegin, kBlocks* kBlock, *base::Reservation::make(4096), budget};
};

// P2, M1: random extents, each filled with its own byte, keep it until they are given back.
TEST(ExtentStore, KeepsExtentsApart) {
  testing::Random random(testing::seed());
  Rig rig(kBlocks * kBlock);
  std::map<char*, std::pair<std::size_t, int>> live;  // Bytes and fill by address.
  std::size_t taken_bytes = 0;
  for (int step = 0; step < 600; ++step) {
    if (random.chance(60)) {
      const std::size_t bytes = random.between(1, 8 * kBlock);
      char* const address = rig.store.take(bytes);
      if (address == nullptr) continue;
      ASSERT_GE(address, rig.region.begin() + kBegin);
      const int fill = static_cast<int>(random.below(100));
      std::memset(address, fill, bytes);
      live[address] = {bytes, fill};
      taken_bytes += ExtentStore::rounded_bytes(bytes);
    } else if (!live.empty()) {
      const auto [address, extent] = *live.begin();
      ASSERT_EQ(address[0], extent.second);
      ASSERT_EQ(address[extent.first - 1], extent.second);
      rig.store.give_back(address, extent.first);
      live.erase(address);
      taken_bytes -= ExtentStore::rounded_bytes(extent.first);
    }
    ASSERT_EQ(rig.store.taken_bytes(), taken_bytes);
    ASSERT_EQ(rig.budget.used_bytes(), taken_bytes);
  }
}

// M1: at the budget and at the end of address space nothing is taken.
TEST(ExtentStore, RefusesAtTheBudgetAndAtTheEndOfItsSpace) {
  Rig small(4 * kBlock);
  EXPECT_EQ(small.store.take(4 * kBlock + 1), nullptr);
  EXPECT_NE(small.store.take(4 * kBlock), nullptr);
  EXPECT_EQ(small.store.take(1), nullptr);

  Rig large(2 * kBlocks * kBlock);
  EXPECT_EQ(large.store.take((kBlocks + 1) * kBlock), nullptr);
  EXPECT_EQ(large.budget.used_bytes(), 0U);
  EXPECT_NE(large.store.take(kBlocks * kBlock), nullptr);
}

// P2: a gap between extents is found again.
TEST(ExtentStore, UsesGapsAgain) {
  Rig rig(kBlocks * kBlock);
  char* first = nullptr;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    char* const address = rig.store.take(kBlock);
    ASSERT_NE(address, nullptr);
    if (i == 100) first = address;
  }
  ASSERT_EQ(rig.store.take(1), nullptr);
  rig.store.give_back(first, kBlock);
  EXPECT_EQ(rig.store.take(1), first);
}

TEST(ExtentStore, HandsOutFreshMemory) {
  Rig rig(kBlocks * kBlock);
  char* const address = rig.store.take(2 * kBlock);
  std::memset(address, 1, 2 * kBlock);
  rig.store.give_back(address, 2 * kBlock);
  EXPECT_EQ(address[0], 0);
  EXPECT_EQ(address[2 * kBlock - 1], 0);
}

TEST(ExtentStoreDeathTest, RefusesAnExtentTwice) {
  Rig rig(kBlocks * kBlock);
  char* const address = rig.store.take(kBlock);
  char* const other = rig.store.take(kBlock);
  ASSERT_NE(other, nullptr);
  rig.store.give_back(address, kBlock);
  EXPECT_DEATH(rig.store.give_back(address, kBlock), "P2");
}

}  // namespace
}  // namespace ashlar::memory
