// What threads that share a key may rely on: each put, get and erase takes effect at one moment
// between its call and its return, whatever else the database is busy with.

#include "testing/history.h"

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

using testing::Event;

constexpr std::uint32_t kKeys = 4;
constexpr std::uint64_t kEvents = 60'000;  // Of all threads together.

/// One thread that calls and writes down what it saw.
class Witness {
 public:
  Witness(World& world, testing::Ticks& ticks, std::size_t number)
      : db_(world.db()), ticks_(ticks), random_(testing::seed(), number), number_(number) {}

  void call() {
    Event event{.key = static_cast<std::uint32_t>(random_.below(kKeys))};
    const std::string key = key_of("shared", event.key);
    const std::uint64_t choice = random_.below(10);
    if (choice < 4) {
      put(event, key);
    } else if (choice < 8) {
      get(event, key);
    } else {
      erase(event, key);
    }
    events_.push_back(event);
  }

  const std::vector<Event>& events() const { return events_; }

 private:
  void put(Event& event, const std::string& key) {
    event.kind = Event::Kind::kPut;
    event.value = (++put_count_ << 8U) | (number_ + 1);
    const std::string value = value_of(event.value);
    WriteBatch batch;
    batch.put(key, value);
    const bool is_batch = random_.chance(20);
    event.begin = ticks_.next();
    const bool is_done = (is_batch ? db_.write(batch) : db_.put(key, value)).has_value();
    event.end = ticks_.next();
    EXPECT_TRUE(is_done);
  }

  void get(Event& event, const std::string& key) {
    const std::array<std::string_view, 1> keys{key};
    std::optional<Value> value;
    const bool is_multi = random_.chance(20);
    event.begin = ticks_.next();
    if (is_multi) {
      value = std::move(db_.multi_get(keys).value().front());
    } else {
      value = db_.get(key).value();
    }
    event.end = ticks_.next();
    if (!value) return;
    const auto number = number_of(value->view());
    EXPECT_TRUE(number.has_value()) << "a torn value";
    event.value = number.value_or(UINT64_MAX);
  }

  void erase(Event& event, const std::string& key) {
    event.kind = Event::Kind::kErase;
    event.begin = ticks_.next();
    event.was_there = db_.erase(key).value();
    event.end = ticks_.next();
  }

  Db& db_;
  testing::Ticks& ticks_;
  testing::Random random_;
  std::uint64_t number_;
  std::uint64_t put_count_ = 0;
  std::vector<Event> events_;
};

/// Lets `thread_count` threads loose on a few keys while `disturb` is called again and again.
void expect_linearizable(std::size_t thread_count, const std::function<void(World&)>& disturb) {
  World world;
  testing::Ticks ticks;
  std::vector<Witness> witnesses;
  for (std::size_t i = 0; i < thread_count; ++i) witnesses.emplace_back(world, ticks, i);
  std::atomic<std::size_t> running{thread_count};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, thread_count, [&](std::size_t i) {
    const std::uint64_t calls = testing::scaled(kEvents) / thread_count;
    for (std::uint64_t call = 0; call < calls; ++call) witnesses[i].call();
    running.fetch_sub(1);
  });
  tasks.emplace_back([&] {
    while (running.load() > 0) disturb(world);
  });
  run_together(std::move(tasks));

  std::vector<Event> all;
  for (const Witness& witness : witnesses) {
    all.insert(all.end(), witness.events().begin(), witness.events().end());
  }
  const testing::Judgement judgement = testing::judge(all);
  EXPECT_EQ(judgement.verdict, testing::Verdict::kLinearizable)
      << "ASHLAR_TEST_SEED=" << testing::seed() << '\n'
      << judgement.explanation;
  world.check();
}

class History : public ::testing::TestWithParam<std::size_t> {};

TEST_P(History, IsLinearizableForEachKey) {
  expect_linearizable(GetParam(), [](World& world) {
    world.maintain();
    std::this_thread::yield();
  });
}

TEST_P(History, IsLinearizableForEachKeyWhileSnapshotsComeAndGo) {
  expect_linearizable(GetParam(), [](World& world) {
    const auto older = world.db().snapshot();
    std::this_thread::yield();
    const auto newer = world.db().snapshot();
    EXPECT_TRUE(older.has_value() && newer.has_value());
    world.maintain();
  });
}

TEST_P(History, IsLinearizableForEachKeyWhileOthersScan) {
  expect_linearizable(GetParam(), [](World& world) {
    auto rows = world.db().scan();
    ASSERT_TRUE(rows.has_value());
    rows->seek_to_first();
    while (rows->is_valid()) rows->next();
    EXPECT_TRUE(rows->status().has_value());
  });
}

INSTANTIATE_TEST_SUITE_P(Threads, History, ::testing::Values(2, 4, 8, 16));

}  // namespace
}  // namespace ashlar::concurrency
