// What the background relies on: every entry comes up, never late, and near ones on the tick.

#include "memory/expiry_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

using CameUp = ExpiryWheel::CameUp;

constexpr std::uint64_t kStartTick = 1'000'003;
constexpr std::uint64_t kTopTicks = std::uint64_t{1} << 24U;

/// The wheel with the tick of every entry on the side.
class WheelAndMap {
 public:
  explicit WheelAndMap(std::uint64_t now_tick) : wheel_(budget_, now_tick) {}

  void add(std::uint64_t tick) {
    ASSERT_TRUE(wheel_.add(next_entry_, tick));
    ticks_[next_entry_++] = tick;
  }

  /// Moves on to `now_tick`, adding again what is not due. Returns false when that finds no end.
  bool advance(std::uint64_t now_tick) {
    base::ChunkedQueue due(budget_);
    std::size_t looks_left = 4 * ticks_.size() + 1000;
    while (true) {
      const CameUp came_up = wheel_.advance(now_tick, due);
      if (came_up == CameUp::kNothing) return true;
      if (--looks_left == 0) return false;
      while (!due.empty()) see(due.pop(), came_up);
    }
  }

  void expect_nothing_left_until(std::uint64_t tick) const {
    for (const auto& [entry, entry_tick] : ticks_) EXPECT_GT(entry_tick, tick);
  }

  base::MemoryBudget budget_{std::size_t{64} << 20U};
  ExpiryWheel wheel_;
  std::map<std::uint64_t, std::uint64_t> ticks_;  // Tick by entry.
  std::uint64_t next_entry_ = 1;

 private:
  void see(std::uint64_t entry, CameUp came_up) {
    const auto found = ticks_.find(entry);
    ASSERT_NE(found, ticks_.end()) << "an entry comes up that is not there";
    ASSERT_LE(wheel_.next_tick(), std::max(found->second, kStartTick)) << "an entry is late";
    if (came_up == CameUp::kAtTick) {
      EXPECT_EQ(found->second, wheel_.next_tick());
      ticks_.erase(found);
    } else {
      ASSERT_TRUE(wheel_.add(entry, found->second));
    }
  }
};

// W2: every distance within the first level.
TEST(ExpiryWheel, BringsNearEntriesUpOnTheirTick) {
  WheelAndMap both(kStartTick);
  for (std::uint64_t distance = 0; distance < 256; ++distance) both.add(kStartTick + distance);
  for (std::uint64_t distance = 0; distance < 256; ++distance) {
    ASSERT_EQ(both.wheel_.next_due_tick(), kStartTick + distance);
    ASSERT_TRUE(both.advance(kStartTick + distance));
    ASSERT_EQ(both.ticks_.size(), 255 - distance);
  }
}

// W1: what was added too late comes up at once.
TEST(ExpiryWheel, BringsPastEntriesUpAtOnce) {
  base::MemoryBudget budget(1'000'000);
  ExpiryWheel wheel(budget, kStartTick);
  ASSERT_TRUE(wheel.add(1, 0));
  base::ChunkedQueue due(budget);
  EXPECT_EQ(wheel.advance(kStartTick, due), CameUp::kAtTick);
  EXPECT_EQ(due.pop(), 1U);
}

// W1, W2: random distances up to all three levels, in random steps, against a map.
TEST(ExpiryWheel, BringsEveryEntryUpByItsTick) {
  testing::Random random(testing::seed());
  WheelAndMap both(kStartTick);
  std::uint64_t now_tick = kStartTick;
  for (int step = 0; step < 300; ++step) {
    for (std::uint64_t i = random.below(6); i > 0; --i) {
      both.add(now_tick + random.below(std::uint64_t{1} << random.below(20)));
    }
    const std::uint64_t due_tick = both.wheel_.next_due_tick();
    for (const auto& [entry, tick] : both.ticks_) ASSERT_LE(due_tick, std::max(tick, now_tick));
    now_tick += random.below(std::uint64_t{1} << random.below(13));
    ASSERT_TRUE(both.advance(now_tick));
    both.expect_nothing_left_until(now_tick);
    ASSERT_EQ(both.wheel_.count(), both.ticks_.size());
    now_tick = both.wheel_.next_tick();
  }
}

// W1: an entry beyond the top level waits through its turns, without being asked for again and
// again while the wheel stands at one of them.
TEST(ExpiryWheel, KeepsEntriesOfTheFarFuture) {
  const std::uint64_t start_tick = kTopTicks - 3;
  WheelAndMap both(start_tick);
  both.add(start_tick + 5);
  both.add(2 * kTopTicks - 1);
  both.add(3 * kTopTicks);
  ASSERT_TRUE(both.advance(kTopTicks + 10)) << "a far entry comes up without end";
  EXPECT_EQ(both.ticks_.size(), 2U);
  EXPECT_EQ(both.wheel_.count(), 2U);
  EXPECT_LE(both.wheel_.next_due_tick(), 2 * kTopTicks - 1);
}

TEST(ExpiryWheel, HandsOutEveryEntryWhenItIsEmptied) {
  WheelAndMap both(kStartTick);
  for (unsigned shift = 0; shift < 40; ++shift) both.add(kStartTick + (std::uint64_t{1} << shift));
  base::ChunkedQueue entries(both.budget_);
  std::vector<std::uint64_t> seen;
  for (std::size_t position = 0; both.wheel_.take_bucket(position, entries);) {
    while (!entries.empty()) seen.push_back(entries.pop());
  }
  EXPECT_EQ(both.wheel_.count(), 0U);
  EXPECT_EQ(both.wheel_.next_due_tick(), UINT64_MAX);
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(seen.size(), 40U);
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_EQ(seen[i], i + 1);
}

TEST(ExpiryWheel, AddsNothingWithoutBudget) {
  base::MemoryBudget budget(10);
  ExpiryWheel wheel(budget, kStartTick);
  EXPECT_FALSE(wheel.add(1, kStartTick));
  EXPECT_EQ(wheel.count(), 0U);
}

// T1: a key is looked at in the first tick that begins after its deadline, not before.
TEST(ExpiryWheel, LooksAtAKeyAfterItsDeadline) {
  for (engine::TimeMs deadline_ms = -40; deadline_ms < 200; ++deadline_ms) {
    const auto looked_at_ms = static_cast<engine::TimeMs>(tick_of(deadline_ms)) * kTickMs;
    EXPECT_GT(looked_at_ms, deadline_ms);
    if (deadline_ms >= 0) {
      EXPECT_LE(looked_at_ms, deadline_ms + kTickMs);
    }
    EXPECT_NE(tick_of(deadline_ms), 0U);
  }
}

}  // namespace
}  // namespace ashlar::memory
