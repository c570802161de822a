// What `ashlar check` relies on: a directory without damage opens, damage is told by file and
// offset, what is normal is no damage, and looking changes nothing (I1, I3).

#include "db/inspection/inspect.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "db/inspection/damage_rig_test.h"

namespace ashlar::db {
namespace {

class InspectTest : public ::testing::Test {
 protected:
  // 100 rows in a checkpoint, 100 behind it: some three segments of log.
  void SetUp() override { rig_.write(0, 200, 100, DamageRig::End::kClose); }

  DirectoryReport report() {
    const auto found = rig_.inspect();
    EXPECT_TRUE(found.has_value()) << found.error().message();
    return found ? found->report : DirectoryReport{};
  }

  /// Expects damage in `name` at `offset`, and that an opening is refused with the two named and
  /// the command that helps.
  void expect_damage(std::string_view name, std::uint64_t offset, std::string_view what) {
    const DirectoryReport found = report();
    ASSERT_FALSE(found.damages.empty());
    EXPECT_EQ(found.damages[0].path, DamageRig::at(name));
    EXPECT_EQ(found.damages[0].offset, offset);
    EXPECT_NE(found.damages[0].what.find(what), std::string::npos) << found.damages[0].what;
    expect_refusal(name);
  }
  void expect_refusal(std::string_view name) {
    const auto opened = rig_.open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
    const std::string message(opened.error().message());
    EXPECT_NE(message.find(DamageRig::at(name)), std::string::npos) << message;
    EXPECT_NE(message.find("`ashlar repair /data`"), std::string::npos) << message;
  }

  DamageRig rig_;
};

TEST_F(InspectTest, FindsNothingWrongWithASoundDirectory) {
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound());
  EXPECT_EQ(found.remarks.size(), 0U);
  EXPECT_EQ(found.format, "ashlar directory 1");
  ASSERT_TRUE(found.checkpoint.has_value());
  EXPECT_EQ(found.checkpoint->row_count, 100U);
  EXPECT_EQ(found.checkpoint->number, 1U);
  EXPECT_EQ(found.log.frame_count, 101U) << "100 commits and the close";
  EXPECT_TRUE(found.log.is_closed);
  EXPECT_EQ(found.log.torn_bytes, 0U);
  EXPECT_GT(found.log.segment_count, 2U);
  EXPECT_EQ(found.log.begin, found.checkpoint->origin);
  EXPECT_EQ(found.log.moment_ms, 1'000'000);
  EXPECT_GT(found.checked_bytes, 100'000U);
}

// I1: not one call that changes anything, so the disk is the same after a power cut.
TEST_F(InspectTest, ChangesNothing) {
  const auto before = rig_.disk_->clone();
  ASSERT_TRUE(rig_.inspect().has_value());
  for (const char* name : {"LOCK", "FORMAT", "log/ring", "checkpoint/0000000001.checkpoint"}) {
    EXPECT_EQ(rig_.disk_->read_all(DamageRig::at(name)), before->read_all(DamageRig::at(name)));
  }
  const auto names = os::list_directory(*rig_.disk_, DamageRig::at("log"));
  EXPECT_EQ(*names, *os::list_directory(*before, DamageRig::at("log")));
}

TEST_F(InspectTest, IsRefusedWhileTheDatabaseIsOpen) {
  const auto db = rig_.open();
  ASSERT_TRUE(db.has_value());
  EXPECT_EQ(rig_.inspect().error().code(), ErrorCode::kUnavailable);
}

TEST_F(InspectTest, TakesATornEndForNormal) {
  rig_.write(200, 204, -1, DamageRig::End::kKill);
  const std::uint64_t end = report().log.end;
  EXPECT_TRUE(report().is_sound());
  EXPECT_FALSE(report().log.is_closed);
  // What was in the ring only, torn: the frame before the last.
  auto db = rig_.open();
  const std::string value(600, 'x');
  ASSERT_TRUE(db->put("a", value, Expiry::never(), Durability::kProcess).has_value());
  ASSERT_TRUE(db->put("b", value, Expiry::never(), Durability::kProcess).has_value());
  rig_.disk_->crash_process();
  const std::uint64_t ring_bytes =
      rig_.disk_->read_all(DamageRig::at("log/ring")).size() - os::kBlockBytes;
  rig_.flip("log/ring", (end + 100) % ring_bytes);
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound()) << found.damages[0].what;
  EXPECT_GT(found.log.torn_bytes, 0U);
  EXPECT_EQ(found.log.later_frame_count, 1U);
  ASSERT_EQ(found.remarks.size(), 1U);
  EXPECT_NE(found.remarks[0].what.find("torn"), std::string::npos);
  EXPECT_TRUE(rig_.open().has_value());
}

TEST_F(InspectTest, NamesWhatDoesNotBelong) {
  rig_.create("letter.txt", "dear");
  rig_.create("log/old.log", "x");
  ASSERT_TRUE(os::make_directory(*rig_.disk_, DamageRig::at("0000000001.aside")).has_value());
  const DirectoryReport found = report();
  EXPECT_TRUE(found.is_sound());
  ASSERT_EQ(found.remarks.size(), 3U);
  EXPECT_EQ(found.remarks[0].path, DamageRig::at("0000000001.aside"));
  EXPECT_EQ(found.remarks[1].path, DamageRig::at("letter.txt"));
  EXPECT_EQ(found.remarks[2].path, DamageRig::at("log/old.log"));
}

TEST_F(InspectTest, FindsADamagedBlockOfTheCheckpoint) {
  rig_.flip("checkpoint/0000000001.checkpoint", 70);
  expect_damage("checkpoint/0000000001.checkpoint", 48, "block 0");
}

TEST_F(InspectTest, FindsADamagedHeaderOfTheCheckpoint) {
  rig_.flip("checkpoint/0000000001.checkpoint", 17);
  expect_damage("checkpoint/0000000001.checkpoint", 0, "header");
}

TEST_F(InspectTest, FindsACheckpointThatWasCut) {
  rig_.truncate("checkpoint/0000000001.checkpoint", 90);
  expect_damage("checkpoint/0000000001.checkpoint", 48, "nothing can be read from block 0 on");
}

TEST_F(InspectTest, FindsADamagedFrame) {
  const auto segments = report().log;
  const std::string name = "log/" + log::segment_name(segments.last_segment - 1);
  rig_.flip(name, 4096 + 9000);
  const DirectoryReport found = report();
  ASSERT_FALSE(found.damages.empty());
  EXPECT_EQ(found.damages[0].path, DamageRig::at(name));
  EXPECT_LE(found.damages[0].offset, 4096U + 9000);
  EXPECT_GT(found.damages[0].offset, 4096U + 9000 - 1200);
  EXPECT_GT(found.log.later_frame_count, 10U);
  expect_refusal(name);
}

TEST_F(InspectTest, FindsADamagedHeaderOfASegment) {
  const std::string name = "log/" + log::segment_name(report().log.last_segment);
  rig_.flip(name, 33);
  expect_damage(name, 0, "header");
}

TEST_F(InspectTest, FindsASegmentThatIsMissing) {
  const std::string name = "log/" + log::segment_name(report().log.last_segment - 1);
  rig_.remove(name);
  const DirectoryReport found = report();
  ASSERT_FALSE(found.damages.empty());
  EXPECT_EQ(found.damages[0].path, DamageRig::at(name));
  expect_refusal("log");
}

TEST_F(InspectTest, FindsASegmentThatWasCut) {
  const std::string name = "log/" + log::segment_name(report().log.last_segment - 1);
  rig_.truncate(name, 4096 + 8192);
  const DirectoryReport found = report();
  ASSERT_FALSE(found.damages.empty());
  EXPECT_EQ(found.damages[0].path, DamageRig::at(name));
  EXPECT_EQ(found.damages[0].offset, 4096U + 8192);
  expect_refusal(name);
}

TEST_F(InspectTest, FindsThatTheRingIsMissing) {
  rig_.write(200, 210, -1, DamageRig::End::kKill);
  rig_.remove("log/ring");
  ASSERT_EQ(report().damages.size(), 1U);
  EXPECT_EQ(report().damages[0].path, DamageRig::at("log/ring"));
}

// I3: the checkpoint has all that the segments have, and the ring had a commit more, which was
// acknowledged.
TEST_F(InspectTest, FindsThatTheRingIsMissingBehindACheckpoint) {
  {
    auto db = rig_.open();
    ASSERT_TRUE(db->checkpoint().has_value());
    ASSERT_TRUE(db->put("a", "b", Expiry::never(), Durability::kProcess).has_value());
    rig_.disk_->crash_process();
  }
  rig_.remove("log/ring");
  EXPECT_EQ(report().log.frame_count, 0U);
  expect_damage("log/ring", 0, "missing");
}

TEST_F(InspectTest, FindsThatTheCheckpointIsMissing) {
  rig_.remove("checkpoint/0000000001.checkpoint");
  const std::uint64_t first = report().log.first_segment;
  if (first == 1) GTEST_SKIP() << "the whole log is there";
  ASSERT_FALSE(report().is_sound());
  expect_refusal("log");
}

TEST_F(InspectTest, FindsADamagedFormat) {
  rig_.flip("FORMAT", 3);
  expect_damage("FORMAT", 0, "nothing that is a format");
}

TEST_F(InspectTest, DoesNotJudgeAnotherFormat) {
  rig_.remove("FORMAT");
  rig_.create("FORMAT", "ashlar directory 2\n");
  EXPECT_EQ(rig_.inspect().error().code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace ashlar::db
