// X5, X6, X7: of a key one is the holder, those who wait get it in their order, nobody waits for
// ever.

#include "txn/key_locks.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::txn {
namespace {

using Outcome = KeyLocks::Outcome;
using std::chrono::milliseconds;

KeyLocks::Deadline soon() {
  return std::chrono::steady_clock::now() + milliseconds(5);
}
// Long enough for a test that hangs to be told from one that is slow.
KeyLocks::Deadline far() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(4);
}

void wait_for_waiters(const KeyLocks& locks, std::size_t count) {
  while (locks.figures().waiter_count != count) std::this_thread::yield();
  locks.check();
}

TEST(KeyLocks, HoldsAKeyForOneAndMoreThanOnce) {
  KeyLocks locks;
  KeyLocks::Holder first(locks);
  KeyLocks::Holder second(locks);
  EXPECT_TRUE(first.is_empty());
  EXPECT_EQ(first.lock("a", soon()), Outcome::kHeld);
  EXPECT_EQ(first.lock("a", soon()), Outcome::kHeld);
  EXPECT_EQ(second.lock("b", soon()), Outcome::kHeld);
  EXPECT_TRUE(first.holds("a"));
  EXPECT_FALSE(first.holds("b"));
  EXPECT_FALSE(second.holds("a"));
  EXPECT_FALSE(second.is_empty());
  EXPECT_EQ(locks.figures().key_count, 2U);
  locks.check();
}

// X7: a limit that passes ends the waiting, also one that is past.
TEST(KeyLocks, GivesUpAtItsLimitAndIsNotInTheWay) {
  KeyLocks locks;
  KeyLocks::Holder first(locks);
  KeyLocks::Holder second(locks);
  ASSERT_EQ(first.lock("a", far()), Outcome::kHeld);
  EXPECT_EQ(second.lock("a", KeyLocks::kAtOnce), Outcome::kTimedOut);
  EXPECT_EQ(second.lock("a", soon() - milliseconds(10)), Outcome::kTimedOut) << "in the past";
  EXPECT_EQ(second.lock("a", soon()), Outcome::kTimedOut);
  EXPECT_EQ(locks.figures().waiter_count, 0U);
  locks.check();
  first.release();
  EXPECT_EQ(locks.figures().key_count, 0U) << "it went to nobody";
  EXPECT_EQ(second.lock("a", KeyLocks::kAtOnce), Outcome::kHeld) << "what is free needs no time";
}

TEST(KeyLocks, LetsGoOfAllItHolds) {
  KeyLocks locks;
  KeyLocks::Holder other(locks);
  {
    KeyLocks::Holder holder(locks);
    for (const char* key : {"a", "b", "c"})
      ASSERT_EQ(holder.lock(key, KeyLocks::kAtOnce), Outcome::kHeld);
    EXPECT_EQ(other.lock("b", KeyLocks::kAtOnce), Outcome::kTimedOut);
  }
  EXPECT_EQ(locks.figures().key_count, 0U);
  KeyLocks::Holder holder(locks);
  ASSERT_EQ(holder.lock("a", KeyLocks::kAtOnce), Outcome::kHeld);
  holder.release();
  EXPECT_TRUE(holder.is_empty());
  EXPECT_EQ(other.lock("a", KeyLocks::kAtOnce), Outcome::kHeld);
}

// X5: in the order of asking. One in the middle that gives up is passed over.
TEST(KeyLocks, PassesAKeyOnInTheOrderOfAsking) {
  KeyLocks locks;
  KeyLocks::Holder first(locks);
  ASSERT_EQ(first.lock("a", KeyLocks::kAtOnce), Outcome::kHeld);
  std::vector<int> order;  // Written by holders of the lock only.
  std::vector<std::jthread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&locks, &order, i] {
      KeyLocks::Holder holder(locks);
      EXPECT_EQ(holder.lock("a", far()), Outcome::kHeld);
      order.push_back(i);
    });
    wait_for_waiters(locks, static_cast<std::size_t>(i) + 1);
    if (i % 2 == 0) {
      KeyLocks::Holder impatient(locks);
      EXPECT_EQ(impatient.lock("a", soon()), Outcome::kTimedOut);
    }
  }
  first.release();
  threads.clear();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(locks.figures().key_count, 0U);
}

// X6: `count` holders each hold a key and ask for that of the next; the last to ask hears of it.
void expect_deadlock_of(std::size_t count) {
  KeyLocks locks;
  std::vector<std::unique_ptr<KeyLocks::Holder>> holders;
  for (std::size_t i = 0; i < count; ++i) {
    holders.push_back(std::make_unique<KeyLocks::Holder>(locks));
    ASSERT_EQ(holders.back()->lock(std::to_string(i), KeyLocks::kAtOnce), Outcome::kHeld);
  }
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i + 1 < count; ++i) {
    threads.emplace_back([&holders, i] {
      EXPECT_EQ(holders[i]->lock(std::to_string(i + 1), far()), Outcome::kHeld);
      holders[i]->release();
    });
    wait_for_waiters(locks, i + 1);
  }
  KeyLocks::Holder& last = *holders.back();
  EXPECT_EQ(last.lock("0", far()), Outcome::kDeadlock);
  EXPECT_TRUE(last.holds(std::to_string(count - 1))) << "what it held it still holds";
  EXPECT_FALSE(last.holds("0"));
  locks.check();
  last.release();
  threads.clear();
  EXPECT_EQ(locks.figures().key_count, 0U) << "the others went on";
}

TEST(KeyLocks, FindsADeadlockOfTwo) {
  expect_deadlock_of(2);
}

TEST(KeyLocks, FindsADeadlockOfThreeAndMore) {
  expect_deadlock_of(3);
  expect_deadlock_of(6);
}

// X6: over one that only stands in the same queue: A waits behind B for what C holds.
TEST(KeyLocks, FindsADeadlockThroughAQueue) {
  KeyLocks locks;
  KeyLocks::Holder a(locks);
  KeyLocks::Holder b(locks);
  KeyLocks::Holder c(locks);
  ASSERT_EQ(a.lock("a", KeyLocks::kAtOnce), Outcome::kHeld);
  ASSERT_EQ(b.lock("b", KeyLocks::kAtOnce), Outcome::kHeld);
  ASSERT_EQ(c.lock("c", KeyLocks::kAtOnce), Outcome::kHeld);
  std::jthread second([&] {
    EXPECT_EQ(b.lock("c", far()), Outcome::kHeld);
    b.release();
  });
  wait_for_waiters(locks, 1);
  std::jthread first([&] {
    EXPECT_EQ(a.lock("c", far()), Outcome::kHeld);
    a.release();
  });
  wait_for_waiters(locks, 2);
  EXPECT_EQ(c.lock("a", far()), Outcome::kDeadlock);
  EXPECT_EQ(c.lock("b", far()), Outcome::kDeadlock);
  c.release();
}

// X6: after the key has passed on, the walk goes by its new holder.
TEST(KeyLocks, FindsADeadlockWithWhomAKeyHasPassedTo) {
  KeyLocks locks;
  KeyLocks::Holder first(locks);
  KeyLocks::Holder next(locks);
  KeyLocks::Holder last(locks);
  ASSERT_EQ(first.lock("a", KeyLocks::kAtOnce), Outcome::kHeld);
  ASSERT_EQ(last.lock("b", KeyLocks::kAtOnce), Outcome::kHeld);
  std::jthread waiting([&] { EXPECT_EQ(next.lock("a", far()), Outcome::kHeld); });
  wait_for_waiters(locks, 1);
  std::jthread behind([&] {
    EXPECT_EQ(last.lock("a", far()), Outcome::kHeld);
    last.release();
  });
  wait_for_waiters(locks, 2);
  first.release();
  waiting.join();
  EXPECT_EQ(next.lock("b", far()), Outcome::kDeadlock);
  next.release();
}

// X5, X6, X7: threads that take several keys in any order and change what those guard. Counters are
// plain, so that a thread sanitizer sees two holders of one key.
TEST(KeyLocks, CountsRightBesideThreads) {
  constexpr std::size_t kKeyCount = 4;
  constexpr std::size_t kThreadCount = 6;
  const std::uint64_t round_count = testing::scaled(3000);
  KeyLocks locks;
  std::array<std::uint64_t, kKeyCount> counters{};
  std::atomic<std::uint64_t> given_up_count{0};
  std::array<std::atomic<std::uint64_t>, kKeyCount> expected{};
  const auto work = [&](std::uint64_t seed) {
    testing::Random random(seed);
    for (std::uint64_t round = 0; round < round_count; ++round) {
      KeyLocks::Holder holder(locks);
      std::array<std::size_t, 2> keys{random.below(kKeyCount), random.below(kKeyCount)};
      bool has_all = true;
      for (const std::size_t key : keys) {
        const bool is_short = random.chance(5);
        if (random.chance(20)) std::this_thread::yield();
        has_all = has_all && holder.lock(std::to_string(key),
                                         is_short ? KeyLocks::kAtOnce : far()) == Outcome::kHeld;
      }
      if (!has_all) {
        ++given_up_count;
        continue;
      }
      for (const std::size_t key : keys) {
        ++counters[key];
        ++expected[key];
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreadCount; ++i) threads.emplace_back(work, testing::seed() + i);
    for (int i = 0; i < 50; ++i) {
      locks.check();
      std::this_thread::yield();
    }
  }
  for (std::size_t key = 0; key < kKeyCount; ++key) EXPECT_EQ(counters[key], expected[key]);
  EXPECT_LT(given_up_count, kThreadCount * round_count) << "somebody got what he asked for";
  EXPECT_EQ(locks.figures().key_count, 0U);
}

}  // namespace
}  // namespace ashlar::txn
