// What a database that evicts promises at its memory budget (M1): writes go on for ever, what it
// still has is right, and what is used stays rather than what is not.

#include <gtest/gtest.h>

#include "store.h"
#include "testing/workload_scale.h"

namespace ashlar::limits {
namespace {

constexpr Options kEvicting{.memory_budget_bytes = 2 * kMemoryBudgetBytesMin,
                            .memory_policy = MemoryPolicy::kEvict};

// M1
TEST(Evict, MakesRoomForFourTimesTheBudgetOfAnyLength) {
  for (const std::size_t value_bytes : {10U, 200U, 3000U, 40'000U, 300'000U}) {
    Store store(kEvicting);
    const std::uint64_t count = 4 * kEvicting.memory_budget_bytes / (value_bytes + 80);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string value(value_bytes, static_cast<char>('a' + i % 26));
      const auto result = store->put(key_of("key", i), value);
      ASSERT_TRUE(result.has_value()) << value_bytes << ", " << i << result.error().message();
      ASSERT_LE(store->approximate_memory(), kEvicting.memory_budget_bytes) << "M1";
    }
    const Stats stats = store.stats();
    EXPECT_GT(stats.evicted_count, 0U);
    EXPECT_EQ(stats.key_count + stats.evicted_count, count);
    EXPECT_EQ(stats.refused_write_count, 0U);
    store.check();
  }
}

// M1: lengths that follow one another, so that pages must change their use.
TEST(Evict, MakesRoomForValuesOfAnotherLength) {
  Store store(kEvicting);
  for (const std::size_t value_bytes : {100U, 5000U, 100'000U, 20U, 900U}) {
    const std::uint64_t count = 2 * kEvicting.memory_budget_bytes / (value_bytes + 80);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto result = store->put(key_of("key", i), std::string(value_bytes, 'v'));
      ASSERT_TRUE(result.has_value()) << value_bytes << ", " << i << result.error().message();
      ASSERT_LE(store->approximate_memory(), kEvicting.memory_budget_bytes) << "M1";
    }
  }
  store.check();
}

TEST(Evict, KeepsRightWhatItKeeps) {
  Store store(kEvicting);
  constexpr std::uint64_t kCount = 100'000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(
        store->put(key_of("key", i), key_of("value", i) + std::string(200, 'v')).has_value());
  }
  std::uint64_t left_count = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const std::string value = store.value_of(key_of("key", i));
    if (value == "(absent)") continue;
    ASSERT_EQ(value, key_of("value", i) + std::string(200, 'v'));
    ++left_count;
  }
  EXPECT_EQ(left_count, store.stats().key_count);
  EXPECT_GT(left_count * 300, kEvicting.memory_budget_bytes / 2) << "it does not throw all away";
}

TEST(Evict, KeepsKeysThatAreReadAgainAndAgain) {
  Store store(kEvicting);
  constexpr std::uint64_t kHot = 1000;
  constexpr std::uint64_t kCold = 200'000;
  const std::string value(200, 'v');
  for (std::uint64_t i = 0; i < kHot; ++i) ASSERT_TRUE(store->put(key_of("hot", i), value));
  for (std::uint64_t i = 0; i < kCold; ++i) {
    ASSERT_TRUE(store->put(key_of("cold", i), value));
    ASSERT_TRUE(store->get(key_of("hot", i % kHot)));
    ASSERT_TRUE(store->get(key_of("hot", (i * 7) % kHot)));
  }
  std::uint64_t left_count = 0;
  for (std::uint64_t i = 0; i < kHot; ++i) left_count += store->exists(key_of("hot", i)).value();
  EXPECT_GE(left_count, kHot * 9 / 10);
}

// T1
TEST(Evict, WorksBesideExpiry) {
  Store store(kEvicting);
  const std::string value(200, 'v');
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const auto expiry = Expiry::in(std::chrono::milliseconds(1 + i % 500));
    ASSERT_TRUE(store->put(key_of("key", i), value, expiry).has_value()) << i;
    if (i % 100 == 0) store.settle(1);
    ASSERT_LE(store->approximate_memory(), kEvicting.memory_budget_bytes) << "M1";
  }
  store.settle(2000);
  store.settle(2000);
  EXPECT_EQ(store.stats().key_count, 0U);
  store.check();
}

}  // namespace
}  // namespace ashlar::limits
