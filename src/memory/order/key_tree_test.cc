// What scans rely on: the tree holds exactly the keys that were added and not removed, in the order
// of their bytes, and its memory comes back.

#include "memory/order/key_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

struct Rig {
  explicit Rig(std::size_t budget_bytes = std::size_t{16} << 20U) : budget(budget_bytes) {}

  KeyTree::Added add(const std::string& key) {
    KeyNode* const node = make_key_node(*heap, magazines, key, key.size());
    if (node == nullptr) return KeyTree::Added::kNoMemory;
    const KeyTree::Added added = tree.add(magazines, node);
    if (added != KeyTree::Added::kYes) free_key_node(*heap, magazines, node);
    return added;
  }

  std::vector<std::string> from(std::string_view key, std::size_t count_max) const {
    KeyList list;
    KeyTree::Position position;
    tree.collect_from(key, count_max, list, position);
    return strings(list);
  }
  std::vector<std::string> before(const std::string* key, std::size_t count_max) const {
    KeyList list;
    const std::string_view view = key == nullptr ? std::string_view() : *key;
    tree.collect_before(key == nullptr ? nullptr : &view, count_max, list);
    return strings(list);
  }
  static std::vector<std::string> strings(const KeyList& list) {
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < list.entries.size(); ++i) {
      keys.emplace_back(list.key(i));
      EXPECT_EQ(list.entries[i].hash, keys.back().size());
    }
    return keys;
  }

  base::MemoryBudget budget;
  Magazines magazines;
  std::unique_ptr<RecordHeap> heap = RecordHeap::make(budget);
  KeyTree tree{*heap};
};

/// Few letters, zero bytes and shared prefixes: where eight-byte heads are equal and keys are not.
std::string tricky_key(testing::Random& random) {
  std::string key(random.below(3) * 7, 'p');
  for (std::uint64_t i = random.below(6); i > 0; --i) {
    key.push_back("\0ab\xff"[random.below(4)]);
  }
  return key;
}

std::vector<std::string> first_from(const std::set<std::string>& keys, const std::string& key,
                                    std::size_t count_max) {
  std::vector<std::string> result;
  for (auto at = keys.lower_bound(key); at != keys.end() && result.size() < count_max; ++at) {
    result.push_back(*at);
  }
  return result;
}

std::vector<std::string> last_before(const std::set<std::string>& keys, const std::string& key,
                                     std::size_t count_max) {
  std::vector<std::string> result;
  for (auto at = keys.lower_bound(key); at != keys.begin() && result.size() < count_max;) {
    result.push_back(*--at);
  }
  return result;
}

// O1, O2, O3: random changes against a plain set, walks both ways from random places.
TEST(KeyTree, HoldsWhatASetHolds) {
  testing::Random random(testing::seed());
  Rig rig;
  std::set<std::string> expected;
  for (int step = 0; step < 4000; ++step) {
    const std::string key = random.chance(50) ? tricky_key(random) : random.bytes(2);
    if (random.chance(step < 2500 ? 75 : 20)) {
      const bool is_new = expected.insert(key).second;
      ASSERT_EQ(rig.add(key), is_new ? KeyTree::Added::kYes : KeyTree::Added::kWasThere);
    } else {
      const auto at = expected.lower_bound(key);
      const std::string gone = at == expected.end() || random.chance(10) ? key : *at;
      expected.erase(gone);
      rig.tree.remove(rig.magazines, gone);
      ASSERT_FALSE(rig.tree.contains(gone));
    }
    ASSERT_EQ(rig.tree.count(), expected.size());
    if (step % 40 != 0) continue;
    rig.tree.check();
    ASSERT_EQ(rig.from(key, 20), first_from(expected, key, 20));
    ASSERT_EQ(rig.before(&key, 20), last_before(expected, key, 20));
    ASSERT_EQ(rig.tree.contains(key), expected.contains(key));
  }
}

// O1, O3: keys in either order; removed from the front, the back and the middle.
TEST(KeyTree, TakesAndLosesKeysInOrder) {
  constexpr int kKeys = 3000;
  const auto key_of = [](int i) { return "key:" + std::to_string(100'000 + i); };
  for (const bool is_rising : {true, false}) {
    Rig rig;
    for (int i = 0; i < kKeys; ++i) rig.add(key_of(is_rising ? i : kKeys - 1 - i));
    rig.tree.check();
    const std::vector<std::string> up = rig.from("", kKeys);
    std::vector<std::string> down = rig.before(nullptr, kKeys);
    std::reverse(down.begin(), down.end());
    ASSERT_EQ(up.size(), static_cast<std::size_t>(kKeys));
    EXPECT_EQ(up, down);
    for (int i = 0; i < kKeys; ++i) {
      rig.tree.remove(rig.magazines, key_of(is_rising ? i : kKeys - 1 - i));
      if (i % 200 == 0) rig.tree.check();
    }
    EXPECT_EQ(rig.tree.count(), 0U);
    EXPECT_TRUE(rig.from("", 1).empty());
  }
}

// A walk in groups goes on where it was, and finds its place again after the tree has changed.
TEST(KeyTree, GoesOnWhereAWalkWas) {
  constexpr int kKeys = 1000;
  const auto key_of = [](int i) { return "key:" + std::to_string(100'000 + i); };
  for (const bool is_changed : {false, true}) {
    Rig rig;
    for (int i = 0; i < kKeys; ++i) rig.add(key_of(i));
    std::vector<std::string> walked;
    KeyTree::Position position;
    std::string from;
    while (true) {
      KeyList list;
      rig.tree.collect_from(from, 7, list, position);
      if (list.entries.empty()) break;
      for (std::string& key : Rig::strings(list)) walked.push_back(std::move(key));
      from = walked.back() + '\0';
      if (is_changed) rig.tree.remove(rig.magazines, walked.back());
    }
    ASSERT_EQ(walked.size(), static_cast<std::size_t>(kKeys));
    for (int i = 0; i < kKeys; ++i) ASSERT_EQ(walked[static_cast<std::size_t>(i)], key_of(i));
  }
}

// M1: a cleared tree leaves nothing in its heap.
TEST(KeyTree, GivesItsMemoryBack) {
  Rig rig;
  for (int i = 0; i < 2000; ++i) rig.add("key:" + std::to_string(i));
  EXPECT_GT(rig.tree.charged_bytes(), 2000U * 32);
  rig.tree.clear(rig.magazines);
  EXPECT_EQ(rig.tree.charged_bytes(), 0U);
  EXPECT_FALSE(rig.tree.contains("key:1"));
  rig.heap->flush(rig.magazines);
  EXPECT_EQ(rig.heap->taken_bytes(), 0U);
}

// M1: at the budget a key is refused and the tree stays whole.
TEST(KeyTree, StaysWholeWithoutMemory) {
  Rig rig(std::size_t{256} << 10U);
  int added = 0;
  while (rig.add("key:" + std::to_string(added)) == KeyTree::Added::kYes) ++added;
  EXPECT_GT(added, 100);
  rig.tree.check();
  EXPECT_EQ(rig.tree.count(), static_cast<std::size_t>(added));
}

}  // namespace
}  // namespace ashlar::memory
