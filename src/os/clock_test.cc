// What everything that asks for the time may rely on: it is wall time, it never goes back (T2), and
// the cheap question has the same answer as the exact one.

#include "os/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "os/manual_clock.h"

namespace ashlar::os {
namespace {

TEST(SystemClock, TellsWallTime) {
  const SystemClock clock;
  const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  EXPECT_NEAR(static_cast<double>(clock.now_ms()), static_cast<double>(wall), 10'000);
}

// T2
TEST(SystemClock, NeverGoesBack) {
  const SystemClock clock;
  std::int64_t last_ms = clock.now_ms();
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t now_ms = clock.now_ms();
    ASSERT_GE(now_ms, last_ms);
    last_ms = now_ms;
  }
}

// T2: once a deadline was past it stays past, whichever question is asked.
TEST(SystemClock, TheCheapQuestionAgreesWithTheExactOne) {
  const SystemClock clock;
  for (int i = 0; i < 100'000; ++i) {
    const std::int64_t deadline_ms = clock.now_ms();
    ASSERT_TRUE(clock.is_past(deadline_ms)) << "the exact clock has already shown this time";
    ASSERT_FALSE(clock.is_past(deadline_ms + 60'000));
  }
  EXPECT_FALSE(clock.is_past(std::numeric_limits<std::int64_t>::max()));
  EXPECT_TRUE(clock.is_past(0));
  EXPECT_TRUE(clock.is_past(std::numeric_limits<std::int64_t>::min()));
}

TEST(ManualClock, StandsStillUntilItIsMoved) {
  ManualClock clock(500);
  EXPECT_EQ(clock.now_ms(), 500);
  EXPECT_TRUE(clock.is_past(500));
  EXPECT_FALSE(clock.is_past(501));
  clock.advance(1);
  EXPECT_TRUE(clock.is_past(501));
}

TEST(ManualClockDeathTest, RefusesToGoBack) {
  ManualClock clock;
  EXPECT_DEATH(clock.advance(-1), "time never goes back");
}

}  // namespace
}  // namespace ashlar::os
