// What cursors rely on: a run finds the first key at or after any other, and a merge has the keys
// of both runs in order.

#include "lsm/memtable/run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lsm/memtable/memtable_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20U;

struct Rig {
  Rig() {
    EXPECT_TRUE(arena.reserve(kBytes));
    arena.allocate(8);
  }

  KeyRun run_of(const std::vector<std::string>& keys) {
    auto& entries = kept.emplace_back(std::make_unique<std::vector<RunEntry>>());
    for (const auto& key : keys) {
      entries->push_back(entry_at(key, 0, records.add_node({.key = key, .value = {}}, 1)));
    }
    const std::size_t prefix_bytes = sort_entries(*entries, records);
    return {*entries, prefix_bytes, nullptr};
  }

  std::vector<std::string> keys_of(const KeyRun& run) const {
    std::vector<std::string> keys;
    for (const auto& entry : run.entries()) keys.emplace_back(records.node(entry.node).key());
    return keys;
  }

  base::MemoryBudget record_budget{kBytes};
  Arena arena = *Arena::make(record_budget, kBytes);
  Records records{arena};
  std::vector<std::unique_ptr<std::vector<RunEntry>>> kept;
  base::MemoryBudget budget{kBytes};
};

void expect_finds(const std::vector<std::string>& keys, const std::vector<std::string>& probes) {
  Rig rig;
  const KeyRun run = rig.run_of(keys);
  run.check(rig.records);
  const auto sorted = rig.keys_of(run);
  for (const auto& probe : probes) {
    const auto expected = std::lower_bound(sorted.begin(), sorted.end(), probe) - sorted.begin();
    ASSERT_EQ(run.lower_bound(probe, rig.records), static_cast<std::size_t>(expected));
  }
}

// N6, N7: keys of the run, keys between them, and keys before, after and within the prefix.
TEST(KeyRun, FindsTheFirstKeyAtOrAfter) {
  testing::Random random(testing::seed());
  const auto keys = awkward_keys(random, 500);
  expect_finds(keys, keys);
  expect_finds(keys, awkward_keys(random, 500));
  expect_finds({"user:1", "user:2", "user:"},
               {"a", "use", "user:", "user:1", "user:11", "user:3", "v", "user9", ""});
  expect_finds({"alone"}, {"alon", "alone", "alonf", "alone\1", "b"});
}

// N6, N7, M1: whatever the two share; the merge pays for its entries as long as it lives.
TEST(KeyRun, MergesRunsOfAnyPrefixes) {
  testing::Random random(testing::seed());
  const std::vector<std::vector<std::string>> sets{{"user:1", "user:5"},
                                                   {"user:10", "user:2", "user:49"},
                                                   {"user:"},
                                                   {"use", "zebra"},
                                                   {"user:30000000000001", "user:30000000000002"},
                                                   {std::string("user:1\0", 7)},
                                                   awkward_keys(random, 300)};
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (std::size_t j = 0; j < sets.size(); ++j) {
      if (i == j) continue;
      Rig rig;
      const KeyRun one = rig.run_of(sets[i]);
      const KeyRun other = rig.run_of(sets[j]);
      const auto merged = merge_runs(one, other, rig.records, rig.budget);
      ASSERT_NE(merged, nullptr);
      merged->check(rig.records);
      auto expected = sets[i];
      expected.insert(expected.end(), sets[j].begin(), sets[j].end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(rig.keys_of(*merged), expected);
      EXPECT_EQ(rig.budget.used_bytes(), expected.size() * sizeof(RunEntry));
    }
  }
}

// M1: given back to the last byte, from small memory and from huge pages.
TEST(KeyRun, GivesItsMemoryBack) {
  base::MemoryBudget budget(kBytes);
  for (const std::size_t count : {std::size_t{1}, std::size_t{100'000}, std::size_t{300'000}}) {
    auto memory = RunMemory::make(budget, count);
    ASSERT_NE(memory, nullptr);
    EXPECT_GE(memory->entries().size(), count);
    EXPECT_GE(budget.used_bytes(), count * sizeof(RunEntry));
    memory->entries()[count - 1] = {};
    memory.reset();
    EXPECT_EQ(budget.used_bytes(), 0U);
  }
}

TEST(KeyRun, DoesNotMergeWithoutMemory) {
  Rig rig;
  base::MemoryBudget little(3 * sizeof(RunEntry));
  const KeyRun one = rig.run_of({"a", "b"});
  const KeyRun other = rig.run_of({"c", "d"});
  EXPECT_EQ(merge_runs(one, other, rig.records, little), nullptr);
  EXPECT_EQ(little.used_bytes(), 0U);
  EXPECT_EQ(RunMemory::make(little, 1'000'000), nullptr);
  EXPECT_EQ(little.used_bytes(), 0U);
}

TEST(KeyRun, CountsSharedBytes) {
  EXPECT_EQ(shared_bytes("", "abc"), 0U);
  EXPECT_EQ(shared_bytes("abc", "abd"), 2U);
  EXPECT_EQ(shared_bytes("0123456789", "0123456789"), 10U);
  for (std::size_t at = 0; at < 20; ++at) {
    std::string one(20, 'x');
    one[at] = '\xff';
    EXPECT_EQ(shared_bytes(one, std::string(25, 'x')), at);
  }
}

}  // namespace
}  // namespace ashlar::lsm
