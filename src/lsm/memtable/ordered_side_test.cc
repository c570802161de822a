// What cursors rely on: a look has every key that has arrived, each in one run, and a look that
// finds no memory for a merge goes on without.

#include "lsm/memtable/ordered_side.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>
#include <vector>

#include "lsm/memtable/memtable_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20U;

struct Rig {
  explicit Rig(std::size_t merge_bytes = kBytes) : budget(merge_bytes) {
    EXPECT_TRUE(arena.reserve(kBytes));
    arena.allocate(8);
  }

  void add(const std::string& key) {
    ASSERT_TRUE(side.reserve(1));
    side.add(key, records.add_node({.key = key, .value = {}}, 1));
  }

  std::multiset<std::string> keys_of(const RunSet& set) const {
    std::multiset<std::string> keys;
    for (const auto& run : set.runs) {
      for (const auto& entry : run->entries()) keys.emplace(records.node(entry.node).key());
    }
    return keys;
  }

  base::MemoryBudget record_budget{4 * kBytes};
  base::MemoryBudget budget;
  Arena arena = *Arena::make(record_budget, kBytes);
  Records records{arena};
  OrderedSide side{records, *Arena::make(record_budget, kBytes), budget};
};

TEST(OrderedSide, HasNoRunsWithoutKeys) {
  Rig rig;
  const auto set = rig.side.look();
  EXPECT_TRUE(set->runs.empty());
  EXPECT_EQ(set->key_count, 0U);
  rig.side.check();
}

// N8: looks at random moments; sizes fall by half, so there are few runs.
TEST(OrderedSide, HasEveryKeyInOneRun) {
  testing::Random random(testing::seed());
  Rig rig;
  std::multiset<std::string> keys;
  for (const auto& key : awkward_keys(random, 4000)) {
    rig.add(key);
    keys.insert(key);
    if (!random.chance(3)) continue;
    const auto set = rig.side.look();
    ASSERT_EQ(set->key_count, keys.size());
    ASSERT_EQ(rig.keys_of(*set), keys);
    ASSERT_LE(set->runs.size(), static_cast<std::size_t>(std::bit_width(keys.size())));
    rig.side.check();
  }
}

// A look that finds nothing new makes nothing new; a set stays as it was when others are made.
TEST(OrderedSide, KeepsSetsAsTheyWere) {
  Rig rig;
  rig.add("b");
  const auto first = rig.side.look();
  EXPECT_EQ(rig.side.look(), first);
  rig.add("a");
  const auto second = rig.side.look();
  EXPECT_EQ(rig.keys_of(*first), (std::multiset<std::string>{"b"}));
  EXPECT_EQ(rig.keys_of(*second), (std::multiset<std::string>{"a", "b"}));
}

// M1: without memory for merges a look still has every key; with it, replaced runs give theirs
// back.
TEST(OrderedSide, LooksWithoutMemoryForMerges) {
  for (const std::size_t merge_bytes : {std::size_t{0}, 20 * sizeof(RunEntry), kBytes}) {
    Rig rig(merge_bytes);
    std::multiset<std::string> keys;
    for (int i = 0; i < 100; ++i) {
      const std::string key = std::to_string(i * 37 % 100);
      rig.add(key);
      keys.insert(key);
      ASSERT_EQ(rig.keys_of(*rig.side.look()), keys);
      ASSERT_LE(rig.budget.used_bytes(), keys.size() * sizeof(RunEntry));
    }
    rig.side.check();
  }
}

TEST(OrderedSide, RefusesKeysThatTheBudgetHasNoRoomFor) {
  base::MemoryBudget budget(Arena::kStepBytes);
  Arena arena = *Arena::make(budget, kBytes);
  const Records records(arena);
  OrderedSide side(records, *Arena::make(budget, kBytes), budget);
  EXPECT_TRUE(side.reserve(Arena::kStepBytes / sizeof(RunEntry)));
  EXPECT_FALSE(side.reserve(Arena::kStepBytes / sizeof(RunEntry) + 1));
  EXPECT_EQ(side.taken_bytes(), Arena::kStepBytes);
  EXPECT_EQ(side.used_bytes(), 0U);
}

}  // namespace
}  // namespace ashlar::lsm
