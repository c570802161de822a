// What T1 promises at the edges of time.

#include <gtest/gtest.h>

#include <limits>

#include "store.h"

namespace ashlar::limits {
namespace {

constexpr std::int64_t kMsMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMsMax = std::numeric_limits<std::int64_t>::max();

void expect_gone(Store& store, std::string_view key) {
  EXPECT_EQ(store.value_of(key), "(absent)");
  EXPECT_FALSE(store->exists(key).value());
  EXPECT_FALSE(store->expiry_of(key).value().has_value());
  EXPECT_FALSE(store->time_to_live(key).value().has_value());
  EXPECT_FALSE(store->expire(key, Expiry::never()).value());
  EXPECT_FALSE(store->persist(key).value());
  EXPECT_FALSE(store->erase(key).value());
}

// T1
TEST(Deadline, InThePastEndsAKeyAtOnce) {
  Store store;
  const std::int64_t now_ms = store.clock().now_ms();
  for (const std::int64_t ms : {kMsMin, kMsMin + 1, std::int64_t{-1}, std::int64_t{0},
                                std::int64_t{1}, now_ms - 1, now_ms}) {
    ASSERT_TRUE(store->put("key", "old").has_value());
    ASSERT_TRUE(store->put("key", "value", Expiry::at_ms(ms)).has_value()) << ms;
    expect_gone(store, "key");
  }
}

// T1
TEST(Deadline, GivenLaterToAKeyInThePastEndsItAtOnce) {
  Store store;
  for (const std::int64_t ms : {kMsMin, std::int64_t{-1}, std::int64_t{0}}) {
    ASSERT_TRUE(store->put("key", "value").has_value());
    EXPECT_TRUE(store->expire("key", Expiry::at_ms(ms)).value()) << "the key was there";
    expect_gone(store, "key");
  }
  store.settle();
  EXPECT_EQ(store.stats().key_count, 0U);
}

// T1
TEST(Deadline, OfADelayThatIsNotPositiveEndsAKeyAtOnce) {
  Store store;
  for (const auto delay : {std::chrono::milliseconds(0), std::chrono::milliseconds(-1),
                           std::chrono::milliseconds::min()}) {
    ASSERT_TRUE(store->put("key", "value", Expiry::in(delay)).has_value());
    expect_gone(store, "key");
  }
}

// T1
TEST(Deadline, IsExactToTheMillisecond) {
  Store store;
  ASSERT_TRUE(store->put("key", "value", Expiry::in(std::chrono::milliseconds(1))).has_value());
  EXPECT_EQ(store->time_to_live("key").value()->count(), 1);
  EXPECT_EQ(store.value_of("key"), "value");
  store.clock().advance(1);
  expect_gone(store, "key");
}

TEST(Deadline, AtTheEndOfTimeIsOneAndNeverIsNone) {
  Store store;
  ASSERT_TRUE(store->put("last", "value", Expiry::at_ms(kMsMax - 1)).has_value());
  ASSERT_TRUE(store->put("never", "value", Expiry::at_ms(kMsMax)).has_value());
  store.settle(std::int64_t{1} << 32U);
  EXPECT_EQ(store.value_of("last"), "value");
  EXPECT_EQ(store->expiry_of("last").value()->resolve_ms(0), kMsMax - 1);
  EXPECT_EQ(store->time_to_live("last").value()->count(), kMsMax - 1 - store.clock().now_ms());
  EXPECT_TRUE(store->persist("last").value());
  EXPECT_TRUE(store->expiry_of("never").value()->is_never());
  EXPECT_FALSE(store->time_to_live("never").value().has_value());
  EXPECT_FALSE(store->persist("never").value());
}

TEST(Deadline, BeyondTheEndOfTimeMeansNever) {
  Store store;
  const auto delay = std::chrono::milliseconds::max();
  ASSERT_TRUE(store->put("key", "value", Expiry::in(delay)).has_value());
  EXPECT_TRUE(store->expiry_of("key").value()->is_never());
}

// T1: a snapshot fixes the time as well.
TEST(Deadline, DoesNotEndAKeyForASnapshotTakenBefore) {
  Store store;
  ASSERT_TRUE(store->put("key", "value", Expiry::in(std::chrono::milliseconds(10))).has_value());
  auto before = store->snapshot().value();
  store.settle(10'000);
  auto after = store->snapshot().value();
  EXPECT_EQ(store->get("key", &before).value()->view(), "value");
  EXPECT_FALSE(store->get("key", &after).value().has_value());
  before.release();
  after.release();
  store.settle(10'000);
  if (db::engine_under_test() == Engine::kMemory) {
    EXPECT_EQ(store.stats().key_count, 0U);
  }
  store.check();
}

}  // namespace
}  // namespace ashlar::limits
