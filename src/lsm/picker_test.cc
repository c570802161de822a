// What the disk engine relies on: carrying out plans loses nothing, lets the newest row win, keeps
// levels in order, and comes to an end with every level within its target.

#include "lsm/picker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lsm/lsm_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

using engine::kNever;
using engine::TimeMs;
using testing::Random;

constexpr std::uint64_t kRowBytes = 10;

/// A row of a simulated table.
struct Row {
  std::uint64_t commit = 0;
  bool is_erase = false;
  TimeMs deadline_ms = kNever;
};
using Rows = std::map<std::string, Row>;

/// A database whose tables are maps: carries plans out as a compaction does.
class Simulation {
 public:
  explicit Simulation(std::size_t table_rows_max) : table_rows_max_(table_rows_max) {}

  const Version& version() const { return version_; }

  void add(std::uint32_t level, const Rows& rows) {
    if (rows.empty()) return;
    const TableRef table = make(rows);
    apply({.additions = {{.level = level, .table = table}}});
  }

  /// A flush of `count` writes to keys of which there are `key_count`.
  void flush(Random& random, std::size_t count, std::size_t key_count, std::uint64_t erase_percent,
             TimeMs now_ms) {
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
      Row row{.commit = ++commit_, .is_erase = random.chance(erase_percent)};
      if (!row.is_erase && random.chance(20)) row.deadline_ms = now_ms + TimeMs(random.below(50));
      rows[key_of(random.below(key_count))] = row;
    }
    add(0, rows);
  }

  static std::string key_of(std::uint64_t i) { return "key" + std::to_string(100'000 + i); }

  /// What carrying out `plan` makes of the version as it is now, which may be a later one than that
  /// for which it was made.
  void carry_out(const CompactionPlan& plan, TimeMs now_ms) {
    if (plan.is_move) return apply(edit_of_move(plan));
    Rows merged;
    VersionEdit edit;
    // Newest first: what is there already is newer, and stays.
    for (const TableRef& table : plan.inputs) {
      merged.insert(rows_of(*table).begin(), rows_of(*table).end());
      edit.removals.push_back({.level = plan.input_level, .number = table->info().number});
    }
    for (const TableRef& table : plan.below) {
      merged.insert(rows_of(*table).begin(), rows_of(*table).end());
      edit.removals.push_back({.level = plan.output_level, .number = table->info().number});
    }
    Rows output;
    for (auto& [key, row] : merged) {
      if (row.deadline_ms <= now_ms) row = {.commit = row.commit, .is_erase = true};
      if (row.is_erase && plan.is_bottom_most) continue;
      output.emplace(key, row);
      if (output.size() < table_rows_max_) continue;
      edit.additions.push_back({.level = plan.output_level, .table = make(output)});
      output.clear();
    }
    if (!output.empty())
      edit.additions.push_back({.level = plan.output_level, .table = make(output)});
    apply(edit);
  }

  /// What a reader sees, by looking for each key from the newest table down.
  Rows visible(TimeMs now_ms) const {
    Rows seen;
    for (std::uint32_t level = 0; level < kLevelCount; ++level) {
      for (const TableRef& table : version_.tables(level)) {
        seen.insert(rows_of(*table).begin(), rows_of(*table).end());
      }
    }
    std::erase_if(seen, [now_ms](const auto& entry) {
      return entry.second.is_erase || entry.second.deadline_ms <= now_ms;
    });
    return seen;
  }

 private:
  const Rows& rows_of(const Table& table) const { return contents_.at(table.info().number); }

  TableRef make(const Rows& rows) {
    TableInfo info =
        info_of(++number_, {rows.begin()->first, rows.rbegin()->first}, rows.size() * kRowBytes);
    info.row_count = rows.size();
    for (const auto& [key, row] : rows) {
      info.erase_count += row.is_erase ? 1 : 0;
      info.expiring_count += row.deadline_ms != kNever ? 1 : 0;
      info.earliest_deadline_ms = std::min(info.earliest_deadline_ms, row.deadline_ms);
    }
    contents_[info.number] = rows;
    return table_of(info);
  }

  /// V9: an edit that breaks the order of a level is refused.
  void apply(const VersionEdit& edit) {
    const Result<Version> next = version_.apply(edit);
    ASSERT_TRUE(next.has_value()) << next.error().message();
    version_ = *next;
    version_.check();
  }

  const std::size_t table_rows_max_;
  Version version_;
  std::map<std::uint64_t, Rows> contents_;
  std::uint64_t number_ = 0;
  std::uint64_t commit_ = 0;
};

std::map<std::string, std::uint64_t> commits_of(const Rows& rows) {
  std::map<std::string, std::uint64_t> commits;
  for (const auto& [key, row] : rows) commits[key] = row.commit;
  return commits;
}

PickerSettings small_settings() {
  return {.level0_count_max = 3,
          .base_bytes = 20 * kRowBytes,
          .fan_out = 4,
          .plan_bytes_max = 60 * kRowBytes,
          .overlap_bytes_max = 40 * kRowBytes,
          .erase_percent_max = 50,
          .expiry_lag_ms_max = 10};
}

/// Carries out plans until there is none. Returns how many there were.
std::size_t settle(Simulation& simulation, const PickerSettings& settings, TimeMs now_ms) {
  std::size_t count = 0;
  while (const auto plan = Picker(simulation.version(), settings, {}).pick(now_ms)) {
    simulation.carry_out(*plan, now_ms);
    EXPECT_LT(++count, 10'000U) << "V12: plans come to an end";
    if (count >= 10'000 || ::testing::Test::HasFatalFailure()) break;
  }
  return count;
}

/// A version that no history of ours need have led to.
void fill_at_random(Random& random, Simulation& simulation) {
  for (std::uint32_t level = kLastLevel; level > 0; --level) {
    if (random.chance(40)) continue;
    std::uint64_t key = 0;
    while ((key += random.below(20)) < 300) {
      Rows rows;
      const std::uint64_t end = key + random.between(1, 30);
      for (; key < end; key += random.between(1, 4)) {
        rows[Simulation::key_of(key)] = {.commit = kLevelCount - level,
                                         .is_erase = random.chance(20)};
      }
      simulation.add(level, rows);
    }
  }
}

/// V11: nothing lies below a bottom-most plan; V9: all that overlaps is taken; V12: a plan is no
/// larger than it has to be or may be.
void expect_sound(const CompactionPlan& plan, const Version& version,
                  const PickerSettings& settings) {
  ASSERT_FALSE(plan.inputs.empty());
  for (const auto* tables : {&plan.inputs, &plan.below}) {
    for (const TableRef& table : *tables) {
      EXPECT_LE(plan.smallest, table->info().smallest);
      EXPECT_GE(plan.largest, table->info().largest);
    }
  }
  if (plan.output_level != plan.input_level) {
    EXPECT_EQ(version.overlapping(plan.output_level, plan.smallest, plan.largest), plan.below);
  }
  for (std::uint32_t level = plan.output_level + 1; level < kLevelCount; ++level) {
    EXPECT_TRUE(!plan.is_bottom_most || version.is_clear(level, plan.smallest, plan.largest));
  }
  if (plan.inputs.size() > 1 && plan.input_level > 0) {
    EXPECT_LE(plan.input_bytes, settings.plan_bytes_max);
  }
}

TEST(Picker, HasNothingToDoInAnEmptyVersion) {
  const Version version;
  const PickerSettings settings;
  const Picker picker(version, settings, {});
  EXPECT_FALSE(picker.pick(0).has_value());
  EXPECT_FALSE(picker.pick_range("a", "z", 0).has_value());
  EXPECT_EQ(picker.base_level(), kLastLevel);
}

TEST(Picker, CountsTargetsDownFromTheLastLevel) {
  PickerSettings settings = small_settings();
  settings.base_bytes = 100;
  settings.fan_out = 10;
  const Version version = with(Version(), 6, info_of(1, {"a", "b"}, 12'345));
  const Picker picker(version, settings, {});
  EXPECT_EQ(picker.target_bytes(6), 12'345U);
  EXPECT_EQ(picker.target_bytes(5), 1'234U);
  EXPECT_EQ(picker.target_bytes(4), 123U);
  EXPECT_EQ(picker.target_bytes(3), 0U);
  EXPECT_EQ(picker.base_level(), 4U);
}

// V9: rows of level 0 never go past older ones.
TEST(Picker, SendsLevelZeroNoFurtherThanTheFirstTable) {
  Version version = with(Version(), 6, info_of(1, {"a", "b"}, 12'345));
  version = with(version, 2, info_of(2, {"x", "z"}, 10));
  EXPECT_EQ(Picker(version, small_settings(), {}).base_level(), 2U);
}

// V9: "b" to "c" overlaps with "a" to "b", which overlaps with none of the others.
TEST(Picker, TakesOfLevelZeroWhatOverlapsByWayOfOthers) {
  Version version;
  version = with(version, 0, info_of(1, {"a", "b"}));
  version = with(version, 0, info_of(2, {"b", "c"}));
  version = with(version, 0, info_of(3, {"c", "d"}));
  version = with(version, 0, info_of(4, {"x", "y"}));
  const auto plan = Picker(version, small_settings(), {}).pick(0);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs.size(), 3U);
  EXPECT_EQ(plan->inputs.front()->info().number, 3U);
  EXPECT_EQ(plan->input_bytes, 300U);
  EXPECT_TRUE(plan->is_bottom_most);
  EXPECT_FALSE(plan->is_move);
}

// V12: with no room for all, the oldest go first.
TEST(Picker, TakesTheOldestOfLevelZeroWhenAllAreTooMany) {
  Version version;
  for (std::uint64_t i = 1; i <= 6; ++i) version = with(version, 0, info_of(i, {"a", "b"}));
  PickerSettings settings = small_settings();
  settings.plan_bytes_max = 250;
  const auto plan = Picker(version, settings, {}).pick(0);
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->inputs.size(), 2U);
  EXPECT_EQ(plan->inputs[0]->info().number, 2U);
  EXPECT_EQ(plan->inputs[1]->info().number, 1U);
}

TEST(Picker, MovesWhatNothingBelowOverlaps) {
  Version version = with(Version(), 5, info_of(1, {"a", "b"}, 2'000));
  version = with(version, 6, info_of(2, {"c", "d"}, 2'000));
  const auto plan = Picker(version, small_settings(), {}).pick(0);
  ASSERT_TRUE(plan.has_value());
  EXPECT_TRUE(plan->is_move);
  EXPECT_EQ(plan->input_level, 5U);
  EXPECT_EQ(plan->output_level, 6U);
}

TEST(Picker, DoesNotMoveToWhereTooMuchLiesFurtherBelow) {
  Version version = with(Version(), 4, info_of(1, {"a", "b"}, 2'000));
  version = with(version, 6, info_of(2, {"a", "d"}, 2'000));
  PickerSettings settings = small_settings();
  settings.overlap_bytes_max = 1'999;
  const auto plan = Picker(version, settings, {}).pick(0);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->output_level, 5U);
  EXPECT_FALSE(plan->is_move);
  settings.overlap_bytes_max = 2'000;
  EXPECT_TRUE(Picker(version, settings, {}).pick(0)->is_move);
}

TEST(Picker, ChoosesTheTableWithTheLeastBelow) {
  Version version;
  version = with(version, 5, info_of(1, {"a", "c"}, 900));
  version = with(version, 5, info_of(2, {"e", "g"}, 900));
  version = with(version, 6, info_of(3, {"b", "c"}, 2'000));
  version = with(version, 6, info_of(4, {"f", "g"}, 500));
  const auto plan = Picker(version, small_settings(), {}).pick(0);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->inputs[0]->info().number, 2U);
}

// What lies below is rewritten anyway: a second table that adds nothing below comes along.
TEST(Picker, TakesAlongWhatCostsNothingBelow) {
  Version version;
  version = with(version, 5, info_of(1, {"a", "b"}, 300));
  version = with(version, 5, info_of(2, {"c", "d"}, 290));
  version = with(version, 6, info_of(3, {"a", "e"}, 400));
  PickerSettings settings = small_settings();
  settings.plan_bytes_max = 990;
  EXPECT_EQ(Picker(version, settings, {}).pick(0)->inputs.size(), 2U);
  settings.plan_bytes_max = 989;
  EXPECT_EQ(Picker(version, settings, {}).pick(0)->inputs.size(), 1U);
}

// A table that is full of erases goes, though its level has room.
TEST(Picker, CompactsATableThatIsFullOfErases) {
  TableInfo table = info_of(1, {"a", "b"}, 10);
  table.erase_count = 4;
  EXPECT_FALSE(Picker(with(Version(), 6, table), small_settings(), {}).pick(0).has_value());
  table.erase_count = 5;
  const Version version = with(Version(), 6, table);
  const auto plan = Picker(version, small_settings(), {}).pick(0);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, PlanReason::kErases);
  EXPECT_EQ(plan->output_level, 6U);
  EXPECT_TRUE(plan->is_bottom_most);
  EXPECT_FALSE(plan->is_move);
}

TEST(Picker, CompactsATableWithRowsThatExpiredLongAgo) {
  TableInfo table = info_of(1, {"a", "b"}, 10);
  table.expiring_count = 1;
  table.earliest_deadline_ms = 100;
  const Version version = with(Version(), 6, table);
  const PickerSettings settings = small_settings();
  EXPECT_FALSE(Picker(version, settings, {}).pick(109).has_value());
  const auto plan = Picker(version, settings, {}).pick(110);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->reason, PlanReason::kExpiry);
  EXPECT_FALSE(plan->is_move);
}

// V9, V11, V12: from any version.
TEST(Picker, BringsAnyVersionToRest) {
  Random random(testing::seed());
  const PickerSettings settings = small_settings();
  for (int round = 0; round < 6; ++round) {
    Simulation simulation(random.between(4, 12));
    fill_at_random(random, simulation);
    for (std::uint64_t i = random.below(8); i > 0; --i) simulation.flush(random, 15, 300, 20, 0);
    const TimeMs now_ms = 40;
    const auto before = commits_of(simulation.visible(now_ms));
    std::size_t count = 0;
    while (const auto plan = Picker(simulation.version(), settings, {}).pick(now_ms)) {
      expect_sound(*plan, simulation.version(), settings);
      simulation.carry_out(*plan, now_ms);
      ASSERT_FALSE(HasFatalFailure()) << "round " << round;
      ASSERT_EQ(commits_of(simulation.visible(now_ms)), before) << "round " << round;
      ASSERT_LT(++count, 10'000U) << "V12: plans come to an end";
    }
    const Picker picker(simulation.version(), settings, {});
    EXPECT_LT(simulation.version().tables(0).size(), settings.level0_count_max);
    for (std::uint32_t level = 1; level < kLastLevel; ++level) {
      EXPECT_LE(simulation.version().bytes(level), picker.target_bytes(level)) << level;
    }
    for (std::uint32_t level = 0; level < kLevelCount; ++level) {
      for (const TableRef& table : simulation.version().tables(level)) {
        EXPECT_LT(table->info().erase_count * 2, table->info().row_count);
        EXPECT_GT(table->info().earliest_deadline_ms, now_ms - settings.expiry_lag_ms_max);
      }
    }
  }
}

// V9 to V12: as a database does it, with plans that run side by side and end in any order while
// new tables are flushed.
TEST(Picker, LosesNothingWithPlansSideBySide) {
  Random random(testing::seed(), 1);
  const PickerSettings settings = small_settings();
  for (int round = 0; round < 3; ++round) {
    Simulation simulation(8);
    std::vector<CompactionPlan> running;
    TimeMs now_ms = 0;
    for (int step = 0; step < 150; ++step) {
      now_ms += TimeMs(random.below(3));
      const auto before = commits_of(simulation.visible(now_ms));
      const std::uint64_t what = random.below(4);
      if (what == 0) {
        simulation.flush(random, 12, 250, 25, now_ms);
        ASSERT_FALSE(HasFatalFailure());
        continue;
      }
      if (what < 3) {
        auto plan = Picker(simulation.version(), settings, running).pick(now_ms);
        if (!plan) continue;
        expect_sound(*plan, simulation.version(), settings);
        running.push_back(std::move(*plan));
        continue;
      }
      if (running.empty()) continue;
      const std::size_t ends = random.below(running.size());
      simulation.carry_out(running[ends], now_ms);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(ends));
      ASSERT_FALSE(HasFatalFailure()) << "round " << round << " step " << step;
      ASSERT_EQ(commits_of(simulation.visible(now_ms)), before) << "round " << round;
    }
  }
}

// V10
TEST(Picker, LeavesAloneWhatRuns) {
  Version version;
  for (std::uint64_t i = 1; i <= 4; ++i) version = with(version, 0, info_of(i, {"a", "m"}));
  const PickerSettings settings = small_settings();
  const auto first = Picker(version, settings, {}).pick(0);
  ASSERT_TRUE(first.has_value());
  const std::vector<CompactionPlan> running = {*first};
  for (std::uint64_t i = 5; i <= 8; ++i) version = with(version, 0, info_of(i, {"c", "d"}));
  EXPECT_FALSE(Picker(version, settings, running).pick(0).has_value());
  for (std::uint64_t i = 9; i <= 12; ++i) version = with(version, 0, info_of(i, {"x", "z"}));
  const auto beside = Picker(version, settings, running).pick(0);
  ASSERT_TRUE(beside.has_value());
  EXPECT_EQ(beside->smallest, "x");
}

// Manual: all of a range ends in the last level, without erases; what lies outside may stay.
TEST(Picker, BringsARangeToTheLastLevel) {
  Random random(testing::seed(), 2);
  const PickerSettings settings = small_settings();
  for (int round = 0; round < 2; ++round) {
    Simulation simulation(8);
    for (int i = 0; i < 30; ++i) {
      simulation.flush(random, 15, 300, 25, 0);
      settle(simulation, settings, 0);
    }
    const std::string smallest = Simulation::key_of(random.below(150));
    const std::string largest = Simulation::key_of(150 + random.below(150));
    const TimeMs now_ms = 30;
    const auto before = commits_of(simulation.visible(now_ms));
    std::size_t count = 0;
    while (const auto plan =
               Picker(simulation.version(), settings, {}).pick_range(smallest, largest, now_ms)) {
      expect_sound(*plan, simulation.version(), settings);
      simulation.carry_out(*plan, now_ms);
      ASSERT_FALSE(HasFatalFailure());
      ASSERT_LT(++count, 10'000U) << "V12: plans come to an end";
    }
    EXPECT_EQ(commits_of(simulation.visible(now_ms)), before);
    for (std::uint32_t level = 0; level < kLastLevel; ++level) {
      EXPECT_TRUE(simulation.version().is_clear(level, smallest, largest)) << level;
    }
    for (const TableRef& table : simulation.version().overlapping(kLastLevel, smallest, largest)) {
      EXPECT_EQ(table->info().erase_count, 0U);
      EXPECT_GT(table->info().earliest_deadline_ms, now_ms);
    }
  }
}

// V45: what is told to be done in all, before any of it is.
TEST(Picker, EstimatesWhatACompactionOfAllReads) {
  constexpr TimeMs kNow = 1'000;
  const auto rows = [](std::uint64_t count, const Row& row) {
    Rows made;
    for (std::uint64_t i = 0; i < count; ++i) made[Simulation::key_of(i)] = row;
    return made;
  };
  Simulation database(100);
  EXPECT_EQ(bytes_to_compact(database.version(), kNow), 0U);
  database.add(0, rows(10, {.commit = 1}));
  EXPECT_EQ(bytes_to_compact(database.version(), kNow), 0U) << "it goes down as it is";
  database.add(0, rows(10, {.commit = 2}));
  EXPECT_EQ(bytes_to_compact(database.version(), kNow), 20 * kRowBytes);
  database.add(3, rows(30, {.commit = 0}));
  EXPECT_EQ(bytes_to_compact(database.version(), kNow), (20 + 50) * kRowBytes)
      << "with each other, and with what is in level 3";

  Simulation rest(100);
  rest.add(kLastLevel, rows(10, {.commit = 1}));
  EXPECT_EQ(bytes_to_compact(rest.version(), kNow), 0U);
  Simulation expired(100);
  expired.add(kLastLevel, rows(10, {.commit = 1, .deadline_ms = kNow}));
  EXPECT_EQ(bytes_to_compact(expired.version(), kNow), 10 * kRowBytes);
  EXPECT_EQ(bytes_to_compact(expired.version(), kNow - 1), 0U);
}

// A load in the order of keys is never rewritten.
TEST(Picker, OnlyMovesWhatWasLoadedInOrder) {
  Simulation simulation(10);
  const PickerSettings settings = small_settings();
  std::uint64_t key = 0;
  for (int table = 0; table < 40; ++table) {
    Rows rows;
    for (int i = 0; i < 10; ++i) rows[Simulation::key_of(++key)] = {.commit = key};
    simulation.add(0, rows);
    while (const auto plan = Picker(simulation.version(), settings, {}).pick(0)) {
      EXPECT_TRUE(plan->is_move);
      simulation.carry_out(*plan, 0);
    }
  }
  EXPECT_EQ(simulation.visible(0).size(), key);
}

}  // namespace
}  // namespace ashlar::lsm
