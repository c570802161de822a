// What expiry costs in memory: one pending entry for a key however often it is set, memory back
// after the deadline, and a lag that the figures tell.

#include <gtest/gtest.h>

#include <algorithm>

#include "store.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::limits {
namespace {

constexpr std::uint64_t kManyTimes = 1'000'000;

TEST(PendingExpiry, IsOneForAKeyThatIsSetAMillionTimes) {
  Store store;
  const std::uint64_t count = testing::scaled(kManyTimes);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto delay = std::chrono::milliseconds(3'600'000 + i);
    ASSERT_TRUE(store->put("key", "value", Expiry::in(delay)).has_value());
    if (i % 1000 == 0) store.settle(1);
  }
  EXPECT_LE(store.stats().pending_expiry_count, 4U);
}

TEST(PendingExpiry, StaysSmallForAKeyWhoseDeadlineMovesAboutAMillionTimes) {
  Store store;
  testing::Random random(testing::seed());
  const std::uint64_t count = testing::scaled(kManyTimes);
  ASSERT_TRUE(store->put("key", "value").has_value());
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto delay = std::chrono::milliseconds(1'000'000 + random.below(3'600'000));
    ASSERT_TRUE(store->expire("key", Expiry::in(delay)).value());
  }
  EXPECT_LE(store.stats().pending_expiry_count, 64U) << "a new one for each new earliest, no more";
}

// The pattern of a lock: set with a deadline, erased long before it. The store is empty again after
// each turn, so it must never run out of memory.
TEST(PendingExpiry, DoesNotFillTheBudgetWhenKeysAreErasedLongBeforeTheirDeadline) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  const std::uint64_t count = testing::scaled(kManyTimes);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string key = key_of("lock", i % 10);
    const auto result = store->put(key, "holder", Expiry::in(std::chrono::hours(1)));
    ASSERT_TRUE(result.has_value()) << i << ": " << result.error().message();
    ASSERT_TRUE(store->erase(key).value());
    if (i % 1000 == 0) store.settle(1);
  }
  store.settle();
  EXPECT_EQ(store.stats().key_count, 0U);
  store.check();
}

TEST(Reclaiming, GivesTheMemoryOfExpiredKeysBack) {
  Store store;
  const std::size_t empty_bytes = store->approximate_memory();
  const std::uint64_t count = testing::scaled(200'000);
  const std::string value(200, 'v');
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto delay = std::chrono::milliseconds(1 + i % 20'000);
    ASSERT_TRUE(store->put(key_of("key", i), value, Expiry::in(delay)).has_value());
  }
  const std::size_t full_bytes = store->approximate_memory();
  store.settle(21'000);
  store.settle(1000);
  const Stats stats = store.stats();
  EXPECT_EQ(stats.key_count, 0U);
  EXPECT_EQ(stats.expiring_key_count, 0U);
  EXPECT_EQ(stats.expired_count, count);
  EXPECT_EQ(stats.pending_expiry_count, 0U);
  EXPECT_LE(stats.memory_bytes, empty_bytes + (full_bytes - empty_bytes) / 5 + (4U << 20U));
  store.check();
}

TEST(Reclaiming, LagsNoFurtherThanTheFiguresTell) {
  Store store;
  const std::uint64_t count = testing::scaled(100'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto delay = std::chrono::milliseconds(1 + i % 10'000);
    ASSERT_TRUE(store->put(key_of("key", i), "value", Expiry::in(delay)).has_value());
  }
  const std::int64_t start_ms = store.clock().now_ms();
  for (std::int64_t passed_ms = 0; passed_ms < 11'000; passed_ms += 100) {
    store.settle(100);
    const Stats stats = store.stats();
    ASSERT_LE(stats.expiry_lag_ms, stats.expiry_lag_ms_max);
    ASSERT_LE(stats.expiry_lag_ms_max, 1000U);
    // Whatever was due a second ago is gone: ten keys were due each millisecond.
    const std::int64_t done_ms = store.clock().now_ms() - start_ms - 1000;
    const auto due_count =
        count * static_cast<std::uint64_t>(std::clamp<std::int64_t>(done_ms, 0, 10'000)) / 10'000;
    ASSERT_LE(stats.key_count, count - due_count + 10) << passed_ms;
  }
  EXPECT_EQ(store.stats().key_count, 0U);
}

TEST(Reclaiming, NeedsNoRoundsWhenNothingIsPending) {
  Store store;
  ASSERT_TRUE(store->put("key", "value").has_value());
  store.settle(1'000'000);
  EXPECT_EQ(store.stats().expiry_lag_ms, 0U);
  EXPECT_EQ(store.value_of("key"), "value");
}

}  // namespace
}  // namespace ashlar::limits
