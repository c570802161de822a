// What repair relies on: the plan keeps a prefix of the commits and names all that it does not keep
// (I6).

#include "db/inspection/repair_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "db/inspection/damage_rig_test.h"

namespace ashlar::db {
namespace {

class RepairPlanTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.write(0, 200, 100, DamageRig::End::kClose); }

  RepairPlan plan() {
    const auto inspection = rig_.inspect();
    EXPECT_FALSE(inspection->report.is_sound());
    return *plan_repair(*inspection, 99);
  }
  std::string segment(std::uint64_t from_last) {
    return "log/" + log::segment_name(rig_.inspect()->report.log.last_segment - from_last);
  }
  static bool has(const std::vector<std::string>& lines, const std::string& part) {
    return std::ranges::any_of(
        lines, [&](const std::string& line) { return line.find(part) != std::string::npos; });
  }

  DamageRig rig_;
};

TEST_F(RepairPlanTest, PutsAsideWhateverItReplacesOrRemoves) {
  rig_.flip(segment(1), 4096 + 9000);
  const RepairPlan found = plan();
  EXPECT_EQ(found.segments.size(), 1U);
  EXPECT_EQ(found.segments[0].name, segment(1));
  EXPECT_TRUE(has(found.removed, segment(0)));
  EXPECT_FALSE(found.checkpoint.has_value());
  for (const RepairStep& step : found.steps().list) EXPECT_TRUE(has(found.aside, step.name));
}

TEST_F(RepairPlanTest, TellsWhichCommitsAreNotUsed) {
  rig_.flip(segment(1), 4096 + 9000);
  const RepairPlan found = plan();
  EXPECT_TRUE(has(found.losses, "to 201, are whole and not used"));
  EXPECT_TRUE(has(found.losses, "cannot be read from position"));
}

TEST_F(RepairPlanTest, TellsHowManyRowsOfACheckpointAreLeft) {
  rig_.flip("checkpoint/0000000001.checkpoint", 70);
  const RepairPlan found = plan();
  EXPECT_TRUE(has(found.losses, "0 rows of the checkpoint are left of 100"));
  EXPECT_TRUE(has(found.losses, "block 0 is damaged"));
  EXPECT_TRUE(found.segments.empty()) << "nothing is wrong with the log";
}

TEST_F(RepairPlanTest, LowersTheEndOfACheckpointThatTheLogDoesNotReach) {
  for (std::uint64_t i = rig_.inspect()->report.log.first_segment;
       i <= rig_.inspect()->report.log.last_segment; ++i) {
    rig_.disk_->overwrite(DamageRig::at("log/" + log::segment_name(i)), 0, std::string(8192, 'x'));
  }
  const RepairPlan found = plan();
  for (const NewSegment& segment : found.segments) {
    EXPECT_EQ(segment.header.log_bytes % os::kBlockBytes, 0U);
  }
  if (found.checkpoint) {
    EXPECT_LE(found.checkpoint->end, found.segments.front().header.end());
  }
}

TEST_F(RepairPlanTest, OnlyWritesADamagedFormatAnew) {
  rig_.flip("FORMAT", 1);
  const RepairPlan found = plan();
  EXPECT_TRUE(found.steps().list.empty());
  EXPECT_TRUE(found.losses.empty());
  EXPECT_EQ(found.aside, std::vector<std::string>{"FORMAT"});
}

}  // namespace
}  // namespace ashlar::db
