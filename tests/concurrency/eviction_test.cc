// What a database that evicts promises under load: what it still has is right, and its memory stays
// within the budget at every moment.

#include <gtest/gtest.h>

#include <atomic>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

constexpr std::uint64_t kKeys = 60'000;
constexpr std::size_t kThreads = 6;

void use_one(World& world, testing::Random& random) {
  Db& db = world.db();
  const std::uint64_t number = random.chance(50) ? random.below(kKeys / 20) : random.below(kKeys);
  const std::string key = key_of("key", number);
  if (random.chance(60)) {
    const auto value = db.get(key).value();
    if (!value) return;
    const auto told = number_of(value->view());
    ASSERT_TRUE(told.has_value()) << "a torn value";
    ASSERT_EQ(*told % kKeys, number) << "a value of another key";
    return;
  }
  // Numbers that mean the same key, of different lengths.
  const auto result = db.put(key, value_of(number + kKeys * random.below(8)));
  ASSERT_TRUE(result.has_value()) << result.error().message();
}

// M1
TEST(Eviction, KeepsTheBudgetAndNeverLies) {
  constexpr std::size_t kBudget = kMemoryBudgetBytesMin;
  World world({.memory_budget_bytes = kBudget, .memory_policy = MemoryPolicy::kEvict});
  std::atomic<std::size_t> running{kThreads};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, kThreads, [&](std::size_t thread) {
    testing::Random random(testing::seed(), thread);
    const std::uint64_t calls = testing::scaled(100'000);
    for (std::uint64_t i = 0; i < calls && !::testing::Test::HasFailure(); ++i) {
      use_one(world, random);
      EXPECT_LE(world.db().approximate_memory(), kBudget) << "M1";
    }
    running.fetch_sub(1);
  });
  tasks.emplace_back([&] {
    while (running.load() > 0) world.maintain();
  });
  run_together(std::move(tasks));
  world.check();
  EXPECT_GT(world.db().stats().value().evicted_count, 0U) << "the budget was never reached";
}

// M1
TEST(Eviction, KeepsTheBudgetWhileSnapshotsAndScansHoldVersions) {
  constexpr std::size_t kBudget = 2 * kMemoryBudgetBytesMin;
  World world({.memory_budget_bytes = kBudget, .memory_policy = MemoryPolicy::kEvict});
  std::atomic<std::size_t> running{kThreads};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, kThreads, [&](std::size_t thread) {
    testing::Random random(testing::seed(), thread);
    const std::uint64_t calls = testing::scaled(5'000);
    for (std::uint64_t i = 0; i < calls && !::testing::Test::HasFailure(); ++i) {
      const std::uint64_t number = random.below(kKeys);
      const auto result = world.db().put(key_of("key", number), value_of(number));
      EXPECT_TRUE(result || result.error().code() == ErrorCode::kOutOfSpace);
      EXPECT_LE(world.db().approximate_memory(), kBudget) << "M1";
    }
    running.fetch_sub(1);
  });
  tasks.emplace_back([&] {
    while (running.load() > 0) {
      auto rows = world.db().scan();
      if (!rows) continue;
      rows->seek_to_first();
      for (int i = 0; i < 1000 && rows->is_valid(); ++i, rows->next()) {
        ASSERT_EQ(key_of("key", number_of(rows->value()).value_or(kKeys)), rows->key());
      }
    }
  });
  run_together(std::move(tasks));
  world.check();
}

}  // namespace
}  // namespace ashlar::concurrency
