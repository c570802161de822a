// What arrays with a place per thread rely on: no two living threads share a number below the
// count, a thread keeps its own, and numbers are used again.

#include "base/thread_index.h"

#include <gtest/gtest.h>

#include <barrier>
#include <cstddef>
#include <set>
#include <thread>
#include <vector>

namespace ashlar::base {
namespace {

TEST(ThreadIndex, StaysTheSameWithinAThread) {
  const std::size_t index = thread_index();
  EXPECT_LT(index, kThreadIndexCount);
  EXPECT_EQ(thread_index(), index);
}

TEST(ThreadIndex, DiffersBetweenThreadsThatLiveAtOnce) {
  constexpr std::size_t kThreads = 8;
  const std::size_t own_index = thread_index();  // Before others end and leave theirs.
  std::vector<std::size_t> indexes(kThreads);
  std::barrier all_have_one(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      indexes[i] = thread_index();
      all_have_one.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::size_t> distinct(indexes.begin(), indexes.end());
  distinct.insert(own_index);
  EXPECT_EQ(distinct.size(), kThreads + 1);
}

TEST(ThreadIndex, OfAnEndedThreadIsHandedOutAgain) {
  std::size_t first = kThreadIndexCount;
  std::size_t second = kThreadIndexCount;
  std::thread([&] { first = thread_index(); }).join();
  std::thread([&] { second = thread_index(); }).join();
  EXPECT_LT(first, kThreadIndexCount);
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace ashlar::base
