// What a database that refuses promises at its memory budget (M1): it never holds more, a refused
// write has changed nothing, erasing works and gives memory back to values of any other length.

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "store.h"
#include "testing/workload_scale.h"

namespace ashlar::limits {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all_pages = 0;
  std::size_t resident_pages = 0;
  statm >> all_pages >> resident_pages;
  return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// M1
TEST(Refuse, FillsTheBudgetWithDataBeforeItRefuses) {
  constexpr std::size_t kBudget = 32 * kMiB;
  for (const std::size_t value_bytes : {0U, 16U, 100U, 1000U, 5000U, 50'000U, 500'000U}) {
    Store store({.memory_budget_bytes = kBudget});
    const std::uint64_t count = store.fill("key", value_bytes);
    EXPECT_GE(count * (value_bytes + 80), kBudget * 6 / 10) << value_bytes << ": " << count;
    EXPECT_GT(store.stats().refused_write_count, 0U);
    EXPECT_EQ(store.stats().key_count, count);
    store.check();
  }
}

// M1: measured from outside. A sanitizer keeps memory of its own.
TEST(Refuse, StaysWithinTheBudgetInTheEyesOfTheSystem) {
  if (testing::kIsAddressSanitizer || testing::kIsThreadSanitizer) return;
  constexpr std::size_t kBudget = 256 * kMiB;
  const std::size_t before_bytes = resident_bytes();
  Store store({.memory_budget_bytes = kBudget});
  store.fill("key", 100);
  const std::size_t grown_bytes = resident_bytes() - before_bytes;
  EXPECT_LE(grown_bytes, kBudget + kBudget * 15 / 100 + 8 * kMiB);
  EXPECT_GE(grown_bytes, kBudget / 2) << "it was really filled";
}

// M1
TEST(Refuse, StaysWithinTheBudgetInTheEyesOfTheSystemForLargeValues) {
  if (testing::kIsAddressSanitizer || testing::kIsThreadSanitizer) return;
  constexpr std::size_t kBudget = 256 * kMiB;
  const std::size_t before_bytes = resident_bytes();
  Store store({.memory_budget_bytes = kBudget});
  store.fill("key", 100'000);
  EXPECT_LE(resident_bytes() - before_bytes, kBudget + kBudget * 15 / 100 + 8 * kMiB);
}

TEST(Refuse, ChangesNothingWhenItRefuses) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  ASSERT_GT(store.fill("key", 300), 0U);
  store.fill("large", 100'000);  // What small pages could not use.
  const std::string larger(200'000, 'x');
  const auto new_key = store->put("new", larger);
  ASSERT_FALSE(new_key.has_value());
  EXPECT_EQ(new_key.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(store.value_of("new"), "(absent)");
  const auto old_key = store->put("key0", larger, Expiry::in(std::chrono::hours(1)));
  ASSERT_FALSE(old_key.has_value());
  EXPECT_EQ(store.value_of("key0"), std::string(300, 'v'));
  EXPECT_TRUE(store->expiry_of("key0").value()->is_never());
  store.check();
}

// C1
TEST(Refuse, RefusesABatchWhole) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  const std::uint64_t count = store.fill("key", 300);
  WriteBatch batch;
  batch.erase("key0");
  batch.put("key1", "short");
  for (int i = 0; i < 50; ++i)
    batch.put(key_of("batch", static_cast<std::uint64_t>(i)), std::string(50'000, 'x'));
  batch.erase("key2");
  const auto result = store->write(batch);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::kOutOfSpace);
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_EQ(store.value_of(key_of("key", i)), std::string(300, 'v')) << i;
  }
  for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(store.value_of(key_of("batch", i)), "(absent)");
  EXPECT_EQ(store.stats().key_count, count);
  store.check();
}

TEST(Refuse, ErasesAndThenStoresWhenFull) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  const std::uint64_t count = store.fill("key", 300);
  for (std::uint64_t i = 0; i < count / 2; ++i) ASSERT_TRUE(store->erase(key_of("key", i)).value());
  for (std::uint64_t i = 0; i < count / 4; ++i) {
    ASSERT_TRUE(store->put(key_of("new", i), std::string(300, 'n')).has_value()) << i;
  }
  store.check();
}

TEST(Refuse, ErasesABatchOfKeysWhenFull) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  const std::uint64_t count = store.fill("key", 300);
  WriteBatch batch;
  for (std::uint64_t i = 0; i < count; ++i) batch.erase(key_of("key", i));
  const auto result = store->write(batch);
  ASSERT_TRUE(result.has_value()) << result.error().message();
  EXPECT_EQ(store.stats().key_count, 0U);
}

TEST(Refuse, KeepsWhatASnapshotSeesAndSaysSoWhenThatFillsTheBudget) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  const std::uint64_t count = store.fill("key", 300);
  {
    const auto snapshot = store->snapshot().value();
    bool is_refused = false;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string key = key_of("key", i);
      const auto was_there = store->erase(key);
      if (!was_there) {
        ASSERT_EQ(was_there.error().code(), ErrorCode::kOutOfSpace);
        ASSERT_EQ(store.value_of(key), std::string(300, 'v'));
        is_refused = true;
      }
      ASSERT_EQ(store->get(key, &snapshot).value()->view(), std::string(300, 'v'));
      ASSERT_LE(store->approximate_memory(), kMemoryBudgetBytesMin) << "M1";
    }
    // Whether there was room for all those marks is the engine's affair; nothing may be lost.
    EXPECT_EQ(is_refused, store.stats().key_count > 0);
  }
  store.settle();
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(store->erase(key_of("key", i)).has_value()) << "the snapshot is gone";
  }
  store.settle();
  EXPECT_EQ(store.stats().key_count, 0U);
  store.check();
}

// M1: a page that held values of one length serves another when it has emptied.
TEST(Refuse, GivesMemoryBackToValuesOfAnyOtherLength) {
  constexpr std::size_t kBudget = 32 * kMiB;
  Store store({.memory_budget_bytes = kBudget});
  const std::size_t empty_bytes = store->approximate_memory();
  for (const std::size_t value_bytes : {100U, 2000U, 30'000U, 0U, 400'000U, 600U, 100U}) {
    const std::uint64_t count = store.fill("key", value_bytes);
    EXPECT_GE(count * (value_bytes + 80), kBudget * 55 / 100) << value_bytes << ": " << count;
    store.drain("key", count);
    store.settle();
    EXPECT_EQ(store.stats().key_count, 0U);
    EXPECT_LE(store->approximate_memory(), empty_bytes + kBudget / 8) << value_bytes;
    store.check();
  }
}

// M1: what no snapshot sees any more makes room again.
TEST(Refuse, IsNotBroughtAboutBySnapshotsThatComeAndGo) {
  Store store({.memory_budget_bytes = 16 * kMiB});
  const std::string value(400, 'v');
  const std::uint64_t writes = testing::scaled(1'000'000);
  auto snapshot = store->snapshot().value();
  for (std::uint64_t i = 0; i < writes; ++i) {
    const auto result = store->put(key_of("key", i * 7919 % 5000), value);
    ASSERT_TRUE(result.has_value()) << i << ": " << result.error().message();
    if (i % 2000 == 0) snapshot = store->snapshot().value();
    if (i % 1000 == 0) store.settle();
  }
  snapshot.release();
  store.settle();
  EXPECT_EQ(store.stats().kept_version_count, 0U);
  store.check();
}

// M1: the ordered side counts, and goes when nobody scans.
TEST(Refuse, CountsTheOrderedSideAndRefusesItWhereThereIsNoRoom) {
  Store store({.memory_budget_bytes = kMemoryBudgetBytesMin});
  const std::uint64_t count = store.fill("key", 100);
  auto rows = store->scan();
  EXPECT_TRUE(rows || rows.error().code() == ErrorCode::kOutOfSpace);
  EXPECT_LE(store->approximate_memory(), kMemoryBudgetBytesMin) << "M1";
  EXPECT_EQ(store.stats().key_count, count);
  store.check();
}

}  // namespace
}  // namespace ashlar::limits
