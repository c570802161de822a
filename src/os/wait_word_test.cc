// What waiters rely on: no wake is missed, whichever way it meets the waiter.

#include "os/wait_word.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace ashlar::os {
namespace {

// A ticket that is spent does not make its holder sleep: or this would hang.
TEST(WaitWord, DoesNotSleepOnASpentTicket) {
  WaitWord word;
  const WaitWord::Ticket ticket = word.ticket();
  word.wake_one();
  word.wait(ticket);
  EXPECT_NE(word.ticket(), ticket);
}

// Nobody wakes it, and it comes back all the same.
TEST(WaitWord, WaitsNoLongerThanItIsTold) {
  WaitWord word;
  const WaitWord::Ticket ticket = word.ticket();
  word.wait_for(ticket, std::chrono::microseconds(100));
  EXPECT_EQ(word.ticket(), ticket);
}

// Two threads hand a ball to each other: one missed wake would hang.
TEST(WaitWord, MissesNoWake) {
  constexpr int kRounds = 20'000;
  WaitWord word;
  std::atomic<int> turn{0};
  const auto play = [&](int parity) {
    for (int round = parity; round < kRounds; round += 2) {
      while (true) {
        const WaitWord::Ticket ticket = word.ticket();
        if (turn.load(std::memory_order_relaxed) == round) break;
        word.wait(ticket);
      }
      turn.store(round + 1, std::memory_order_relaxed);
      word.wake_one();
    }
  };
  {
    const std::jthread other(play, 1);
    play(0);
  }
  EXPECT_EQ(turn.load(), kRounds);
}

TEST(WaitWord, WakesAll) {
  WaitWord word;
  std::atomic<bool> is_open{false};
  std::atomic<int> through_count{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        while (true) {
          const WaitWord::Ticket ticket = word.ticket();
          if (is_open.load(std::memory_order_relaxed)) break;
          word.wait(ticket);
        }
        through_count.fetch_add(1);
      });
    }
    is_open.store(true, std::memory_order_relaxed);
    word.wake_all();
  }
  EXPECT_EQ(through_count.load(), 8);
}

}  // namespace
}  // namespace ashlar::os
