// What scans promise while keys come and go, and while the ordered side itself is built, kept up
// and dropped: keys that nobody touches appear exactly once, in order, in either direction.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

constexpr std::uint64_t kPermanentKeys = 1000;
constexpr std::uint64_t kStride = 10;  // Numbers between two of them: the others come and go.

bool is_permanent(std::string_view key) {
  return key.ends_with("0");
}

void fill(World& world) {
  for (std::uint64_t i = 0; i < kPermanentKeys; ++i) {
    ASSERT_TRUE(world.db().put(key_of("key", i * kStride), value_of(i)).has_value());
  }
}

void write_one(World& world, testing::Random& random) {
  std::uint64_t number = random.below(kPermanentKeys * kStride);
  if (number % kStride == 0) ++number;
  const std::string key = key_of("key", number);
  if (random.chance(50)) {
    EXPECT_TRUE(world.db().put(key, value_of(number)).has_value());
  } else {
    EXPECT_TRUE(world.db().erase(key).has_value());
  }
}

void scan_forward(World& world) {
  auto rows = world.db().scan();
  ASSERT_TRUE(rows.has_value());
  std::string last;
  std::uint64_t permanent_count = 0;
  for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
    ASSERT_LT(last, rows->key()) << "ASHLAR_TEST_SEED=" << testing::seed();
    last = rows->key();
    ASSERT_TRUE(number_of(rows->value()).has_value()) << "a torn value under " << last;
    if (!is_permanent(last)) continue;
    ASSERT_EQ(last, key_of("key", permanent_count * kStride));
    ASSERT_EQ(number_of(rows->value()), permanent_count);
    ++permanent_count;
  }
  ASSERT_TRUE(rows->status().has_value());
  ASSERT_EQ(permanent_count, kPermanentKeys) << "ASHLAR_TEST_SEED=" << testing::seed();
}

void scan_backward(World& world) {
  auto rows = world.db().scan();
  ASSERT_TRUE(rows.has_value());
  std::string last = "z";
  std::uint64_t left = kPermanentKeys;
  for (rows->seek_to_last(); rows->is_valid(); rows->previous()) {
    ASSERT_GT(last, rows->key()) << "ASHLAR_TEST_SEED=" << testing::seed();
    last = rows->key();
    if (!is_permanent(last)) continue;
    --left;
    ASSERT_EQ(last, key_of("key", left * kStride));
  }
  ASSERT_TRUE(rows->status().has_value());
  ASSERT_EQ(left, 0U) << "ASHLAR_TEST_SEED=" << testing::seed();
}

/// Seeks to a permanent key from each side and turns round on it.
void seek_some(World& world, testing::Random& random) {
  auto rows = world.db().scan();
  ASSERT_TRUE(rows.has_value());
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t number = random.between(1, kPermanentKeys - 2) * kStride;
    const std::string key = key_of("key", number);
    rows->seek(key_of("key", number - 1));
    while (rows->is_valid() && rows->key() < key) rows->next();
    ASSERT_TRUE(rows->is_valid());
    ASSERT_EQ(rows->key(), key);
    rows->previous();
    ASSERT_TRUE(rows->is_valid());
    ASSERT_LT(rows->key(), key);
    rows->next();
    ASSERT_EQ(rows->key(), key);
    rows->seek_for_previous(key_of("key", number));
    ASSERT_EQ(rows->key(), key);
  }
}

class Scan : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Scan, ShowsEachPermanentKeyOnceWhileOthersComeAndGo) {
  World world;
  fill(world);
  const std::size_t scanners = GetParam();
  std::atomic<std::size_t> scanning{scanners};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, scanners, [&](std::size_t scanner) {
    testing::Random random(testing::seed(), scanner);
    const std::uint64_t rounds = testing::scaled(12) / scanners + 1;
    for (std::uint64_t i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
      scan_forward(world);
      scan_backward(world);
      seek_some(world, random);
    }
    scanning.fetch_sub(1);
  });
  add_tasks(tasks, 2, [&](std::size_t writer) {
    testing::Random random(testing::seed(), 100 + writer);
    while (scanning.load() > 0) write_one(world, random);
  });
  tasks.emplace_back([&] {
    while (scanning.load() > 0) world.maintain();
  });
  run_together(std::move(tasks));
  world.check();
}

INSTANTIATE_TEST_SUITE_P(Scanners, Scan, ::testing::Values(1, 2, 6));

// Many writes between two scans make the ordered side outlive its use: it is dropped, and the next
// scan builds it anew while writers go on.
TEST(RareScan, ShowsEachPermanentKeyOnceThoughTheOrderedSideWasDropped) {
  World world;
  fill(world);
  constexpr std::uint64_t kWritesBetween = 30'000;
  std::atomic<bool> is_done{false};
  std::atomic<std::uint64_t> writes{0};
  std::vector<std::function<void()>> tasks;
  tasks.emplace_back([&] {
    const std::uint64_t rounds = testing::scaled(12) + 1;
    for (std::uint64_t i = 0; i < rounds && !::testing::Test::HasFailure(); ++i) {
      const std::uint64_t target = writes.load() + testing::scaled(kWritesBetween);
      while (writes.load() < target && !::testing::Test::HasFailure()) std::this_thread::yield();
      (i % 2 == 0) ? scan_forward(world) : scan_backward(world);
    }
    is_done = true;
  });
  add_tasks(tasks, 3, [&](std::size_t writer) {
    testing::Random random(testing::seed(), 200 + writer);
    while (!is_done.load()) {
      write_one(world, random);
      writes.fetch_add(1, std::memory_order_relaxed);
    }
  });
  tasks.emplace_back([&] {
    while (!is_done.load()) {
      world.clock().advance(100);
      world.maintain();
    }
  });
  run_together(std::move(tasks));
  world.check();
}

}  // namespace
}  // namespace ashlar::concurrency
