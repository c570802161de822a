// What T1 promises while the clock runs and expired keys are reclaimed: no read that begins at or
// after a deadline sees the key, and no key goes before its deadline.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

constexpr std::uint64_t kKeys = 500;

/// Moves time in one thread, reclaims in another, and calls `use` in four more.
void run(World& world, const std::function<void(testing::Random&)>& use) {
  constexpr std::size_t kUsers = 4;
  std::atomic<std::size_t> running{kUsers};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, kUsers, [&](std::size_t user) {
    testing::Random random(testing::seed(), user);
    const std::uint64_t calls = testing::scaled(60'000);
    for (std::uint64_t i = 0; i < calls && !::testing::Test::HasFailure(); ++i) use(random);
    running.fetch_sub(1);
  });
  tasks.emplace_back([&] {
    while (running.load() > 0) {
      world.clock().advance(1);
      std::this_thread::yield();
    }
  });
  tasks.emplace_back([&] {
    while (running.load() > 0) world.maintain();
  });
  run_together(std::move(tasks));
  world.check();
}

// T1: each value tells its own deadline.
TEST(Expiry, HidesAKeyFromItsDeadlineOn) {
  World world;
  run(world, [&world](testing::Random& random) {
    Db& db = world.db();
    const std::string key = key_of("key", random.below(kKeys));
    const std::int64_t now_ms = world.clock().now_ms();
    if (random.chance(40)) {
      const auto deadline_ms = now_ms + static_cast<std::int64_t>(random.below(100));
      const std::string value = value_of(static_cast<std::uint64_t>(deadline_ms));
      EXPECT_TRUE(db.put(key, value, Expiry::at_ms(deadline_ms)).has_value());
    } else if (random.chance(50)) {
      const auto value = db.get(key).value();
      if (!value) return;
      ASSERT_GT(static_cast<std::int64_t>(number_of(value->view()).value_or(0)), now_ms)
          << "ASHLAR_TEST_SEED=" << testing::seed();
    } else if (random.chance(90)) {
      const std::array<std::string_view, 2> keys{key, key};
      const auto values = db.multi_get(keys).value();
      for (const auto& value : values) {
        if (!value) continue;
        ASSERT_GT(static_cast<std::int64_t>(number_of(value->view()).value_or(0)), now_ms);
      }
    } else {
      const auto left = db.time_to_live(key).value();
      ASSERT_TRUE(!left || left->count() >= 1);
    }
  });
}

// T1
TEST(Expiry, HidesAKeyFromScansOpenedAfterItsDeadline) {
  World world;
  run(world, [&world](testing::Random& random) {
    Db& db = world.db();
    const std::uint64_t number = random.below(kKeys);
    const std::int64_t now_ms = world.clock().now_ms();
    if (random.chance(90)) {
      const auto deadline_ms = now_ms + static_cast<std::int64_t>(random.below(100));
      const std::string value = value_of(static_cast<std::uint64_t>(deadline_ms));
      EXPECT_TRUE(db.put(key_of("key", number), value, Expiry::at_ms(deadline_ms)).has_value());
      return;
    }
    auto rows = db.scan();
    ASSERT_TRUE(rows.has_value());
    rows->seek(key_of("key", number));
    for (int i = 0; i < 20 && rows->is_valid(); ++i, rows->next()) {
      ASSERT_GT(static_cast<std::int64_t>(number_of(rows->value()).value_or(0)), now_ms)
          << "ASHLAR_TEST_SEED=" << testing::seed();
    }
  });
}

// T1: the other half. Keys of one thread only, so that it knows their deadlines.
TEST(Expiry, KeepsAKeyUntilItsDeadline) {
  World world;
  std::atomic<std::uint64_t> next_owner{0};
  run(world, [&](testing::Random& random) {
    static thread_local const std::uint64_t owner = next_owner.fetch_add(1);
    Db& db = world.db();
    const std::string key = key_of("own" + std::to_string(owner), random.below(100));
    const auto delay_ms = static_cast<std::int64_t>(random.below(60));
    const std::int64_t deadline_ms = world.clock().now_ms() + delay_ms;
    if (random.chance(50)) {
      EXPECT_TRUE(db.put(key, "value", Expiry::at_ms(deadline_ms)).has_value());
    } else {
      EXPECT_TRUE(db.put(key, "value", Expiry::at_ms(deadline_ms / 2)).has_value());
      EXPECT_TRUE(db.put(key, "value").has_value());
      EXPECT_TRUE(db.expire(key, Expiry::at_ms(deadline_ms)).value()) << "the key was there";
    }
    for (int i = 0; i < 3; ++i) {
      const bool is_there = db.exists(key).value();
      if (!is_there) {
        ASSERT_GE(world.clock().now_ms(), deadline_ms)
            << "gone too early; ASHLAR_TEST_SEED=" << testing::seed();
      }
    }
  });
}

}  // namespace
}  // namespace ashlar::concurrency
