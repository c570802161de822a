// What C1 promises to readers: a batch is seen whole or not at all, whichever way it is looked at.
// Every batch below sets one stamp on all keys or erases them all, so two stamps, or a stamp beside
// an absent key, at one moment are a batch seen half.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

// No batch leaves this stamp behind; some write it first and the right one after it.
constexpr std::uint64_t kNeverSeen = 0;
constexpr std::uint64_t kAbsent = UINT64_MAX;

struct Shape {
  std::size_t keys;
  std::size_t writers;
};

class Batch : public ::testing::TestWithParam<Shape> {
 protected:
  Batch() {
    for (std::size_t i = 0; i < GetParam().keys; ++i) keys_.push_back(key_of("key", i));
    views_.assign(keys_.begin(), keys_.end());
  }

  /// Writes batches in `GetParam().writers` threads while `readers` threads call `read`.
  void run(std::size_t readers, const std::function<void()>& read) {
    const std::size_t writers = GetParam().writers;
    const std::uint64_t batches = testing::scaled(240'000) / GetParam().keys / writers + 50;
    std::atomic<std::size_t> running{writers};
    std::vector<std::function<void()>> tasks;
    add_tasks(tasks, writers, [&](std::size_t writer) {
      testing::Random random(testing::seed(), writer);
      for (std::uint64_t i = 0; i < batches && !HasFailure(); ++i) write(random);
      running.fetch_sub(1);
    });
    add_tasks(tasks, readers, [&](std::size_t /*number*/) {
      while (running.load() > 0 && !HasFailure()) read();
    });
    tasks.emplace_back([&] {
      while (running.load() > 0) world_.maintain();
    });
    run_together(std::move(tasks));
    world_.check();
  }

  void write(testing::Random& random) {
    WriteBatch batch;
    if (random.chance(10)) {
      for (const auto& key : keys_) batch.erase(key);
    } else {
      const std::string value = value_of(1 + stamps_.fetch_add(1));
      if (random.chance(20)) batch.put(keys_.back(), value_of(kNeverSeen));
      for (const auto& key : keys_) batch.put(key, value);
    }
    EXPECT_TRUE(world_.db().write(batch).has_value());
  }

  static std::uint64_t stamp_of(const std::optional<Value>& value) {
    if (!value) return kAbsent;
    const auto number = number_of(value->view());
    EXPECT_TRUE(number.has_value()) << "a torn value";
    return number.value_or(kNeverSeen);
  }

  static void expect_whole(const std::vector<std::uint64_t>& stamps) {
    const auto [low, high] = std::ranges::minmax(stamps);
    ASSERT_EQ(low, high) << "a batch was seen half; ASHLAR_TEST_SEED=" << testing::seed();
    ASSERT_NE(low, kNeverSeen) << "an operation was seen that a later one of its batch replaced";
  }

  World world_;
  std::vector<std::string> keys_;
  std::vector<std::string_view> views_;
  std::atomic<std::uint64_t> stamps_{0};
};

// C1
TEST_P(Batch, IsWholeForAReadOfManyKeys) {
  run(2, [this] {
    std::vector<std::uint64_t> stamps;
    const auto values = world_.db().multi_get(views_).value();
    for (const auto& value : values) stamps.push_back(stamp_of(value));
    expect_whole(stamps);
  });
}

// C1
TEST_P(Batch, IsWholeForSingleReadsAtASnapshot) {
  run(2, [this] {
    const auto snapshot = world_.db().snapshot();
    ASSERT_TRUE(snapshot.has_value());
    std::vector<std::uint64_t> stamps;
    for (const auto& key : keys_)
      stamps.push_back(stamp_of(world_.db().get(key, &*snapshot).value()));
    expect_whole(stamps);
  });
}

// C1
TEST_P(Batch, IsWholeForAReadOfManyKeysAtASnapshot) {
  run(2, [this] {
    const auto snapshot = world_.db().snapshot();
    ASSERT_TRUE(snapshot.has_value());
    std::vector<std::uint64_t> stamps;
    const auto values = world_.db().multi_get(views_, &*snapshot).value();
    for (const auto& value : values) stamps.push_back(stamp_of(value));
    expect_whole(stamps);
  });
}

// C1
TEST_P(Batch, IsWholeForAScan) {
  run(2, [this] {
    auto rows = world_.db().scan(Range::prefix("key"));
    ASSERT_TRUE(rows.has_value());
    std::vector<std::uint64_t> stamps;
    for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
      stamps.push_back(stamp_of(Value(rows->value())));
    }
    ASSERT_TRUE(rows->status().has_value());
    if (stamps.empty()) return;
    ASSERT_EQ(stamps.size(), keys_.size()) << "a batch was seen half";
    expect_whole(stamps);
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, Batch,
                         ::testing::Values(Shape{2, 2}, Shape{16, 4}, Shape{17, 2}, Shape{100, 3}));

class OrderedBatch : public Batch {};

// C1: with one writer stamps only rise. Whoever has seen a batch on one key sees it on all others.
TEST_P(OrderedBatch, IsOnAllKeysOnceItWasSeenOnOne) {
  run(3, [this] {
    static thread_local testing::Random random(testing::seed(), 99);
    std::uint64_t seen = 0;
    for (int i = 0; i < 50; ++i) {
      const auto& key = keys_[random.below(keys_.size())];
      const std::uint64_t stamp = stamp_of(world_.db().get(key).value());
      if (stamp == kAbsent) continue;
      ASSERT_GE(stamp, seen) << "a batch was seen half; ASHLAR_TEST_SEED=" << testing::seed();
      seen = stamp;
    }
  });
}

// C1: the same from one key to the next in turn, as near in time as two reads can be.
TEST_P(OrderedBatch, IsOnTheLastKeyOnceItWasSeenOnTheFirst) {
  run(3, [this] {
    const std::uint64_t first = stamp_of(world_.db().get(keys_.front()).value());
    const std::uint64_t last = stamp_of(world_.db().get(keys_.back()).value());
    const std::uint64_t again = stamp_of(world_.db().get(keys_.front()).value());
    if (last == kAbsent) return;
    ASSERT_TRUE(first == kAbsent || last >= first) << first << ", " << last;
    ASSERT_TRUE(again == kAbsent || again >= last) << last << ", " << again;
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, OrderedBatch,
                         ::testing::Values(Shape{2, 1}, Shape{16, 1}, Shape{100, 1}));

}  // namespace
}  // namespace ashlar::concurrency
