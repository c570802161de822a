// What `ashlar check` relies on where rows are in tables: every block is read, damage is told by
// file and offset and by the keys that it costs, and leftovers are no damage (I10).

#include "db/inspection/table_survey.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "db/inspection/damage_rig_test.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"

namespace ashlar::db {
namespace {

class TableSurveyTest : public ::testing::Test {
 protected:
  // Some tables in levels, and rows behind them in the log.
  void SetUp() override { rig_.write(0, 300, 250, DamageRig::End::kClose); }

  DirectoryReport report() {
    const auto found = rig_.inspect();
    EXPECT_TRUE(found.has_value()) << found.error().message();
    return found ? found->report : DirectoryReport{};
  }
  lsm::Manifest manifest() { return *rig_.inspect()->tables.basis->content; }
  static std::string name_of(const lsm::Manifest::Entry& entry) {
    return "tables/" + lsm::table_name(entry.table.number);
  }
  std::string manifest_name() {
    return "tables/" + lsm::manifest_name(rig_.inspect()->tables.newest()->number);
  }

  DamageRig rig_{Engine::kDisk};
};

TEST_F(TableSurveyTest, FindsNothingWrongWithASoundDirectory) {
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound()) << found.damages.front().path << found.damages.front().what;
  EXPECT_EQ(found.remarks.size(), 0U);
  EXPECT_EQ(found.format, "ashlar directory 1 disk");
  EXPECT_EQ(found.engine, Engine::kDisk);
  EXPECT_FALSE(found.checkpoint.has_value());
  ASSERT_TRUE(found.tables.has_value());
  EXPECT_GT(found.tables->total().table_count, 2U);
  EXPECT_EQ(found.tables->sound_table_count, found.tables->total().table_count);
  EXPECT_EQ(found.log.begin, found.tables->origin);
  EXPECT_EQ(found.tables->total().row_count + found.log.frame_count, 301U)
      << "each row is in a table or behind them, and the close";
  EXPECT_GT(found.checked_bytes, found.tables->total().file_bytes);
}

// I1
TEST_F(TableSurveyTest, ChangesNothing) {
  const auto before = rig_.disk_->clone();
  const std::vector<std::string> names = rig_.names_in("tables");
  ASSERT_TRUE(rig_.inspect().has_value());
  EXPECT_EQ(rig_.names_in("tables"), names);
  for (const std::string& name : names) {
    const std::string path = DamageRig::at("tables/" + name);
    EXPECT_EQ(rig_.disk_->read_all(path), before->read_all(path));
  }
}

// I10: whichever byte of whichever table.
TEST_F(TableSurveyTest, FindsDamageWhereverInATableItIs) {
  const lsm::Manifest content = manifest();
  for (const lsm::Manifest::Entry& entry : content.tables) {
    const std::uint64_t step = std::max<std::uint64_t>(1, entry.table.file_bytes / 37);
    for (std::uint64_t offset = 0; offset < entry.table.file_bytes; offset += step) {
      rig_.flip(name_of(entry), offset);
      const auto table = survey_table(*rig_.disk_, DamageRig::at("tables"), content, entry);
      EXPECT_FALSE(table->is_sound()) << name_of(entry) << " at " << offset;
      rig_.flip(name_of(entry), offset);
    }
  }
}

TEST_F(TableSurveyTest, TellsTheKeysThatADamagedBlockCosts) {
  const lsm::Manifest content = manifest();
  const auto entry = std::ranges::max_element(
      content.tables, {}, [](const auto& table) { return table.table.file_bytes; });
  rig_.flip(name_of(*entry), 100);
  const auto table = survey_table(*rig_.disk_, DamageRig::at("tables"), content, *entry);
  ASSERT_EQ(table->lost_blocks, std::vector<std::size_t>{0});
  ASSERT_EQ(table->lost_keys.size(), 1U);
  EXPECT_EQ(table->lost_keys[0].from, entry->table.smallest);
  EXPECT_LT(table->lost_keys[0].to, entry->table.largest);
  EXPECT_FALSE(table->lost_keys[0].has_to) << "the next block begins with it";
  EXPECT_GT(table->lost_row_count, 0U);
  EXPECT_LT(table->lost_row_count, entry->table.row_count);
  const DirectoryReport found = report();
  ASSERT_EQ(found.damages.size(), 1U);
  EXPECT_EQ(found.damages[0].path, DamageRig::at(name_of(*entry)));
  EXPECT_EQ(found.damages[0].offset, 0U);
  EXPECT_EQ(found.damages[0].what, "block 0 is damaged");
}

TEST_F(TableSurveyTest, MissesATableThatTheManifestNames) {
  const lsm::Manifest::Entry entry = manifest().tables.back();
  rig_.remove(name_of(entry));
  const DirectoryReport found = report();
  ASSERT_EQ(found.damages.size(), 1U);
  EXPECT_EQ(found.damages[0].path, DamageRig::at(name_of(entry)));
  EXPECT_EQ(found.damages[0].what, "the file is missing");
  EXPECT_FALSE(rig_.open().has_value());
}

TEST_F(TableSurveyTest, TakesAnotherTableForNoneOfItsOwn) {
  const lsm::Manifest content = manifest();
  const std::string bytes = rig_.disk_->read_all(DamageRig::at(name_of(content.tables[0])));
  rig_.remove(name_of(content.tables[1]));
  rig_.create(name_of(content.tables[1]), bytes);
  EXPECT_FALSE(report().is_sound());
}

TEST_F(TableSurveyTest, ToleratesWhatAnOpeningRemoves) {
  rig_.create("tables/0000009999.table", "left over");
  rig_.create("tables/unfinished-manifest", "cut sh");
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound());
  EXPECT_EQ(found.remarks.size(), 2U);
  EXPECT_EQ(found.tables->stranger_count, 1U);
  EXPECT_EQ(rig_.rows(), DamageRig::rows_up_to(300));
  EXPECT_EQ(report().remarks.size(), 0U);
}

TEST_F(TableSurveyTest, RemarksOnWhatDoesNotBelongThere) {
  rig_.create("tables/letter.txt", "dear");
  ASSERT_TRUE(os::make_directory(*rig_.disk_, DamageRig::at("checkpoint")).has_value());
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound());
  ASSERT_EQ(found.remarks.size(), 2U);
  EXPECT_EQ(found.remarks[0].path, DamageRig::at("checkpoint"));
  EXPECT_EQ(found.remarks[1].path, DamageRig::at("tables/letter.txt"));
}

TEST_F(TableSurveyTest, TellsADamagedManifestByItsOffset) {
  const std::string name = manifest_name();
  rig_.flip(name, 90);
  const DirectoryReport found = report();
  ASSERT_EQ(found.damages.size(), 1U);
  EXPECT_EQ(found.damages[0].path, DamageRig::at(name));
  EXPECT_EQ(found.damages[0].what, "the checksum is another one");
  EXPECT_TRUE(found.tables.has_value()) << "one bit is set right";
  EXPECT_FALSE(rig_.open().has_value());
}

TEST_F(TableSurveyTest, MissesAManifestWhereThereAreTables) {
  rig_.remove(manifest_name());
  const DirectoryReport found = report();
  ASSERT_FALSE(found.damages.empty());
  EXPECT_EQ(found.damages[0].path, DamageRig::at("tables"));
  EXPECT_FALSE(found.tables.has_value());
  const std::vector<std::string> names = rig_.names_in("tables");
  const auto opened = rig_.open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(rig_.names_in("tables"), names) << "no table was taken for a leftover";
}

TEST_F(TableSurveyTest, HoldsTheLogAgainstTheManifest) {
  const std::uint64_t last = report().log.last_segment;
  for (std::uint64_t number = report().log.first_segment; number <= last; ++number) {
    rig_.remove("log/" + log::segment_name(number));
  }
  const DirectoryReport found = report();
  ASSERT_FALSE(found.damages.empty());
  EXPECT_NE(found.damages[0].what.find("the log is missing from position"), std::string::npos);
}

TEST(TableSurvey, IsOfAFolderThatMayBeMissing) {
  os::SimulatedDisk disk;
  DirectoryReport report;
  const auto survey = survey_tables(disk, "/none", report);
  ASSERT_TRUE(survey.has_value());
  EXPECT_EQ(survey->newest(), nullptr);
  EXPECT_TRUE(report.is_sound());
}

TEST(TableSurvey, ShowsKeysOfAnyBytes) {
  EXPECT_EQ(text_of_key("user:1"), "\"user:1\"");
  EXPECT_EQ(text_of_key(std::string_view("\0\"\\\xff", 4)), "\"\\x00\\\"\\\\\\xff\"");
  EXPECT_EQ(text_of_key(std::string(65, 'k')), "\"" + std::string(64, 'k') + "\"... (65 bytes)");
  EXPECT_EQ(text_of(KeyRange{.from = "a", .to = "b"}), "from \"a\" to \"b\"");
  EXPECT_EQ(text_of(KeyRange{.from = "a", .to = "b", .has_to = false}),
            "from \"a\" up to before \"b\"");
}

}  // namespace
}  // namespace ashlar::db
