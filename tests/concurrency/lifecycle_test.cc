// What threads and databases that come and go may rely on: a thread leaves nothing behind that
// another could trip over, and a close is seen by everybody as a close.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

void live_a_short_life(World& world, std::uint64_t number) {
  Db& db = world.db();
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string key = key_of("life", number * 100 + i);
    ASSERT_TRUE(db.put(key, value_of(number + i)).has_value());
    const auto value = db.get(key).value();
    ASSERT_TRUE(value.has_value());
    ASSERT_EQ(number_of(value->view()), number + i);
    const bool is_erased = i % 2 == 0 && db.erase(key).value();
    ASSERT_EQ(is_erased, i % 2 == 0);
  }
  const auto snapshot = db.snapshot();
  ASSERT_TRUE(snapshot.has_value());
  auto rows = db.scan(Range{.from = key_of("life", number * 100), .to = {}}, &*snapshot);
  ASSERT_TRUE(rows.has_value());
  rows->seek_to_first();
  for (std::uint64_t i = 1; i < 20; i += 2, rows->next()) {
    ASSERT_TRUE(rows->is_valid());
    ASSERT_EQ(rows->key(), key_of("life", number * 100 + i));
  }
}

TEST(Threads, MayComeAndGoByTheThousand) {
  World world;
  constexpr std::uint64_t kAtOnce = 8;
  const std::uint64_t waves = testing::scaled(1000 / kAtOnce) + 1;
  for (std::uint64_t wave = 0; wave < waves; ++wave) {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < kAtOnce; ++i) {
      threads.emplace_back(
          [&world, number = wave * kAtOnce + i] { live_a_short_life(world, number); });
    }
  }
  world.check();
  EXPECT_EQ(count_keys(world.db()), waves * kAtOnce * 10);
  EXPECT_EQ(world.db().stats().value().snapshot_count, 0U);
}

bool is_closed(const Error& error) {
  return error.code() == ErrorCode::kClosed;
}

/// Opens a snapshot and a scan, which keep a database from closing.
/// Returns: false when the database said that it is closed
bool hold_briefly(Db& db, std::string_view key) {
  const auto snapshot = db.snapshot();
  if (!snapshot) return !is_closed(snapshot.error());
  auto rows = db.scan({}, &*snapshot);
  if (!rows) return !is_closed(rows.error());
  rows->seek(key);
  EXPECT_TRUE(rows->status().has_value()) << "what is held keeps the database open";
  return true;
}

/// Calls everything once. Returns: false when the database said that it is closed
bool call_all(Db& db, std::uint64_t number) {
  const std::string key = key_of("key", number % 1000);
  const std::array<std::string_view, 1> keys{key};
  const auto agree = [](const auto& result) {
    EXPECT_TRUE(result || is_closed(result.error())) << result.error().message();
    return result.has_value();
  };
  if (!agree(db.put(key, value_of(number)))) return false;
  if (const auto value = db.get(key); !agree(value)) return false;
  if (!agree(db.multi_get(keys))) return false;
  if (!agree(db.expire(key, Expiry::in(std::chrono::hours(1))))) return false;
  if (!agree(db.time_to_live(key))) return false;
  WriteBatch batch;
  batch.erase(key);
  return agree(db.write(batch)) && agree(db.stats());
}

TEST(Close, IsSeenAsAnErrorByThoseWhoStillCall) {
  const std::uint64_t rounds = testing::scaled(30);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    World world;
    std::atomic<std::uint64_t> calls{0};
    std::atomic<bool> is_closing{false};  // From then on nobody holds what a close waits for.
    std::vector<std::function<void()>> tasks;
    add_tasks(tasks, 4, [&](std::size_t thread) {
      std::uint64_t number = thread;
      while (call_all(world.db(), number += 7)) {
        if (!is_closing.load() && !hold_briefly(world.db(), "key")) break;
        calls.fetch_add(1);
      }
    });
    tasks.emplace_back([&] {
      while (calls.load() < 100) std::this_thread::yield();
      for (bool is_open = true; is_open; is_closing = true) {
        const auto closed = world.db().close();
        is_open = !closed;
        EXPECT_TRUE(closed || closed.error().code() == ErrorCode::kBusy) << "a snapshot is held";
      }
    });
    run_together(std::move(tasks));
    EXPECT_FALSE(call_all(world.db(), 1));
    const auto again = world.db().close();
    ASSERT_FALSE(again.has_value());
    EXPECT_TRUE(is_closed(again.error()));
  }
}

TEST(Close, SucceedsForOneOfManyWhoTry) {
  World world;
  std::atomic<int> successes{0};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, 8, [&](std::size_t /*number*/) {
    if (world.db().close()) successes.fetch_add(1);
  });
  run_together(std::move(tasks));
  EXPECT_EQ(successes.load(), 1);
}

// The background thread of `Db::open` reclaims while others write and while the database goes.
TEST(Background, WorksBesideWritersAndStopsWithTheDatabase) {
  const std::uint64_t rounds = testing::scaled(20);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    auto db = Db::open({.memory_budget_bytes = std::size_t{64} << 20U});
    ASSERT_TRUE(db.has_value());
    std::vector<std::function<void()>> tasks;
    add_tasks(tasks, 3, [&](std::size_t thread) {
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::string key = key_of("key", thread * 1000 + i);
        const auto delay = std::chrono::milliseconds(i % 5);
        EXPECT_TRUE(db->put(key, value_of(i), Expiry::in(delay)).has_value());
        EXPECT_TRUE(db->get(key).has_value());
      }
    });
    run_together(std::move(tasks));
    EXPECT_TRUE(round % 2 == 0 || db->close().has_value());
  }
}

}  // namespace
}  // namespace ashlar::concurrency
