// What whoever has lost a piece of a table relies on: the rest is there afterwards, what is lost is
// told by its keys, nothing is destroyed, and nothing is guessed (I11 to I13).

#include "db/inspection/table_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "db/inspection/damage_rig_test.h"
#include "db/inspection/repair.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"

namespace ashlar::db {
namespace {

class TablePlanTest : public ::testing::Test {
 protected:
  static constexpr int kRowCount = 300;

  void SetUp() override { rig_.write(0, kRowCount, 250, DamageRig::End::kClose); }

  RepairOutcome repair(RepairMode mode = RepairMode::kApply) {
    const auto outcome = db::repair(*rig_.disk_, DamageRig::kPath, mode, 99);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    return outcome.value_or(RepairOutcome{});
  }
  lsm::Manifest manifest() { return *rig_.inspect()->tables.basis->content; }
  lsm::Manifest::Entry largest_table() {
    const lsm::Manifest content = manifest();
    return *std::ranges::max_element(content.tables, {},
                                     [](const auto& entry) { return entry.table.file_bytes; });
  }
  static std::string name_of(const lsm::Manifest::Entry& entry) {
    return "tables/" + lsm::table_name(entry.table.number);
  }
  std::string manifest_name() {
    return "tables/" + lsm::manifest_name(rig_.inspect()->tables.newest()->number);
  }
  static bool has(const std::vector<std::string>& lines, const std::string& part) {
    return std::ranges::any_of(
        lines, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

  /// The rows that are there, each of which must be as it was written.
  std::size_t expect_no_wrong_row() {
    const DamageRig::Rows written = DamageRig::rows_up_to(kRowCount);
    const DamageRig::Rows found = rig_.rows();
    for (const auto& [key, value] : found) {
      EXPECT_TRUE(written.contains(key) && written.at(key) == value) << key;
    }
    return found.size();
  }

  DamageRig rig_{Engine::kDisk};
};

TEST_F(TablePlanTest, LeavesASoundDirectoryAlone) {
  EXPECT_TRUE(repair().before.is_sound());
  EXPECT_EQ(rig_.rows(), DamageRig::rows_up_to(kRowCount));
}

// I12: one block is lost, and with it only the rows in the range that is told.
TEST_F(TablePlanTest, KeepsEveryBlockThatCanBeRead) {
  const lsm::Manifest::Entry entry = largest_table();
  rig_.flip(name_of(entry), 100);
  const std::string damaged = rig_.disk_->read_all(DamageRig::at(name_of(entry)));
  const SurveyedTable table =
      *survey_table(*rig_.disk_, DamageRig::at("tables"), manifest(), entry);
  ASSERT_EQ(table.lost_keys.size(), 1U);
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(has(outcome.losses, name_of(entry) + ": rows with keys " +
                                      text_of(table.lost_keys[0]) + " cannot be read"));
  EXPECT_TRUE(rig_.inspect()->report.is_sound());
  EXPECT_EQ(rig_.disk_->read_all(outcome.aside + "/tables-" + lsm::table_name(entry.table.number)),
            damaged);
  DamageRig::Rows expected = DamageRig::rows_up_to(kRowCount);
  expected.erase(expected.lower_bound(table.lost_keys[0].from),
                 expected.lower_bound(table.lost_keys[0].to));
  EXPECT_EQ(expected.size() + table.lost_row_count, std::size_t{kRowCount});
  EXPECT_EQ(rig_.rows(), expected);
}

// The filter can be made anew: no row is lost.
TEST_F(TablePlanTest, LosesNothingWithAFilter) {
  const lsm::Manifest::Entry entry = largest_table();
  const std::string bytes = rig_.disk_->read_all(DamageRig::at(name_of(entry)));
  const table::TableFooter footer = *table::decode_footer(
      std::string_view(bytes).substr(bytes.size() - table::kFooterBytes),
      identity_of(manifest(), entry.table.number), "", bytes.size() - table::kFooterBytes);
  rig_.flip(name_of(entry), footer.section(table::TableSection::kFilter).offset);
  EXPECT_TRUE(has({rig_.inspect()->report.damages.front().what}, "the filter"));
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(outcome.losses.empty());
  EXPECT_EQ(rig_.rows(), DamageRig::rows_up_to(kRowCount));
}

TEST_F(TablePlanTest, GoesOnWithoutATableThatIsGone) {
  const lsm::Manifest::Entry entry = largest_table();
  rig_.remove(name_of(entry));
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(has(outcome.losses, name_of(entry) + ": rows with keys from \"" +
                                      entry.table.smallest + "\" to \"" + entry.table.largest));
  EXPECT_EQ(expect_no_wrong_row(), kRowCount - entry.table.row_count);
  EXPECT_TRUE(rig_.inspect()->report.is_sound());
}

// I13: whatever is damaged, the database opens afterwards and has no row that was not written.
TEST_F(TablePlanTest, MakesADirectoryThatOpensWhateverByteOfATableIsDamaged) {
  const lsm::Manifest::Entry entry = largest_table();
  const std::unique_ptr<os::SimulatedDisk> before = rig_.disk_->clone();
  for (std::uint64_t step = 0; step < 24; ++step) {
    rig_.disk_ = before->clone();
    rig_.flip(name_of(entry), step * (entry.table.file_bytes - 1) / 23);
    (void)repair();
    EXPECT_TRUE(rig_.inspect()->report.is_sound()) << step;
    EXPECT_GE(expect_no_wrong_row(), kRowCount - entry.table.row_count) << step;
  }
}

// I11
TEST_F(TablePlanTest, SetsABitOfTheManifestRight) {
  const std::string name = manifest_name();
  rig_.flip(name, 90);
  EXPECT_FALSE(rig_.open().has_value());
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(outcome.losses.empty());
  EXPECT_TRUE(has(outcome.kept, name + " had one bit flipped"));
  EXPECT_TRUE(has(outcome.moved, name));
  EXPECT_EQ(rig_.rows(), DamageRig::rows_up_to(kRowCount));
}

// An earlier process may have ended before it removed the one before.
TEST_F(TablePlanTest, TakesAnOlderManifestWhoseTablesAreAllThere) {
  const std::uint64_t newest = rig_.inspect()->tables.newest()->number;
  rig_.create("tables/" + lsm::manifest_name(newest + 1), "this is no manifest at all");
  EXPECT_FALSE(rig_.open().has_value());
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(outcome.losses.empty());
  EXPECT_TRUE(has(outcome.kept, "is damaged and not needed"));
  EXPECT_TRUE(has(outcome.kept, "the tables of tables/" + lsm::manifest_name(newest)));
  EXPECT_EQ(rig_.rows(), DamageRig::rows_up_to(kRowCount));
}

// I11: a table of the older one is gone, as it would be after a compaction.
TEST_F(TablePlanTest, RefusesWhenNothingTellsWhichTablesCount) {
  const std::uint64_t newest = rig_.inspect()->tables.newest()->number;
  const lsm::Manifest::Entry entry = largest_table();
  rig_.create("tables/" + lsm::manifest_name(newest + 1), "this is no manifest at all");
  rig_.remove(name_of(entry));
  const auto names = rig_.names_in("tables");
  for (const RepairMode mode : {RepairMode::kPlan, RepairMode::kApply}) {
    const auto outcome = db::repair(*rig_.disk_, DamageRig::kPath, mode, 99);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code(), ErrorCode::kUnavailable);
    EXPECT_TRUE(has({std::string(outcome.error().message())}, "nothing tells which of"));
    EXPECT_EQ(rig_.names_in("tables"), names);
  }
}

TEST_F(TablePlanTest, RefusesWithoutAnyManifest) {
  rig_.remove(manifest_name());
  const auto outcome = db::repair(*rig_.disk_, DamageRig::kPath, RepairMode::kApply, 99);
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code(), ErrorCode::kUnavailable);
}

// The log behind the tables is repaired as it is behind a checkpoint.
TEST_F(TablePlanTest, CutsADamagedLogBehindTheTables) {
  const DirectoryReport report = rig_.inspect()->report;
  rig_.flip("log/" + log::segment_name(report.log.last_segment), 4096 + 2000);
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(has(outcome.kept, "the tables of " + manifest_name() + " and the log"));
  EXPECT_GE(expect_no_wrong_row(), report.tables->total().row_count);
  EXPECT_TRUE(rig_.inspect()->report.is_sound());
}

TEST_F(TablePlanTest, KeepsTheTablesWhenAllOfTheLogIsGone) {
  const DirectoryReport report = rig_.inspect()->report;
  const std::vector<std::string> names = rig_.names_in("log");
  for (const std::string& name : names) {
    rig_.remove("log/" + name);
  }
  (void)repair();
  EXPECT_EQ(expect_no_wrong_row(), report.tables->total().row_count);
  EXPECT_TRUE(rig_.inspect()->report.is_sound());
}

TEST_F(TablePlanTest, WritesALostFormatForTheSameEngine) {
  rig_.remove("FORMAT");
  (void)repair();
  EXPECT_EQ(read_format(*rig_.disk_, DamageRig::kPath)->text, kDiskFormatText);
  rig_.flip("FORMAT", 3);
  (void)repair();
  EXPECT_EQ(read_format(*rig_.disk_, DamageRig::kPath)->text, kDiskFormatText);
  EXPECT_EQ(rig_.rows(), DamageRig::rows_up_to(kRowCount));
}

TEST_F(TablePlanTest, ChangesNothingWhenItOnlyPlans) {
  const lsm::Manifest::Entry entry = largest_table();
  rig_.flip(name_of(entry), 100);
  const auto names = rig_.names_in("tables");
  const RepairOutcome planned = repair(RepairMode::kPlan);
  EXPECT_EQ(rig_.names_in("tables"), names);
  const RepairOutcome done = repair();
  EXPECT_EQ(planned.losses, done.losses);
  EXPECT_EQ(planned.kept, done.kept);
  EXPECT_EQ(planned.moved, done.moved);
  EXPECT_EQ(planned.aside, done.aside);
}

// I7: wherever it is stopped, a second repair leads to the same rows.
TEST_F(TablePlanTest, CanBeStoppedAnywhereAndRunAgain) {
  const lsm::Manifest::Entry entry = largest_table();
  rig_.flip(name_of(entry), 100);
  const std::unique_ptr<os::SimulatedDisk> before = rig_.disk_->clone();
  (void)repair();
  const DamageRig::Rows expected = rig_.rows();
  bool is_done = false;
  for (std::uint64_t call = 0; !is_done; call += 3) {
    rig_.disk_ = before->clone();
    rig_.disk_->stop_before(call);
    is_done = db::repair(*rig_.disk_, DamageRig::kPath, RepairMode::kApply, 99).has_value();
    rig_.disk_->cut_power(os::PowerCut::kKeepRandom, call);
    const FormatState state = read_format(*rig_.disk_, DamageRig::kPath)->state;
    if (state == FormatState::kUnderRepair) {
      EXPECT_FALSE(rig_.open().has_value()) << call;
    }
    (void)repair();
    EXPECT_TRUE(rig_.inspect()->report.is_sound()) << call;
    EXPECT_EQ(rig_.rows(), expected) << call;
  }
}

}  // namespace
}  // namespace ashlar::db
