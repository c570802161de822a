// What walks rely on: every key of the range that the view sees, once, in order, in both
// directions.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ashlar/iterator.h"
#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

using Keys = std::vector<std::string>;

std::string key_of(int number) {
  return "key:" + std::to_string(1000 + number);
}

Keys forward(engine::Cursor& cursor) {
  Keys keys;
  for (cursor.seek_to_first(); cursor.is_valid(); cursor.next()) keys.emplace_back(cursor.key());
  return keys;
}

Keys backward(engine::Cursor& cursor) {
  Keys keys;
  for (cursor.seek_to_last(); cursor.is_valid(); cursor.previous()) {
    keys.emplace_back(cursor.key());
  }
  std::reverse(keys.begin(), keys.end());
  return keys;
}

std::unique_ptr<engine::Cursor> open(const EngineRig& rig, const Range& range = Range::all(),
                                     const engine::View& view = engine::kLatest) {
  return std::move(rig->scan(range, view).value());
}

// O1, S1: several groups, with erased keys in between, both ways.
TEST(Scan, WalksEveryKeyBothWays) {
  EngineRig rig;
  Keys expected;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(rig.put(key_of(i), "v" + key_of(i)));
  for (int i = 0; i < 500; ++i) {
    if (i % 7 < 3 || (i > 200 && i < 400)) {
      ASSERT_TRUE(rig.erase(key_of(i)));
    } else {
      expected.push_back(key_of(i));
    }
  }
  const auto cursor = open(rig);
  EXPECT_FALSE(cursor->is_valid()) << "a new cursor stands nowhere";
  EXPECT_EQ(forward(*cursor), expected);
  EXPECT_EQ(backward(*cursor), expected);
  cursor->seek_to_first();
  EXPECT_EQ(cursor->value(), "v" + expected.front());
  EXPECT_TRUE(cursor->status().has_value());
  rig->check();
}

// O1: turning round at every place, also at the edges of groups.
TEST(Scan, TurnsRoundAnywhere) {
  constexpr int kKeys = 200;
  EngineRig rig;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(rig.put(key_of(i), "v"));
  const auto cursor = open(rig);
  cursor->seek_to_first();
  for (int i = 0; i + 1 < kKeys; ++i) {
    ASSERT_EQ(cursor->key(), key_of(i));
    cursor->next();
    ASSERT_EQ(cursor->key(), key_of(i + 1));
    cursor->previous();
    ASSERT_EQ(cursor->key(), key_of(i));
    cursor->next();
  }
  for (int i = kKeys - 1; i > 0; --i) {
    cursor->previous();
    ASSERT_EQ(cursor->key(), key_of(i - 1));
  }
  cursor->previous();
  EXPECT_FALSE(cursor->is_valid());
}

TEST(Scan, SeeksWithinItsRange) {
  EngineRig rig;
  for (const char* key : {"a", "b", "d", "e", "f"}) ASSERT_TRUE(rig.put(key, "v"));
  const auto cursor = open(rig, Range{.from = "b", .to = "f"});
  EXPECT_EQ(forward(*cursor), (Keys{"b", "d", "e"}));
  EXPECT_EQ(backward(*cursor), (Keys{"b", "d", "e"}));
  cursor->seek("a");
  EXPECT_EQ(cursor->key(), "b");
  cursor->seek("c");
  EXPECT_EQ(cursor->key(), "d");
  cursor->seek("f");
  EXPECT_FALSE(cursor->is_valid());
  cursor->seek_for_previous("c");
  EXPECT_EQ(cursor->key(), "b");
  cursor->seek_for_previous("d");
  EXPECT_EQ(cursor->key(), "d");
  cursor->seek_for_previous("z");
  EXPECT_EQ(cursor->key(), "e");
  cursor->seek_for_previous("a");
  EXPECT_FALSE(cursor->is_valid());
}

// C3, S2: a walk sees its snapshot, whatever is written meanwhile, and holds it.
TEST(Scan, SeesOneMoment) {
  EngineRig rig;
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(rig.put(key, "old"));
  {
    const auto cursor = open(rig);
    EXPECT_EQ(rig->snapshot_count(), 1U);
    ASSERT_TRUE(rig.put("aa", "new"));
    ASSERT_TRUE(rig.erase("b"));
    ASSERT_TRUE(rig.put("c", "new"));
    rig->maintain();
    EXPECT_EQ(forward(*cursor), (Keys{"a", "b", "c"}));
    cursor->seek("c");
    EXPECT_EQ(cursor->value(), "old");
    EXPECT_EQ(forward(*open(rig)), (Keys{"a", "aa", "c"}));
  }
  EXPECT_EQ(rig->snapshot_count(), 0U);
  rig->check();
}

// T1: expired keys are left out as of the moment of the walk.
TEST(Scan, LeavesExpiredKeysOut) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("a", "v", rig.in(10)));
  ASSERT_TRUE(rig.put("b", "v", rig.in(100)));
  rig.clock().advance(10);
  const auto cursor = open(rig);
  rig.clock().advance(1000);
  EXPECT_EQ(forward(*cursor), Keys{"b"});
}

// Groups end early where values are large; no row is lost or seen twice.
TEST(Scan, WalksOverLargeValues) {
  EngineRig rig;
  Keys expected;
  for (int i = 0; i < 40; ++i) {
    expected.push_back(key_of(i));
    ASSERT_TRUE(rig.put(key_of(i), std::string(150'000, static_cast<char>('a' + i % 26))));
  }
  const auto cursor = open(rig);
  EXPECT_EQ(forward(*cursor), expected);
  EXPECT_EQ(backward(*cursor), expected);
  cursor->seek(key_of(27));
  EXPECT_EQ(cursor->value(), std::string(150'000, 'b'));
}

// S1, M1: the order is built by a scan and dropped when notes outnumber the keys.
TEST(Scan, BuildsTheOrderAndDropsItWhenNobodyScans) {
  EngineRig rig;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.put(key_of(i), "v"));
  EXPECT_EQ(rig->stats().ordered_bytes, 0U);
  EXPECT_EQ(forward(*open(rig)).size(), 100U);
  EXPECT_GT(rig->stats().ordered_bytes, 0U);
  rig->maintain();
  for (int i = 0; i < 51'000; ++i) {
    ASSERT_TRUE(rig.put("again", "v"));
    ASSERT_TRUE(rig.erase("again"));
    if (i % 5000 == 0) rig->maintain();
  }
  rig->maintain();
  EXPECT_EQ(rig->stats().ordered_bytes, 0U);
  EXPECT_EQ(forward(*open(rig)).size(), 100U);
  rig->check();
}

}  // namespace
}  // namespace ashlar::memory
