// A compaction that hands blocks through whole comes to the same as one that takes every row.

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "lsm/upkeep/compaction.h"
#include "lsm/upkeep/compaction_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

using engine::OperationKind;
using table::TestRow;
using table::TestRows;
using testing::Random;

// V20: tables of a compression that is not wanted are taken row by row, and the rows are the same.
TEST(WholeBlocks, ComesToTheSameWithWholeBlocksAndWithout) {
  Random random(testing::seed());
  constexpr auto kFrom = table::Compression::kLz4;
  for (int round = 0; round < 2; ++round) {
    CompactionRig rig;
    std::vector<TestRows> layers(3);
    std::uint64_t layer = 0;
    for (const auto& [key, row] : table::plain_rows(3000)) {
      if (random.chance(1)) layer = random.below(layers.size());
      layers[layer].emplace(key, row);
      if (random.below(200) != 0) continue;
      TestRow& odd = layers[random.below(layers.size())][key];
      odd = table::random_row(random, {.value_bytes_max = 3'000, .erase_percent = 40});
      if (odd.kind != OperationKind::kErase && random.chance(50)) odd.deadline_ms = 100;
    }
    rig.add(kLastLevel, layers[0], {.compression = kFrom});
    rig.add(0, layers[1], {.compression = kFrom});
    rig.add(0, layers[2], {.compression = kFrom});
    CompactionPlan plan = plan_of_all(rig.version);
    plan.is_bottom_most = random.chance(50);
    OutputRule rule = {.table = {.compression = kFrom}, .table_bytes_max = 100'000, .now_ms = 100};
    const auto whole = run(rig, plan, rule).value();
    rule.table.compression = table::Compression::kNone;
    const auto single = run(rig, plan, rule).value();
    EXPECT_GT(whole->whole_block_count, 0U);
    EXPECT_EQ(single->whole_block_count, 0U);
    const auto before = newest_rows(rig.version);
    const auto rows = added_rows(*single);
    EXPECT_EQ(visible_rows(rows, 100), visible_rows(before, 100));
    EXPECT_EQ(rows == visible_rows(before, 100), plan.is_bottom_most);
    EXPECT_EQ(added_rows(*whole), rows);
  }
}

// The least that there can be in the way of a whole block, at each of its ends and between them.
TEST(WholeBlocks, TakesABlockApartForOneRowInIt) {
  const auto rows = table::plain_rows(60);
  const auto one_of = [&](int index) {
    return TestRows{{std::next(rows.begin(), index)->first, {.value = "newer"}}};
  };
  for (const int index : {0, 1, 30, 58, 59}) {
    CompactionRig rig;
    rig.add(kLastLevel, rows);
    rig.add(0, one_of(index));
    const auto result = run(rig, plan_of_all(rig.version)).value();
    EXPECT_EQ(result->whole_block_count, 0U) << index;
    EXPECT_EQ(added_rows(*result), newest_rows(rig.version)) << index;
  }
  for (const std::string key : {"a", "z"}) {
    CompactionRig rig;
    rig.add(kLastLevel, rows);
    rig.add(0, {{key, {.value = "before or behind"}}});
    const auto result = run(rig, plan_of_all(rig.version)).value();
    EXPECT_EQ(result->whole_block_count, 1U) << key;
    EXPECT_EQ(added_rows(*result), newest_rows(rig.version)) << key;
  }
}

// V20: a row that the rule changes takes its block with it.
TEST(WholeBlocks, TakesABlockApartForARowThatGoes) {
  TestRows rows = table::plain_rows(60);
  const auto whole_block_count = [&rows](bool is_bottom_most) {
    CompactionRig rig;
    rig.add(kLastLevel, rows);
    CompactionPlan plan = plan_of_all(rig.version);
    std::swap(plan.inputs, plan.below);
    plan.input_level = kLastLevel;
    plan.is_bottom_most = is_bottom_most;
    return run(rig, plan, {.now_ms = 100}).value()->whole_block_count;
  };
  TestRow& middle = std::next(rows.begin(), 30)->second;
  EXPECT_EQ(whole_block_count(true), 1U);
  middle = {.value = "short", .deadline_ms = 101};
  EXPECT_EQ(whole_block_count(true), 1U);
  middle = {.value = "short", .deadline_ms = 100};
  EXPECT_EQ(whole_block_count(false), 0U);
  middle = kErased;
  EXPECT_EQ(whole_block_count(true), 0U);
  EXPECT_EQ(whole_block_count(false), 1U);
}

// One row between each two blocks would leave as many short ones as there are long ones.
TEST(WholeBlocks, LeaveFewShortOnesBehind) {
  CompactionRig rig;
  rig.add(kLastLevel, table::plain_rows(3000));
  const table::TableFile& file = opened(*rig.version.tables(kLastLevel)[0]).file();
  TestRows between;
  table::TableWalk walk(file);
  for (walk.seek_to_first(); walk.is_valid(); walk.skip_block()) {
    between[walk.rows().key(walk.rows().row_count() - 1) + "!"] = {.value = "short"};
  }
  rig.add(0, between);
  const auto result = run(rig, plan_of_all(rig.version)).value();
  EXPECT_EQ(added_rows(*result), newest_rows(rig.version));
  EXPECT_GT(result->whole_block_count, 0U);
  const auto& table = opened(*result->edit.additions.at(0).table);
  EXPECT_LT(table.file().block_count(), file.block_count() * 5 / 4);
}

}  // namespace
}  // namespace ashlar::lsm
