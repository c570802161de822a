// What readers and compactions rely on: a merge hands out every key once, as its newest source has
// it, in order and both ways, and never hides that a source has failed.

#include "engine/merging_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/row_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::engine {
namespace {

using testing::Random;

std::unique_ptr<MergingCursor> merge(const std::vector<RowMap>& sources) {
  std::vector<std::unique_ptr<RowCursor>> cursors;
  for (const RowMap& rows : sources) cursors.push_back(std::make_unique<RowList>(rows));
  return std::make_unique<MergingCursor>(std::move(cursors));
}

/// What a merge is by definition: the newest source's row for each key.
RowMap merged(const std::vector<RowMap>& sources) {
  RowMap all;
  for (const RowMap& rows : sources) all.insert(rows.begin(), rows.end());
  return all;
}

RowContent row_of(const MergingCursor& cursor) {
  return {.kind = cursor.kind(),
          .value = std::string(cursor.value()),
          .deadline_ms = cursor.deadline_ms()};
}

/// Keys that are often equal, often have equal heads, and are of all lengths around eight bytes.
std::string random_key(Random& random) {
  static const std::vector<std::string> kBeginnings = {
      "", "a", "abcdefg", "abcdefgh", "abcdefghi", std::string(8, '\xff'), std::string(9, '\0')};
  std::string key = kBeginnings[random.below(kBeginnings.size())];
  const std::size_t rest_bytes = random.below(3);
  for (std::size_t i = 0; i < rest_bytes || key.empty(); ++i) {
    key.push_back("\0\x01z\xff"[random.below(4)]);
  }
  return key;
}

std::vector<RowMap> random_sources(Random& random) {
  std::vector<RowMap> sources(random.below(18));
  for (std::size_t age = 0; age < sources.size(); ++age) {
    const std::size_t count = random.below(30);
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_erase = random.chance(30);
      sources[age][random_key(random)] = {
          .kind = is_erase ? OperationKind::kErase : OperationKind::kPut,
          .value = is_erase ? "" : "of " + std::to_string(age),
          .deadline_ms = is_erase || random.chance(50) ? kNever : TimeMs(random.below(100))};
    }
  }
  return sources;
}

TEST(MergingCursor, OfNothingIsInvalid) {
  const auto cursor = merge({});
  cursor->seek_to_first();
  EXPECT_FALSE(cursor->is_valid());
  cursor->seek_for_previous("key");
  EXPECT_FALSE(cursor->is_valid());
  EXPECT_TRUE(cursor->status().has_value());
}

// U7
TEST(MergingCursor, HandsOutAKeyOnceAsItsNewestSourceHasIt) {
  const auto cursor = merge({{{"b", {.value = "newest"}}},
                             {{"a", {.value = "only"}}, {"b", {.value = "older"}}},
                             {{"b", {.value = "oldest"}}, {"c", {.kind = OperationKind::kErase}}}});
  cursor->seek_to_first();
  EXPECT_EQ(cursor->key(), "a");
  cursor->next();
  EXPECT_EQ(cursor->key(), "b");
  EXPECT_EQ(cursor->value(), "newest");
  cursor->next();
  EXPECT_EQ(cursor->key(), "c");
  EXPECT_EQ(cursor->kind(), OperationKind::kErase);
  cursor->next();
  EXPECT_FALSE(cursor->is_valid());
}

// U7: a key of which all bytes are those that rank worst is no end of a source.
TEST(MergingCursor, TellsTheLargestHeadFromAnEnd) {
  const std::string largest(8, '\xff');
  const auto cursor = merge({{}, {{largest, {.value = "here"}}}, {}});
  cursor->seek_to_first();
  ASSERT_TRUE(cursor->is_valid());
  EXPECT_EQ(cursor->key(), largest);
  const std::string smallest(1, '\0');
  const auto backward = merge({{}, {{smallest, {.value = "here"}}}, {}});
  backward->seek_to_last();
  ASSERT_TRUE(backward->is_valid());
  EXPECT_EQ(backward->key(), smallest);
}

// U7, U8, U9: any walk, turns included, is the walk over a map.
TEST(MergingCursor, WalksAsAMapDoes) {
  Random random(testing::seed());
  for (int round = 0; round < 300; ++round) {
    const std::vector<RowMap> sources = random_sources(random);
    const RowMap map = merged(sources);
    const auto cursor = merge(sources);
    auto at = map.end();
    for (int step = 0; step < 120; ++step) {
      const std::string key = random_key(random);
      const bool is_step = cursor->is_valid() && random.chance(85);
      const std::uint64_t move = random.below(4);
      if (is_step && move != 0) {
        cursor->next();
        ++at;
      } else if (is_step) {
        cursor->previous();
        at = at == map.begin() ? map.end() : std::prev(at);
      } else if (move == 0) {
        cursor->seek(key);
        at = map.lower_bound(key);
      } else if (move == 1) {
        cursor->seek_for_previous(key);
        at = map.upper_bound(key);
        at = at == map.begin() ? map.end() : std::prev(at);
      } else if (move == 2) {
        cursor->seek_to_first();
        at = map.begin();
      } else {
        cursor->seek_to_last();
        at = map.empty() ? map.end() : std::prev(map.end());
      }
      cursor->check();
      ASSERT_EQ(cursor->is_valid(), at != map.end()) << "round " << round << " step " << step;
      if (at == map.end()) continue;
      ASSERT_EQ(cursor->key(), at->first) << "round " << round << " step " << step;
      ASSERT_EQ(row_of(*cursor), at->second) << "round " << round << " step " << step;
    }
  }
}

// U6: keys that share more than heads hold, then less, then nothing, and one that is the prefix.
TEST(MergingCursor, WalksThroughKeysThatShareTheirBeginning) {
  const std::string shared(70, 's');
  std::vector<RowMap> sources(3);
  for (const std::string& key :
       {shared + "a1", shared + "a2", shared + "b", shared, shared.substr(0, 20), std::string("s"),
        std::string("t"), shared.substr(0, 30) + "z", shared + std::string("\0", 1)}) {
    sources[key.size() % 3][key] = {.value = key};
  }
  const RowMap map = merged(sources);
  const auto cursor = merge(sources);
  cursor->seek(shared + "a");
  for (auto at = map.lower_bound(shared + "a"); at != map.end(); ++at, cursor->next()) {
    cursor->check();
    ASSERT_TRUE(cursor->is_valid());
    ASSERT_EQ(cursor->key(), at->first);
  }
  cursor->seek_for_previous(shared + "b");
  for (auto at = map.find(shared + "b");; --at, cursor->previous()) {
    cursor->check();
    ASSERT_TRUE(cursor->is_valid());
    ASSERT_EQ(cursor->key(), at->first);
    if (at == map.begin()) break;
  }
}

// U9: long runs of one source, where only the runner-up is looked at, and their ends.
TEST(MergingCursor, WalksThroughStreaks) {
  Random random(testing::seed(), 1);
  std::vector<RowMap> sources(5);
  std::size_t age = 0;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    if (random.chance(3)) age = random.below(sources.size());
    const std::string key = "key" + std::to_string(100'000 + i);
    sources[age][key] = {.value = std::to_string(age)};
    if (random.chance(5)) sources[random.below(5)][key] = {.value = "another"};
  }
  const RowMap map = merged(sources);
  const auto cursor = merge(sources);
  cursor->seek_to_first();
  for (const auto& [key, content] : map) {
    ASSERT_TRUE(cursor->is_valid());
    ASSERT_EQ(cursor->key(), key);
    ASSERT_EQ(row_of(*cursor), content);
    cursor->next();
  }
  EXPECT_FALSE(cursor->is_valid());
}

// U10: whichever move of whichever source fails, the merge is invalid and says why; before that it
// has handed out nothing but what is true.
TEST(MergingCursor, IsInvalidWhenASourceFails) {
  Random random(testing::seed(), 2);
  for (int round = 0; round < 200; ++round) {
    std::vector<RowMap> sources = random_sources(random);
    sources.resize(sources.size() + 1);
    const std::size_t failing = random.below(sources.size());
    const std::size_t fail_at = random.below(20);
    std::vector<std::unique_ptr<RowCursor>> cursors;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      cursors.push_back(std::make_unique<RowList>(
          sources[i], i == failing ? std::optional(fail_at) : std::nullopt));
    }
    MergingCursor cursor(std::move(cursors));
    const RowMap map = merged(sources);
    auto at = map.begin();
    for (cursor.seek_to_first(); cursor.is_valid(); cursor.next(), ++at) {
      ASSERT_EQ(cursor.key(), at->first);
    }
    const bool has_failed = sources[failing].size() + 1 > fail_at;
    ASSERT_EQ(cursor.status().has_value(), !has_failed);
    if (has_failed) {
      EXPECT_EQ(cursor.status().error().code(), ErrorCode::kIo);
    } else {
      EXPECT_EQ(at, map.end());
    }
  }
}

// U10: a seek that goes well makes it good again.
TEST(MergingCursor, ForgetsAFailureWithTheNextSeek) {
  class FailsOnce final : public RowCursor {
   public:
    void seek_to_first() override {
      is_good_ = std::exchange(is_next_good_, true);
      show(is_good_ ? &at_ : nullptr);
    }
    void seek_to_last() override { seek_to_first(); }
    void seek(std::string_view) override { seek_to_first(); }
    void seek_for_previous(std::string_view) override { seek_to_first(); }
    void next() override {}
    void previous() override {}
    Result<void> status() const override {
      if (is_good_) return {};
      return std::unexpected(Error::of_literal(ErrorCode::kIo, "once"));
    }

   private:
    const StoredRow at_ = {.key = "key", .value = {}};
    bool is_good_ = false;
    bool is_next_good_ = false;
  };
  std::vector<std::unique_ptr<RowCursor>> cursors;
  cursors.push_back(std::make_unique<FailsOnce>());
  MergingCursor cursor(std::move(cursors));
  cursor.seek_to_first();
  EXPECT_FALSE(cursor.status().has_value());
  cursor.seek_to_first();
  EXPECT_TRUE(cursor.status().has_value());
  EXPECT_TRUE(cursor.is_valid());
}

TEST(MergingCursorDeathTest, IsNotSteppedWhenInvalid) {
  const auto cursor = merge({});
  EXPECT_DEATH(cursor->next(), "only a valid cursor is stepped");
}

/// Moves a source of `cursor` behind `last`, as its owner may when it is alone up to there.
void skip_behind(MergingCursor& cursor, RowList& source, const std::string& last) {
  source.seek(last + '\0');
  cursor.resume();
}

// U7 to U9: rows may be taken past the cursor where a source is alone; what follows is the same.
TEST(MergingCursor, GoesOnAfterASourceWasMoved) {
  Random random(testing::seed(), 5);
  std::size_t skip_count = 0;
  for (int round = 0; round < 300; ++round) {
    const auto sources = random_sources(random);
    const RowMap all = merged(sources);
    std::vector<std::unique_ptr<RowCursor>> cursors;
    std::vector<RowList*> lists;
    for (const RowMap& rows : sources) {
      cursors.push_back(std::make_unique<RowList>(rows));
      lists.push_back(static_cast<RowList*>(cursors.back().get()));
    }
    MergingCursor cursor(std::move(cursors));
    cursor.seek_to_first();
    auto expected = all.begin();
    while (expected != all.end()) {
      ASSERT_TRUE(cursor.is_valid());
      ASSERT_EQ(cursor.key(), expected->first);
      ASSERT_EQ(row_of(cursor), expected->second);
      const RowMap& rows = sources[cursor.source()];
      auto last = rows.find(expected->first);
      ASSERT_NE(last, rows.end()) << "the row is from the source that is named";
      for (std::uint64_t i = random.below(4); i > 0 && std::next(last) != rows.end(); --i) ++last;
      const auto is_beside = [&](const RowMap& other) {
        return &other != &rows &&
               other.lower_bound(expected->first) != other.upper_bound(last->first);
      };
      const bool is_alone = std::ranges::none_of(sources, is_beside);
      ASSERT_EQ(cursor.is_alone_up_to(last->first), is_alone);
      cursor.check();
      if (is_alone && random.chance(70)) {
        skip_behind(cursor, *lists[cursor.source()], last->first);
        expected = all.upper_bound(last->first);
        ++skip_count;
      } else {
        cursor.next();
        ++expected;
      }
      cursor.check();
    }
    EXPECT_FALSE(cursor.is_valid());
  }
  EXPECT_GT(skip_count, 100U);
}

// U10
TEST(MergingCursor, TellsOfASourceThatFailedWhileItWasMoved) {
  std::vector<std::unique_ptr<RowCursor>> cursors;
  cursors.push_back(std::make_unique<RowList>(RowMap{{"a", {}}, {"b", {}}}, 1));
  cursors.push_back(std::make_unique<RowList>(RowMap{{"c", {}}}));
  auto& first = static_cast<RowList&>(*cursors.front());
  MergingCursor cursor(std::move(cursors));
  cursor.seek_to_first();
  ASSERT_TRUE(cursor.is_alone_up_to("b"));
  skip_behind(cursor, first, "a");
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_EQ(cursor.status().error().code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace ashlar::engine
