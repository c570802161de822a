// What chains rely on: a bucket that was set aside is there, is empty, and belongs to one chain.

#include "memory/overflow_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>

namespace ashlar::memory {
namespace {

constexpr std::size_t kStepBytes = std::size_t{64} << 10U;

TEST(OverflowPool, HandsOutEmptyBucketsOnce) {
  base::MemoryBudget budget(std::size_t{1} << 20U);
  const auto pool = OverflowPool::make(budget);
  ASSERT_TRUE(pool->reserve(3000));
  std::set<std::uint32_t> numbers;
  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t number = pool->take_reserved();
    ASSERT_NE(number, 0U) << "0 stands for no bucket";
    EXPECT_TRUE(numbers.insert(number).second);
    EXPECT_EQ(pool->bucket(number).head.load(), 0U);
    for (const auto& slot : pool->bucket(number).slots) EXPECT_EQ(slot.load(), 0U);
  }
}

TEST(OverflowPool, UsesBucketsAgain) {
  base::MemoryBudget budget(std::size_t{1} << 20U);
  const auto pool = OverflowPool::make(budget);
  ASSERT_TRUE(pool->reserve(2));
  const std::uint32_t first = pool->take_reserved();
  const std::uint32_t second = pool->take_reserved();
  pool->give_back(first);
  pool->give_back(second);
  ASSERT_TRUE(pool->reserve(2));
  const std::set<std::uint32_t> again{pool->take_reserved(), pool->take_reserved()};
  EXPECT_EQ(again, (std::set<std::uint32_t>{first, second}));
  EXPECT_EQ(pool->bucket(second).head.load(), 0U);
}

// M1: at the budget nothing is set aside; what was set aside before can still be taken.
TEST(OverflowPool, KeepsItsWordAtTheBudget) {
  base::MemoryBudget budget(2 * kStepBytes);
  const auto pool = OverflowPool::make(budget);
  ASSERT_TRUE(budget.try_take(kStepBytes));
  const std::size_t all = kStepBytes / sizeof(Bucket) - 1;
  ASSERT_TRUE(pool->reserve(all));
  EXPECT_FALSE(pool->reserve(1));
  EXPECT_EQ(pool->taken_bytes(), kStepBytes);
  pool->unreserve(1);
  ASSERT_TRUE(pool->reserve(1));
  for (std::size_t i = 0; i < all; ++i) EXPECT_NE(pool->take_reserved(), 0U);
}

TEST(OverflowPoolDeathTest, GivesNothingThatWasNotSetAside) {
  base::MemoryBudget budget(std::size_t{1} << 20U);
  const auto pool = OverflowPool::make(budget);
  EXPECT_DEATH((void)pool->take_reserved(), "only a bucket that was set aside");
}

// H2: who takes a bucket next counts on finding it empty.
TEST(OverflowPoolDeathTest, TakesNoBucketBackThatHoldsSlots) {
  base::MemoryBudget budget(std::size_t{1} << 20U);
  const auto pool = OverflowPool::make(budget);
  ASSERT_TRUE(pool->reserve(1));
  const std::uint32_t number = pool->take_reserved();
  pool->bucket(number).slots[0].store(1);
  EXPECT_DEATH(pool->give_back(number), "H2: a bucket goes empty");
}

TEST(OverflowPoolDeathTest, TakesNoBucketBackThatIsNone) {
  base::MemoryBudget budget(std::size_t{1} << 20U);
  const auto pool = OverflowPool::make(budget);
  EXPECT_DEATH(pool->give_back(0), "0 stands for no bucket");
}

}  // namespace
}  // namespace ashlar::memory
