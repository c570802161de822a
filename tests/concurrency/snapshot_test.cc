// What a snapshot promises: it shows the same keys with the same values every time and in every way
// it is read, while writers overwrite, erase, insert and expire below it.

#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

constexpr std::uint64_t kKeys = 300;

using Content = std::map<std::string, std::string>;

class SnapshotUnderWriters : public ::testing::TestWithParam<std::size_t> {
 protected:
  void write_one(testing::Random& random) {
    Db& db = world_.db();
    const std::string key = key_of("key", random.below(kKeys));
    const std::string value = value_of(random.below(1'000'000));
    const auto delay = std::chrono::milliseconds(random.below(50));
    switch (random.below(6)) {
      case 0:
        EXPECT_TRUE(db.erase(key).has_value());
        break;
      case 1:
        EXPECT_TRUE(db.put(key, value, Expiry::in(delay)).has_value());
        break;
      case 2:
        EXPECT_TRUE(db.expire(key, Expiry::in(delay)).has_value());
        break;
      case 3: {
        WriteBatch batch;
        for (int i = 0; i < 10; ++i) batch.put(key_of("key", random.below(kKeys)), value);
        EXPECT_TRUE(db.write(batch).has_value());
        break;
      }
      default:
        EXPECT_TRUE(db.put(key, value).has_value());
        break;
    }
  }

  Content by_gets(const Snapshot& snapshot) {
    Content content;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      const std::string key = key_of("key", i);
      const auto value = world_.db().get(key, &snapshot).value();
      if (value) content.emplace(key, value->view());
    }
    return content;
  }

  Content by_multi_get(const Snapshot& snapshot) {
    std::vector<std::string> keys;
    for (std::uint64_t i = 0; i < kKeys; ++i) keys.push_back(key_of("key", i));
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    const auto values = world_.db().multi_get(views, &snapshot).value();
    Content content;
    for (std::uint64_t i = 0; i < kKeys; ++i) {
      if (values[i]) content.emplace(keys[i], values[i]->view());
    }
    return content;
  }

  enum class Direction : std::uint8_t { kForward, kBackward };

  Content by_scan(const Snapshot& snapshot, Direction direction) {
    Content content;
    auto rows = world_.db().scan(Range::all(), &snapshot);
    EXPECT_TRUE(rows.has_value());
    const bool is_forward = direction == Direction::kForward;
    is_forward ? rows->seek_to_first() : rows->seek_to_last();
    while (rows->is_valid()) {
      EXPECT_TRUE(content.emplace(rows->key(), rows->value()).second) << "a key appears once";
      is_forward ? rows->next() : rows->previous();
    }
    EXPECT_TRUE(rows->status().has_value());
    return content;
  }

  void read_one() {
    const auto snapshot = world_.db().snapshot();
    ASSERT_TRUE(snapshot.has_value());
    const Content first = by_gets(*snapshot);
    for (const auto& [key, value] : first) {
      ASSERT_TRUE(number_of(value).has_value()) << "a torn value under " << key;
    }
    for (int round = 0; round < 3; ++round) {
      ASSERT_TRUE(by_multi_get(*snapshot) == first) << "ASHLAR_TEST_SEED=" << testing::seed();
      ASSERT_TRUE(by_scan(*snapshot, Direction::kForward) == first);
      ASSERT_TRUE(by_scan(*snapshot, Direction::kBackward) == first);
      ASSERT_TRUE(by_gets(*snapshot) == first) << "ASHLAR_TEST_SEED=" << testing::seed();
    }
  }

  World world_;
};

// C3, T1
TEST_P(SnapshotUnderWriters, NeverChanges) {
  const std::size_t readers = GetParam();
  std::atomic<std::size_t> reading{readers};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, readers, [&](std::size_t /*number*/) {
    const std::uint64_t rounds = testing::scaled(60);
    for (std::uint64_t i = 0; i < rounds && !HasFailure(); ++i) read_one();
    reading.fetch_sub(1);
  });
  add_tasks(tasks, 3, [&](std::size_t writer) {
    testing::Random random(testing::seed(), writer);
    while (reading.load() > 0) write_one(random);
  });
  tasks.emplace_back([&] {
    while (reading.load() > 0) {
      world_.clock().advance(1);
      world_.maintain();
    }
  });
  run_together(std::move(tasks));
  world_.check();

  EXPECT_EQ(world_.db().stats().value().snapshot_count, 0U);
}

INSTANTIATE_TEST_SUITE_P(Readers, SnapshotUnderWriters, ::testing::Values(1, 4));

// C3: a snapshot taken later sees no less.
TEST(Snapshots, NeverGoBackForAThreadThatTakesOneAfterAnother) {
  World world;
  std::atomic<bool> is_done{false};
  std::vector<std::function<void()>> tasks;
  tasks.emplace_back([&] {
    const std::uint64_t writes = testing::scaled(100'000);
    for (std::uint64_t i = 1; i <= writes; ++i) {
      EXPECT_TRUE(world.db().put("key", value_of(i)).has_value());
    }
    is_done = true;
  });
  add_tasks(tasks, 3, [&](std::size_t /*number*/) {
    std::uint64_t last_number = 0;
    Sequence last_sequence = 0;
    while (!is_done.load()) {
      const auto snapshot = world.db().snapshot();
      ASSERT_TRUE(snapshot.has_value());
      ASSERT_GE(snapshot->sequence(), last_sequence);
      last_sequence = snapshot->sequence();
      const auto value = world.db().get("key", &*snapshot).value();
      const std::uint64_t number = value ? number_of(value->view()).value_or(0) : 0;
      ASSERT_GE(number, last_number);
      last_number = number;
    }
  });
  run_together(std::move(tasks));
}

// C3: a write that has returned is in every snapshot taken afterwards.
TEST(Snapshots, SeeWhatTheirOwnThreadWroteBefore) {
  World world;
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, 6, [&](std::size_t thread) {
    const std::string key = key_of("own", thread);
    const std::uint64_t writes = testing::scaled(10'000);
    for (std::uint64_t i = 0; i < writes; ++i) {
      EXPECT_TRUE(world.db().put(key, value_of(i)).has_value());
      const auto snapshot = world.db().snapshot();
      ASSERT_TRUE(snapshot.has_value());
      const auto value = world.db().get(key, &*snapshot).value();
      ASSERT_TRUE(value.has_value());
      ASSERT_EQ(number_of(value->view()), i);
    }
  });
  run_together(std::move(tasks));
  world.check();
}

}  // namespace
}  // namespace ashlar::concurrency
