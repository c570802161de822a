// What the structures that hold memory rely on: the limit is the limit, whoever asks at once.

#include "base/memory/memory_budget.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace ashlar::base {
namespace {

// M1: up to the limit and not a byte above.
TEST(MemoryBudget, GivesUpToItsLimit) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.try_take(60));
  EXPECT_FALSE(budget.try_take(41));
  EXPECT_EQ(budget.used_bytes(), 60U);
  EXPECT_TRUE(budget.try_take(40));
  EXPECT_TRUE(budget.try_take(0));
  EXPECT_FALSE(budget.try_take(1));
  budget.give_back(100);
  EXPECT_EQ(budget.used_bytes(), 0U);
  EXPECT_EQ(budget.limit_bytes(), 100U);
}

// M1: a sum that would overflow is no way around the limit.
TEST(MemoryBudget, RefusesASumThatOverflows) {
  MemoryBudget budget(100);
  ASSERT_TRUE(budget.try_take(100));
  EXPECT_FALSE(budget.try_take(SIZE_MAX));
  EXPECT_FALSE(budget.try_take(SIZE_MAX - 50));
  EXPECT_EQ(budget.used_bytes(), 100U);
}

// M1: two threads never hold more than the limit between them, and nothing is lost.
TEST(MemoryBudget, HoldsForManyThreads) {
  constexpr std::size_t kBytes = 3;
  MemoryBudget budget(kBytes * 2 - 1);  // Room for one at a time.
  int inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        if (!budget.try_take(kBytes)) continue;
        __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        EXPECT_EQ(__atomic_load_n(&inside, __ATOMIC_SEQ_CST), 1);
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        budget.give_back(kBytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used_bytes(), 0U);
}

TEST(MemoryBudgetDeathTest, RefusesBackMoreThanWasTaken) {
  MemoryBudget budget(100);
  ASSERT_TRUE(budget.try_take(10));
  EXPECT_DEATH(budget.give_back(11), "only what was taken");
}

}  // namespace
}  // namespace ashlar::base
