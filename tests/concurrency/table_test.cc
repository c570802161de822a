// What readers may rely on while the table grows and shrinks under them: a key that nobody touches
// is there at every moment, with its value.

#include <gtest/gtest.h>

#include <atomic>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"
#include "world.h"

namespace ashlar::concurrency {
namespace {

constexpr std::uint64_t kPermanentKeys = 2000;

void fill(World& world) {
  for (std::uint64_t i = 0; i < kPermanentKeys; ++i) {
    ASSERT_TRUE(world.db().put(key_of("permanent", i), value_of(i)).has_value());
  }
}

/// Inserts and erases as many keys as it takes to make the table grow and shrink by far.
void make_tides(World& world, std::size_t writer) {
  const std::uint64_t keys = testing::scaled(40'000);
  const std::string prefix = "tide" + std::to_string(writer) + ":";
  for (int tide = 0; tide < 3; ++tide) {
    for (std::uint64_t i = 0; i < keys; ++i) {
      ASSERT_TRUE(world.db().put(key_of(prefix, i), "short").has_value());
    }
    for (std::uint64_t i = 0; i < keys; ++i) {
      ASSERT_TRUE(world.db().erase(key_of(prefix, i)).value()) << prefix << i;
    }
  }
}

void read_one(World& world, testing::Random& random) {
  const std::uint64_t number = random.below(kPermanentKeys);
  const auto value = world.db().get(key_of("permanent", number)).value();
  ASSERT_TRUE(value.has_value()) << number << ", ASHLAR_TEST_SEED=" << testing::seed();
  ASSERT_EQ(number_of(value->view()), number);
}

void read_many(World& world, testing::Random& random) {
  std::vector<std::uint64_t> numbers(20);
  std::vector<std::string> keys;
  for (auto& number : numbers) {
    number = random.below(kPermanentKeys);
    keys.push_back(key_of("permanent", number));
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const auto values = world.db().multi_get(views).value();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ASSERT_TRUE(values[i].has_value()) << keys[i] << ", ASHLAR_TEST_SEED=" << testing::seed();
    ASSERT_EQ(number_of(values[i]->view()), numbers[i]);
  }
}

class Table : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Table, NeverHidesAKeyWhileItGrowsAndShrinks) {
  World world;
  fill(world);
  const std::size_t writers = GetParam();
  std::atomic<std::size_t> writing{writers};
  std::vector<std::function<void()>> tasks;
  add_tasks(tasks, writers, [&](std::size_t writer) {
    make_tides(world, writer);
    writing.fetch_sub(1);
  });
  add_tasks(tasks, 2, [&](std::size_t reader) {
    testing::Random random(testing::seed(), reader);
    while (writing.load() > 0 && !::testing::Test::HasFailure()) {
      read_one(world, random);
      read_many(world, random);
    }
  });
  tasks.emplace_back([&] {
    while (writing.load() > 0) world.maintain();
  });
  run_together(std::move(tasks));
  world.check();
  EXPECT_EQ(count_keys(world.db()), kPermanentKeys);
}

INSTANTIATE_TEST_SUITE_P(Writers, Table, ::testing::Values(1, 4));

}  // namespace
}  // namespace ashlar::concurrency
