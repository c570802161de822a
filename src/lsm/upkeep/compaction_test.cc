// What the disk engine relies on: a compaction shows no reader anything else, drops what nobody can
// see and nothing more, and one that fails or is stopped was never there.

#include "lsm/upkeep/compaction.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "lsm/lsm_rig_test.h"
#include "lsm/upkeep/compaction_rig_test.h"
#include "testing/forwarding_disk.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::lsm {
namespace {

using engine::OperationKind;
using engine::TimeMs;
using table::TestRow;
using table::TestRows;
using testing::Random;

/// Writes at random, of which the later ones win.
TestRows flushed_rows(Random& random, std::size_t count, TimeMs now_ms) {
  TestRows rows;
  for (std::size_t i = 0; i < count; ++i) {
    TestRow& row = rows["user" + std::to_string(10'000 + random.below(1500))];
    row = table::random_row(random, {.value_bytes_max = 100, .erase_percent = 25});
    if (row.kind != OperationKind::kErase && random.chance(30)) {
      row.deadline_ms = now_ms + static_cast<TimeMs>(random.below(50));
    }
  }
  return rows;
}

PickerSettings small_settings() {
  return {.level0_count_max = 3,
          .base_bytes = 5'000,
          .fan_out = 3,
          .plan_bytes_max = 60'000,
          .overlap_bytes_max = 40'000,
          .expiry_lag_ms_max = 10};
}

/// Carries out a plan as an engine does. Returns whether it was a merge.
bool carry_out(CompactionRig& rig, const CompactionPlan& plan, TimeMs now_ms) {
  if (plan.is_move) {
    rig.version = rig.version.apply(edit_of_move(plan)).value();
    return false;
  }
  const auto result =
      run(rig, plan, {.table_bytes_max = 6'000, .now_ms = now_ms, .cut_bytes_max = 40'000}).value();
  EXPECT_EQ(result->read_bytes, plan.input_bytes);
  rig.apply(result->edit);
  return true;
}

std::size_t settle(CompactionRig& rig, TimeMs now_ms) {
  const PickerSettings settings = small_settings();
  std::size_t merge_count = 0;
  while (const auto plan = Picker(rig.version, settings, {}).pick(now_ms)) {
    if (carry_out(rig, *plan, now_ms)) ++merge_count;
    if (::testing::Test::HasFatalFailure()) break;
  }
  return merge_count;
}

// V19, V17: whatever plans make of random writes, readers see what a map has, and there is a file
// for each table and no other.
TEST(Compaction, ShowsNoReaderAnythingElse) {
  Random random(testing::seed());
  CompactionRig rig;
  TestRows model;
  TimeMs now_ms = 1000;
  std::size_t merge_count = 0;
  int two_level_count = 0;
  for (int round = 0; round < 20; ++round) {
    const TestRows rows = flushed_rows(random, 150, now_ms);
    for (const auto& [key, row] : rows) model[key] = row;
    rig.add(0, rows);
    now_ms += static_cast<TimeMs>(random.below(30));
    merge_count += settle(rig, now_ms);
    ASSERT_FALSE(HasFatalFailure()) << "round " << round;
    ASSERT_EQ(visible_rows(newest_rows(rig.version), now_ms), visible_rows(model, now_ms));
    ASSERT_EQ(rig.names().size(), rig.version.table_count());
    if (!rig.version.tables(kLastLevel - 1).empty()) ++two_level_count;
  }
  EXPECT_GT(merge_count, 10U);
  EXPECT_GT(rig.version.tables(kLastLevel).size(), 1U);
  EXPECT_GT(two_level_count, 0);
}

// V11, T1: in the last level nothing is left that no reader is shown.
TEST(Compaction, LeavesNothingUnseenInTheLastLevel) {
  Random random(testing::seed());
  CompactionRig rig;
  for (int i = 0; i < 4; ++i) rig.add(0, flushed_rows(random, 200, 1000));
  const TestRows before = newest_rows(rig.version);
  const PickerSettings settings = small_settings();
  while (const auto plan = Picker(rig.version, settings, {}).pick_range("a", "z", 1020)) {
    carry_out(rig, *plan, 1020);
    ASSERT_FALSE(HasFatalFailure());
  }
  EXPECT_EQ(rig.version.tables(kLastLevel).size(), rig.version.table_count());
  EXPECT_NE(visible_rows(before, 1020), before);
  EXPECT_EQ(newest_rows(rig.version), visible_rows(before, 1020));
}

// What lies below has rows that an erase, or a row that has expired, still has to hide.
TEST(Compaction, KeepsErasesWhereSomethingLiesBelow) {
  CompactionRig rig;
  const TestRow living = {.value = "living"};
  rig.add(5, {{"erased", living}, {"expired", living}, {"key", living}});
  rig.add(0, {{"erased", kErased}, {"expired", {.value = "short", .deadline_ms = 100}}});
  CompactionPlan plan{.input_level = 0, .output_level = 5};
  plan.inputs = {rig.version.tables(0)[0]};
  plan.below = {rig.version.tables(5)[0]};
  const auto above = run(rig, plan, {.now_ms = 100}).value();
  rig.apply(above->edit);
  EXPECT_EQ(newest_rows(rig.version),
            (TestRows{{"erased", kErased}, {"expired", kErased}, {"key", living}}));
  plan.inputs = {rig.version.tables(5)[0]};
  plan.below.clear();
  plan.input_level = 5;
  plan.output_level = 6;
  plan.is_bottom_most = true;
  const auto bottom = run(rig, plan, {.now_ms = 100}).value();
  rig.apply(bottom->edit);
  EXPECT_EQ(newest_rows(rig.version), (TestRows{{"key", living}}));
}

TEST(Compaction, OnlyRemovesWhenNoRowIsLeft) {
  CompactionRig rig;
  rig.add(kLastLevel, {{"key", {.value = "old"}}});
  rig.add(0, {{"key", kErased}});
  const auto result = run(rig, plan_of_all(rig.version)).value();
  EXPECT_TRUE(result->edit.additions.empty());
  EXPECT_EQ(result->edit.removals.size(), 2U);
  EXPECT_EQ(result->written_bytes, 0U);
  rig.apply(result->edit);
  EXPECT_TRUE(rig.names().empty());
}

TEST(Compaction, CutsAlongTheTablesFurtherDown) {
  CompactionRig rig;
  rig.add(0, table::plain_rows(300));
  CompactionPlan plan{.input_level = 0, .output_level = 5};
  plan.inputs = {rig.version.tables(0)[0]};
  EXPECT_EQ((*run(rig, plan, {.cut_bytes_max = 1}))->edit.additions.size(), 1U);
  plan.further_below = {table_of(info_of(100, {"a", "user1000000700"})),
                        table_of(info_of(101, {"user1000000701", "z"}))};
  EXPECT_EQ((*run(rig, plan, {.cut_bytes_max = 1}))->edit.additions.size(), 2U);
}

TEST(Compaction, CountsWhatItReadsAndWrites) {
  CompactionRig rig;
  rig.add(kLastLevel, table::plain_rows(1000));
  rig.add(0, table::plain_rows(300));
  const CompactionPlan plan = plan_of_all(rig.version);
  const auto result = run(rig, plan, {.table_bytes_max = 30'000}).value();
  EXPECT_EQ(result->read_bytes,
            plan.inputs[0]->info().file_bytes + plan.below[0]->info().file_bytes);
  ASSERT_GT(result->edit.additions.size(), 1U);
  std::uint64_t file_bytes = 0;
  for (const auto& [level, table] : result->edit.additions) {
    EXPECT_EQ(level, kLastLevel);
    file_bytes += rig.disk.read_all("/tables/" + table_name(table->info().number)).size();
  }
  EXPECT_EQ(result->written_bytes, file_bytes);
}

/// A version with something to merge in levels 0 and 6.
void fill(CompactionRig& rig) {
  rig.add(kLastLevel, table::plain_rows(700));
  rig.add(0, table::plain_rows(500));
  rig.add(0, table::plain_rows(400));
}

// G5, V17: damage in any source, in its first block or a later one.
TEST(Compaction, RefusesDamageAndLeavesNoFile) {
  for (const std::uint64_t number : {1U, 2U, 3U}) {
    for (const std::uint64_t offset : {10U, 20'000U}) {
      CompactionRig rig;
      fill(rig);
      const std::string path = "/tables/" + table_name(number);
      rig.disk.overwrite(path, offset, "damage");
      const auto result = run(rig, plan_of_all(rig.version), {.table_bytes_max = 10'000});
      ASSERT_FALSE(result.has_value()) << path << " at " << offset;
      EXPECT_EQ(result.error().code(), ErrorCode::kCorruption);
      EXPECT_NE(result.error().message().find(path), std::string::npos);
      EXPECT_EQ(rig.names().size(), 3U);
    }
  }
}

/// Lets the n-th call of `kind` during a compaction fail, for each n. Returns how many compactions
/// that spoilt.
std::size_t fail_each(os::CallKind kind, os::Fault fault) {
  CompactionRig rig;
  fill(rig);
  std::size_t failed_count = 0;
  for (std::uint64_t n = 0;; ++n) {
    const std::uint64_t nth = rig.faulty.call_count(kind) + n;
    rig.faulty.fail(kind, nth, fault, os::FaultSpan::kOnce);
    const auto result = run(rig, plan_of_all(rig.version), {.table_bytes_max = 15'000});
    const bool was_reached = rig.faulty.call_count(kind) > nth;
    rig.faulty.heal();
    if (result) {
      for (const auto& addition : (*result)->edit.additions) addition.table->mark_obsolete();
      if (!was_reached) return failed_count;
      continue;  // It was a call that one may do without.
    }
    ++failed_count;
    EXPECT_EQ(rig.names().size(), 3U) << "call " << n;
  }
}

// V17
TEST(Compaction, LeavesNoFileWhenTheDiskIsFull) {
  EXPECT_GT(fail_each(os::CallKind::kWrite, os::Fault::kEnospc), 3U);
}

// V17: whichever call of the disk fails, no file is left.
TEST(Compaction, LeavesNoFileWhenACallOfTheDiskFails) {
  EXPECT_GT(fail_each(os::CallKind::kAny, os::Fault::kEio), 15U);
}

TEST(Compaction, LeavesNoFileWhenItIsStoppedBefore) {
  CompactionRig rig;
  fill(rig);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(compact(rig.store, plan_of_all(rig.version), {}, stop.get_token())->has_value());
  EXPECT_EQ(rig.names().size(), 3U);
}

/// Asks for a stop at the n-th write, and counts those that come after.
class StoppingDisk final : public testing::ForwardingDisk {
 public:
  StoppingDisk(os::Disk& below, int nth) : ForwardingDisk(below), nth_(nth) {}

  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override {
    if (++write_count_ == nth_) stop_.request_stop();
    return ForwardingDisk::write(handle, from, bytes, offset);
  }

  std::stop_token token() const { return stop_.get_token(); }
  int write_count() const { return write_count_; }

 private:
  const int nth_;
  int write_count_ = 0;
  std::stop_source stop_;
};

// V17: finished tables and one that was begun go alike, and few rows are merged after the word.
TEST(Compaction, StopsInTheMidstAndLeavesNoFile) {
  for (const int nth : {1, 2, 5}) {
    CompactionRig rig;
    fill(rig);
    StoppingDisk disk(rig.disk, nth);
    const TableWorld world{
        .disk = disk, .budget = rig.budget, .domain = rig.domain, .cache = *rig.cache};
    TableStore store(world, CompactionRig::kDirectory, rig.store.identity(), 100);
    const OutputRule rule = {.table_bytes_max = 8'000};
    const auto result = compact(store, plan_of_all(rig.version), rule, disk.token());
    EXPECT_FALSE(result->has_value());
    EXPECT_LE(disk.write_count(), nth + 2);
    EXPECT_EQ(rig.names().size(), 3U);
  }
}

TEST(CompactionDeathTest, TakesNoMove) {
  CompactionRig rig;
  rig.add(0, table::plain_rows(1));
  CompactionPlan plan = plan_of_all(rig.version);
  plan.is_move = true;
  EXPECT_DEATH((void)run(rig, plan), "nothing to merge");
}

// V2: an older table in front of a newer one would win.
TEST(CompactionDeathTest, TakesLevelZeroFromNewToOld) {
  CompactionRig rig;
  fill(rig);
  CompactionPlan plan = plan_of_all(rig.version);
  std::swap(plan.inputs[0], plan.inputs[1]);
  EXPECT_DEATH((void)run(rig, plan), "V2");
}

}  // namespace
}  // namespace ashlar::lsm
