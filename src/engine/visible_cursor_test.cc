// What a scan relies on: it sees the puts of its range whose deadline had not come, and no others.

#include "engine/visible_cursor.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/merging_cursor.h"
#include "engine/row_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::engine {
namespace {

constexpr TimeMs kMoment = 1'000;

VisibleCursor cursor_over(RowMap rows, Range range) {
  return {std::make_unique<RowList>(std::move(rows)), std::move(range), kMoment};
}

/// What is seen of `rows`, by definition.
RowMap visible(const RowMap& rows, const Range& range) {
  RowMap seen;
  for (const auto& [key, content] : rows) {
    if (content.kind == OperationKind::kErase || content.deadline_ms <= kMoment) continue;
    if (key >= range.from && (!range.to || key < *range.to)) seen[key] = content;
  }
  return seen;
}

std::string random_key(testing::Random& random) {
  std::string key(random.between(1, 3), 'a');
  for (char& c : key) c = static_cast<char>('a' + random.below(4));
  return key;
}

RowMap random_rows(testing::Random& random) {
  RowMap rows;
  const std::size_t count = random.below(60);
  for (std::size_t i = 0; i < count; ++i) {
    RowContent content{.value = std::to_string(i)};
    if (random.chance(30)) content = {.kind = OperationKind::kErase};
    if (content.kind == OperationKind::kPut && random.chance(50)) {
      content.deadline_ms = kMoment + TimeMs(random.below(5)) - 2;
    }
    rows[random_key(random)] = content;
  }
  return rows;
}

// T1: the deadline itself is too late already.
TEST(VisibleCursor, HidesARowFromItsDeadlineOn) {
  auto cursor = cursor_over({{"before", {.deadline_ms = kMoment - 1}},
                             {"now", {.deadline_ms = kMoment}},
                             {"then", {.deadline_ms = kMoment + 1}}},
                            Range::all());
  cursor.seek_to_first();
  ASSERT_TRUE(cursor.is_valid());
  EXPECT_EQ(cursor.key(), "then");
  cursor.next();
  EXPECT_FALSE(cursor.is_valid());
}

// U5
TEST(VisibleCursor, HidesErases) {
  auto cursor = cursor_over({{"a", {.kind = OperationKind::kErase}}}, Range::all());
  cursor.seek_to_first();
  EXPECT_FALSE(cursor.is_valid());
  cursor.seek_to_last();
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_TRUE(cursor.status().has_value());
}

// T1, U5: with ranges, turns and seeks outside the range.
TEST(VisibleCursor, WalksAsAMapDoes) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 500; ++round) {
    const RowMap rows = random_rows(random);
    Range range;
    if (random.chance(60)) range.from = random_key(random);
    if (random.chance(60)) range.to = random_key(random);
    const RowMap map = visible(rows, range);
    auto cursor = cursor_over(rows, range);
    auto at = map.end();
    for (int step = 0; step < 40; ++step) {
      const std::string key = random_key(random);
      const std::uint64_t move = random.below(cursor.is_valid() ? 12 : 4);
      if (move == 0) {
        cursor.seek(key);
        at = map.lower_bound(key);
      } else if (move == 1) {
        cursor.seek_for_previous(key);
        at = map.upper_bound(key);
        at = at == map.begin() ? map.end() : std::prev(at);
      } else if (move == 2) {
        cursor.seek_to_first();
        at = map.begin();
      } else if (move == 3) {
        cursor.seek_to_last();
        at = map.empty() ? map.end() : std::prev(map.end());
      } else if (move < 8) {
        cursor.next();
        ++at;
      } else {
        cursor.previous();
        at = at == map.begin() ? map.end() : std::prev(at);
      }
      ASSERT_EQ(cursor.is_valid(), at != map.end()) << "round " << round << " step " << step;
      if (at == map.end()) continue;
      ASSERT_EQ(cursor.key(), at->first) << "round " << round << " step " << step;
      ASSERT_EQ(cursor.value(), at->second.value) << "round " << round << " step " << step;
    }
  }
}

TEST(VisibleCursor, TellsThatItsRowsHaveFailed) {
  RowMap rows;
  for (const char* key : {"a", "b", "c"}) rows[key] = {};
  VisibleCursor cursor(std::make_unique<RowList>(rows, 2), Range::all(), kMoment);
  cursor.seek_to_first();
  cursor.next();
  EXPECT_TRUE(cursor.is_valid());
  cursor.next();
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_EQ(cursor.status().error().code(), ErrorCode::kIo);
}

// A newer erase hides an older put, and a newer put that has expired hides an older one that has
// not: what hides rows stands above what merges them.
TEST(VisibleCursor, HidesWhatTheNewestRowOfAKeySays) {
  std::vector<std::unique_ptr<RowCursor>> sources;
  sources.push_back(std::make_unique<RowList>(
      RowMap{{"erased", {.kind = OperationKind::kErase}}, {"expired", {.deadline_ms = kMoment}}}));
  sources.push_back(std::make_unique<RowList>(RowMap{
      {"erased", {.value = "old"}}, {"expired", {.value = "old"}}, {"there", {.value = "old"}}}));
  VisibleCursor cursor(std::make_unique<MergingCursor>(std::move(sources)), Range::all(), kMoment);
  cursor.seek_to_first();
  ASSERT_TRUE(cursor.is_valid());
  EXPECT_EQ(cursor.key(), "there");
  cursor.previous();
  EXPECT_FALSE(cursor.is_valid());
}

}  // namespace
}  // namespace ashlar::engine
