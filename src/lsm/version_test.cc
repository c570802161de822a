// What readers and compactions rely on: a version leads to every table that may have a key, newest
// first, and no edit makes one whose tables contradict each other.

#include "lsm/version.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lsm/lsm_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

std::vector<std::uint64_t> numbers_for(const Version& version, std::string_view key) {
  std::vector<std::uint64_t> numbers;
  version.visit_tables_for(key, [&](const Table& table) {
    numbers.push_back(table.info().number);
    return false;
  });
  return numbers;
}

std::vector<std::uint64_t> numbers_of(const std::vector<TableRef>& tables) {
  std::vector<std::uint64_t> numbers;
  for (const TableRef& table : tables) numbers.push_back(table->info().number);
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;

// V2
TEST(Version, LeadsThroughLevelZeroFromNewToOldThenDown) {
  Version version;
  version = with(version, 0, info_of(7, {"a", "m"}));
  version = with(version, 0, info_of(9, {"c", "d"}));
  version = with(version, 0, info_of(8, {"c", "z"}));
  version = with(version, 1, info_of(4, {"a", "f"}));
  version = with(version, 3, info_of(2, {"d", "d"}));
  EXPECT_EQ(numbers_for(version, "d"), (Numbers{9, 8, 7, 4, 2}));
  EXPECT_EQ(numbers_for(version, "e"), (Numbers{8, 7, 4}));
  EXPECT_EQ(numbers_for(version, "zz"), Numbers{});
  EXPECT_EQ(version.table_count(), 5U);
}

TEST(Version, StopsWhereTheVisitorSays) {
  Version version = with(with(Version(), 0, info_of(1, {"a", "z"})), 1, info_of(2, {"a", "z"}));
  int visit_count = 0;
  EXPECT_TRUE(version.visit_tables_for("k", [&](const Table&) { return ++visit_count == 1; }));
  EXPECT_EQ(visit_count, 1);
}

// V2: who is newer is not told by the order in which tables came.
TEST(Version, RefusesTwoTablesOfLevelZeroOfOneAge) {
  const Version version = with(Version(), 0, info_of(1, {"a", "c"}));
  TableInfo twin = info_of(2, {"x", "z"});
  twin.age_rank = 1;
  const auto next = version.apply({.additions = {{.level = 0, .table = table_of(twin)}}});
  ASSERT_FALSE(next.has_value());
  EXPECT_EQ(next.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(next.error().message().find("as new as"), std::string::npos);
}

// V3: sharing one key is to overlap.
TEST(Version, RefusesTablesThatOverlapBelowLevelZero) {
  const Version version = with(Version(), 2, info_of(1, {"c", "e"}));
  for (const Ends& ends :
       {Ends{"a", "c"}, Ends{"e", "f"}, Ends{"d", "d"}, Ends{"a", "z"}, Ends{"c", "e"}}) {
    const auto next =
        version.apply({.additions = {{.level = 2, .table = table_of(info_of(2, ends))}}});
    ASSERT_FALSE(next.has_value()) << ends.from << " to " << ends.to;
    EXPECT_EQ(next.error().code(), ErrorCode::kCorruption);
  }
  EXPECT_TRUE(
      version.apply({.additions = {{.level = 2, .table = table_of(info_of(2, {"f", "g"}))}}})
          .has_value());
}

// V4
TEST(Version, RefusesATableTwice) {
  const Version version = with(Version(), 1, info_of(1, {"a", "c"}));
  EXPECT_FALSE(
      version.apply({.additions = {{.level = 2, .table = version.tables(1)[0]}}}).has_value());
}

TEST(Version, RefusesToRemoveWhatIsNotThere) {
  const Version version = with(Version(), 1, info_of(1, {"a", "c"}));
  EXPECT_FALSE(version.apply({.removals = {{.level = 2, .number = 1}}}).has_value());
  EXPECT_FALSE(version.apply({.removals = {{.level = 1, .number = 2}}}).has_value());
}

TEST(Version, MovesATableAndStaysAsItWas) {
  const Version version = with(Version(), 1, info_of(1, {"a", "c"}));
  const auto next = version.apply({.removals = {{.level = 1, .number = 1}},
                                   .additions = {{.level = 2, .table = version.tables(1)[0]}}});
  ASSERT_TRUE(next.has_value());
  EXPECT_TRUE(next->tables(1).empty());
  EXPECT_EQ(next->tables(2)[0].get(), version.tables(1)[0].get());
  EXPECT_EQ(version.bytes(1), 100U);
  EXPECT_EQ(next->bytes(1), 0U);
  EXPECT_EQ(next->bytes(2), 100U);
}

TEST(Version, FindsWhatOverlaps) {
  Version version;
  version = with(version, 1, info_of(1, {"b", "c"}, 10));
  version = with(version, 1, info_of(2, {"e", "f"}, 20));
  version = with(version, 1, info_of(3, {"h", "k"}, 40));
  EXPECT_EQ(numbers_of(version.overlapping(1, "c", "e")), (Numbers{1, 2}));
  EXPECT_EQ(version.overlapping_bytes(1, "c", "e"), 30U);
  EXPECT_EQ(version.overlapping_bytes(1, "ff", "z"), 40U);
  EXPECT_TRUE(version.is_clear(1, "d", "dd"));
  EXPECT_FALSE(version.is_clear(1, "d", "e"));
  EXPECT_TRUE(version.is_clear(2, "a", "z"));
}

/// A key whose head often says nothing.
std::string random_key(testing::Random& random) {
  std::string key = random.chance(50) ? "the same head" : "";
  key += static_cast<char>('a' + random.below(26));
  if (random.chance(50)) key += static_cast<char>('a' + random.below(26));
  return key;
}

// V2 to V4: against a look at every table.
TEST(Version, FindsWhatALookAtEveryTableFinds) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 50; ++round) {
    Version version;
    std::uint64_t number = 0;
    for (int i = 0; i < 40; ++i) {
      Ends ends{random_key(random), random_key(random)};
      if (ends.to < ends.from) std::swap(ends.from, ends.to);
      const auto level = static_cast<std::uint32_t>(random.below(3));
      const auto next = version.apply(
          {.additions = {{.level = level, .table = table_of(info_of(++number, ends))}}});
      if (next) version = *next;
      version.check();
    }
    for (int i = 0; i < 100; ++i) {
      Ends ends{random_key(random), random_key(random)};
      if (ends.to < ends.from) std::swap(ends.from, ends.to);
      Numbers with_key;
      for (std::uint32_t level = 0; level < kLevelCount; ++level) {
        Numbers overlapping;
        std::uint64_t bytes = 0;
        for (const TableRef& table : version.tables(level)) {
          const TableInfo& info = table->info();
          if (info.overlaps(ends.from, ends.from)) with_key.push_back(info.number);
          if (!info.overlaps(ends.from, ends.to)) continue;
          overlapping.push_back(info.number);
          bytes += info.file_bytes;
        }
        EXPECT_EQ(numbers_of(version.overlapping(level, ends.from, ends.to)), overlapping);
        EXPECT_EQ(version.is_clear(level, ends.from, ends.to), overlapping.empty());
        if (level == 0) continue;
        EXPECT_EQ(version.overlapping_bytes(level, ends.from, ends.to), bytes);
      }
      EXPECT_EQ(numbers_for(version, ends.from), with_key);
    }
  }
}

}  // namespace
}  // namespace ashlar::lsm
