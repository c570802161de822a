// What the two sides of a biased lock may rely on: never both inside, and what one did is seen by
// the other.

#include "base/biased_lock.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include "testing/workload_scale.h"

namespace ashlar::base {
namespace {

void visit(BiasedLock& lock) {
  lock.announce_visitor();
  global_barrier();
  lock.wait_for_owner();
}

// Z1: a plain counter loses no increment of either side.
TEST(BiasedLock, KeepsOwnerAndVisitorApart) {
  constexpr std::uint64_t kVisits = 200;
  BiasedLock lock;
  std::atomic<bool> is_owner_running{false};
  std::atomic<bool> is_over{false};
  std::uint64_t count = 0;
  std::uint64_t owner_count = 0;
  std::thread owner([&] {
    while (!is_over.load()) {
      lock.lock_owner();
      ++count;
      lock.unlock_owner();
      ++owner_count;
      is_owner_running.store(true, std::memory_order_relaxed);
    }
  });
  for (SpinWait wait; !is_owner_running.load();) wait.pause();
  const std::uint64_t visit_count = testing::scaled(kVisits);
  for (std::uint64_t i = 0; i < visit_count; ++i) {
    visit(lock);
    ++count;
    lock.unlock_visitor();
  }
  is_over.store(true);
  owner.join();
  EXPECT_EQ(count, owner_count + visit_count);
}

// Z1: one barrier serves the visits of many locks.
TEST(BiasedLock, LetsOneVisitorHoldManyLocks) {
  std::array<BiasedLock, 3> locks;
  for (int round = 0; round < 10; ++round) {
    for (BiasedLock& lock : locks) lock.announce_visitor();
    global_barrier();
    for (BiasedLock& lock : locks) lock.wait_for_owner();
    for (BiasedLock& lock : locks) lock.unlock_visitor();
    for (BiasedLock& lock : locks) lock.lock_owner();
    for (BiasedLock& lock : locks) lock.unlock_owner();
  }
}

// Z1: an owner that comes while a visitor is in gets in only after the visitor has left.
TEST(BiasedLock, HoldsTheOwnerUpForTheLengthOfAVisit) {
  BiasedLock lock;
  visit(lock);
  int written_by_visitor = 0;
  int seen_by_owner = -1;
  std::thread owner([&] {
    lock.lock_owner();
    seen_by_owner = written_by_visitor;
    lock.unlock_owner();
  });
  written_by_visitor = 7;
  lock.unlock_visitor();
  owner.join();
  EXPECT_EQ(seen_by_owner, 7);
}

TEST(BiasedLock, AsksTheSystemOnce) {
  EXPECT_EQ(has_global_barrier(), has_global_barrier());
}

}  // namespace
}  // namespace ashlar::base
