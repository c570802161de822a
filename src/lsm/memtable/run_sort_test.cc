// Sorting by heads must give the order of the keys, whatever they share.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lsm/memtable/memtable_rig_test.h"
#include "lsm/memtable/run.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20U;

struct Rig {
  Rig() {
    EXPECT_TRUE(arena.reserve(kBytes));
    arena.allocate(8);
  }
  std::vector<RunEntry> entries_of(const std::vector<std::string>& keys) {
    std::vector<RunEntry> entries;
    entries.reserve(keys.size());
    for (const auto& key : keys) {
      const Place place = records.add_node({.key = key, .value = {}}, 1);
      entries.push_back(entry_at(key, 0, place));
    }
    return entries;
  }
  base::MemoryBudget budget{kBytes};
  Arena arena = *Arena::make(budget, kBytes);
  Records records{arena};
};

/// N6, N7: sorts, compares with what the standard library says, and checks the heads.
void expect_sorts(std::vector<std::string> keys, std::size_t prefix_bytes) {
  Rig rig;
  auto entries = rig.entries_of(keys);
  ASSERT_EQ(sort_entries(entries, rig.records), prefix_bytes);
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(rig.records.node(entries[i].node).key(), keys[i]) << "at " << i;
  }
  if (!entries.empty()) KeyRun(entries, prefix_bytes, nullptr).check(rig.records);
}

TEST(RunSort, SortsNoneAndOne) {
  expect_sorts({}, 0);
  expect_sorts({"only"}, 4);
}

TEST(RunSort, SortsKeysThatAreBeginningsOfOthers) {
  std::vector<std::string> keys;
  for (std::size_t bytes = 300; bytes > 0; --bytes) keys.emplace_back(bytes, 'x');
  for (std::size_t bytes = 1; bytes < 300; ++bytes) keys.push_back(std::string(bytes, 'x') + '\0');
  for (std::size_t bytes = 1; bytes < 30; ++bytes)
    keys.emplace_back("y" + std::string(bytes, '\0'));
  expect_sorts(keys, 0);
}

// Many with one head, and again with one head after that: groups within groups.
TEST(RunSort, SortsGroupsWithinGroups) {
  testing::Random random(testing::seed());
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) {
    const auto digit = [&] { return std::to_string(random.below(3)); };
    keys.push_back("prefix--" + digit() + "-------" + digit() + "-------" + std::to_string(i));
  }
  expect_sorts(keys, 8);
}

TEST(RunSort, SortsAwkwardKeys) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 10; ++round) expect_sorts(awkward_keys(random, 2000), 0);
}

TEST(RunSort, SortsBytesAboveTheSignBit) {
  expect_sorts({"\xff", "\x7f", "\x80", std::string("\x80\x01", 2), std::string(1, '\0')}, 0);
}

TEST(RunSortDeathTest, RefusesAKeyThatIsThereTwice) {
  Rig rig;
  auto entries = rig.entries_of({"same", "other", "same"});
  EXPECT_DEATH(sort_entries(entries, rig.records), "a key is in a memtable once");
}

}  // namespace
}  // namespace ashlar::lsm
