// What users of a queue rely on: first in, first out; room that was reserved is there; and the
// budget knows of every chunk.

#include "base/chunked_queue.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::base {
namespace {

constexpr std::size_t kChunkWords = ChunkedQueue::kChunkWords;

void push_all(ChunkedQueue& queue, std::uint64_t count) {
  ASSERT_TRUE(queue.reserve(count));
  for (std::uint64_t i = 0; i < count; ++i) queue.push(i);
}

// Q1, M1: against a plain deque, with the budget's count compared after each step.
TEST(ChunkedQueue, DoesWhatADequeDoes) {
  testing::Random random(testing::seed());
  MemoryBudget budget(1'000'000);
  ChunkedQueue queue(budget);
  std::deque<std::uint64_t> expected;
  for (int step = 0; step < 2000; ++step) {
    const std::uint64_t count = random.below(200);
    if (random.chance(50) && expected.size() < 5000) {
      ASSERT_TRUE(queue.reserve(count));
      ASSERT_GE(queue.room(), count);
      for (std::uint64_t i = 0; i < count; ++i) {
        expected.push_back(random.next());
        queue.push(expected.back());
      }
    } else {
      for (std::uint64_t i = 0; i < count && !expected.empty(); ++i) {
        ASSERT_EQ(queue.pop(), expected.front());
        expected.pop_front();
      }
    }
    ASSERT_EQ(queue.count(), expected.size());
    ASSERT_EQ(queue.empty(), expected.empty());
    ASSERT_EQ(budget.used_bytes(), queue.chunk_count() * ChunkedQueue::kChunkBytes);
  }
}

// Q1: reserved room outlives what is popped meanwhile.
TEST(ChunkedQueue, KeepsReservedRoomThroughPops) {
  MemoryBudget budget(1'000'000);
  ChunkedQueue queue(budget);
  push_all(queue, kChunkWords);
  ASSERT_TRUE(queue.reserve(3 * kChunkWords));
  while (!queue.empty()) queue.pop();
  EXPECT_GE(queue.room(), 3 * kChunkWords);
  const std::size_t used_bytes = budget.used_bytes();
  for (std::uint64_t i = 0; i < 3 * kChunkWords; ++i) queue.push(i);
  EXPECT_EQ(budget.used_bytes(), used_bytes);
  for (std::uint64_t i = 0; i < 3 * kChunkWords; ++i) EXPECT_EQ(queue.pop(), i);
}

// M1: a refusal leaves what was there.
TEST(ChunkedQueue, SaysNoAtTheBudgetAndStaysWhole) {
  MemoryBudget budget(2 * ChunkedQueue::kChunkBytes);
  ChunkedQueue queue(budget);
  push_all(queue, kChunkWords + 1);
  EXPECT_FALSE(queue.reserve(kChunkWords));
  EXPECT_EQ(queue.room(), kChunkWords - 1);
  for (std::uint64_t i = 0; i <= kChunkWords; ++i) EXPECT_EQ(queue.pop(), i);
}

// M1: whatever becomes of a queue, its chunks come back.
TEST(ChunkedQueue, GivesEveryChunkBack) {
  MemoryBudget budget(1'000'000);
  {
    ChunkedQueue cleared(budget);
    push_all(cleared, 1000);
    cleared.clear();
    EXPECT_EQ(budget.used_bytes(), 0U);
    EXPECT_EQ(cleared.room(), 0U);
    push_all(cleared, 1000);
    const ChunkedQueue moved(std::move(cleared));
    EXPECT_EQ(moved.count(), 1000U);
  }
  EXPECT_EQ(budget.used_bytes(), 0U);
}

TEST(ChunkedQueue, TakesOverAnotherWithItsOrder) {
  MemoryBudget budget(1'000'000);
  ChunkedQueue from(budget);
  ChunkedQueue to(budget);
  push_all(from, 300);
  to.take(from);
  EXPECT_TRUE(from.empty());
  for (std::uint64_t i = 0; i < 300; ++i) EXPECT_EQ(to.pop(), i);
}

TEST(ChunkedQueueDeathTest, RefusesAPushWithoutReservedRoom) {
  MemoryBudget budget(1'000'000);
  ChunkedQueue queue(budget);
  EXPECT_DEATH(queue.push(1), "has its place reserved");
}

}  // namespace
}  // namespace ashlar::base
