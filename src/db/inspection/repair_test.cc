// What somebody relies on whose data are damaged: repair keeps all that it can, destroys nothing,
// ends in a directory that opens, and
// stays so (I8).

#include "db/inspection/repair.h"

#include <gtest/gtest.h>

#include <string>

#include "db/inspection/damage_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

using Rows = DamageRig::Rows;

class RepairTest : public ::testing::Test {
 protected:
  // 100 rows in a checkpoint, 100 behind it.
  void SetUp() override {
    rig_.write(0, 200, 100, DamageRig::End::kClose);
    sound_ = rig_.disk_->clone();
  }

  RepairOutcome repair(RepairMode mode = RepairMode::kApply) {
    auto outcome = db::repair(*rig_.disk_, DamageRig::kPath, mode, 99);
    EXPECT_TRUE(outcome.has_value()) << outcome.error().message();
    return outcome ? std::move(*outcome) : RepairOutcome{};
  }

  /// Repairs, and expects a directory that is sound, stays so, and opens. Returns its rows
  Rows rows_after_repair() {
    EXPECT_FALSE(rig_.open().has_value());
    repair();
    EXPECT_TRUE(rig_.inspect()->report.is_sound());
    EXPECT_TRUE(repair().moved.empty()) << "a second repair has nothing to do";
    return rig_.rows();
  }

  std::string segment(std::uint64_t from_last) {
    return "log/" + log::segment_name(rig_.inspect()->report.log.last_segment - from_last);
  }

  /// How many of `rows` are those of the first `count` keys; the others must be those too.
  static int prefix_count(const Rows& rows) {
    const int count = static_cast<int>(rows.size());
    EXPECT_EQ(rows, DamageRig::rows_up_to(count)) << "all up to some commit, and none behind it";
    return count;
  }

  DamageRig rig_;
  std::unique_ptr<os::SimulatedDisk> sound_;
};

TEST_F(RepairTest, LeavesASoundDirectoryAsItIs) {
  const std::string ring = rig_.disk_->read_all(DamageRig::at("log/ring"));
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(outcome.before.is_sound());
  EXPECT_TRUE(outcome.aside.empty());
  EXPECT_EQ(rig_.disk_->read_all(DamageRig::at("log/ring")), ring);
  EXPECT_EQ(prefix_count(rig_.rows()), 200);
}

TEST_F(RepairTest, KeepsTheLogUpToADamagedFrame) {
  rig_.flip(segment(1), 4096 + 9000);
  const std::string damaged = rig_.disk_->read_all(DamageRig::at(segment(1)));
  const std::string name = segment(1);
  const RepairOutcome planned = repair(RepairMode::kPlan);
  EXPECT_FALSE(planned.losses.empty());
  EXPECT_FALSE(rig_.open().has_value()) << "a plan changes nothing";
  const int count = prefix_count(rows_after_repair());
  EXPECT_GT(count, 120);
  EXPECT_LT(count, 200);
  std::string flat = name;
  flat[3] = '-';
  EXPECT_EQ(rig_.disk_->read_all(DamageRig::at("0000000001.aside/" + flat)), damaged);
  const std::string report = rig_.disk_->read_all(DamageRig::at("0000000001.aside/REPORT"));
  EXPECT_NE(report.find("a frame is damaged that was durable"), std::string::npos);
  EXPECT_NE(report.find("later frames"), std::string::npos);
}

TEST_F(RepairTest, LosesNothingToADamagedHeaderOfASegment) {
  for (std::uint64_t from_last = 0; from_last < 3; ++from_last) {
    rig_.disk_ = sound_->clone();
    rig_.flip(segment(from_last), 40);
    EXPECT_EQ(prefix_count(rows_after_repair()), 200) << from_last;
  }
}

TEST_F(RepairTest, KeepsTheLogUpToASegmentThatIsMissing) {
  rig_.remove(segment(1));
  const int count = prefix_count(rows_after_repair());
  EXPECT_GE(count, 100);
  EXPECT_LT(count, 200);
}

TEST_F(RepairTest, KeepsTheLogUpToWhereASegmentWasCut) {
  rig_.truncate(segment(1), 4096 + 8192);
  const int count = prefix_count(rows_after_repair());
  EXPECT_GT(count, 100);
  EXPECT_LT(count, 200);
}

TEST_F(RepairTest, KeepsWhatOnlyTheRingHad) {
  rig_.write(200, 201, -1, DamageRig::End::kClose);
  {
    auto db = rig_.open();
    for (int i = 201; i < 206; ++i) {
      ASSERT_TRUE(
          db->put(DamageRig::key(i), DamageRig::value(i), Expiry::never(), Durability::kProcess)
              .has_value());
    }
    rig_.disk_->crash_process();
  }
  rig_.flip(segment(0), 40);  // A header; the frames are all there.
  EXPECT_EQ(prefix_count(rows_after_repair()), 206);
}

// I9: what the ring has whole is put back into the segment, and nothing is lost.
TEST_F(RepairTest, PutsBackWhatOnlyTheRingHasStill) {
  const DirectoryReport report = rig_.inspect()->report;
  const auto place = rig_.inspect()->log.runs()[0].find_place(report.log.end - 1500);
  rig_.flip(place->path.substr(DamageRig::at("").size()), place->offset);
  EXPECT_FALSE(rig_.inspect()->report.is_sound());
  const RepairOutcome outcome = repair();
  EXPECT_TRUE(outcome.losses.empty());
  EXPECT_FALSE(outcome.moved.empty());
  EXPECT_TRUE(rig_.inspect()->report.is_sound());
  EXPECT_EQ(prefix_count(rig_.rows()), 200);
}

TEST_F(RepairTest, BeginsALogAnewWhenNothingIsLeftOfIt) {
  const std::uint64_t last = rig_.inspect()->report.log.last_segment;
  for (std::uint64_t number = rig_.inspect()->report.log.first_segment; number <= last; ++number) {
    rig_.remove("log/" + log::segment_name(number));
  }
  EXPECT_EQ(prefix_count(rows_after_repair()), 100);
  rig_.write(100, 140, 120, DamageRig::End::kClose);
  EXPECT_EQ(prefix_count(rig_.rows()), 140) << "and goes on from there";
}

TEST_F(RepairTest, KeepsTheBlocksOfACheckpointThatCanBeRead) {
  DamageRig large;
  large.write(0, 2, -1, DamageRig::End::kClose);
  testing::Random random(testing::seed());
  Rows expected;
  {
    auto db = large.open();
    for (int i = 0; i < 300; ++i) {
      const std::string value = random.bytes(1000);
      ASSERT_TRUE(db->put(DamageRig::key(i), value).has_value());
      expected[DamageRig::key(i)] = value;
    }
    ASSERT_TRUE(db->checkpoint().has_value());
    for (int i = 300; i < 310; ++i) {
      ASSERT_TRUE(db->put(DamageRig::key(i), DamageRig::value(i)).has_value());
      expected[DamageRig::key(i)] = DamageRig::value(i);
    }
    ASSERT_TRUE(db->close().has_value());
  }
  large.flip("checkpoint/0000000001.checkpoint", 100'000);
  rig_.disk_ = large.disk_->clone();
  EXPECT_NE(rig_.inspect()->report.log.first_segment, 1U) << "the log alone is not enough";
  const Rows rows = rows_after_repair();
  EXPECT_LT(rows.size(), 310U);
  EXPECT_GT(rows.size(), 200U);
  for (const auto& [key, value] : rows) ASSERT_EQ(value, expected.at(key));
  for (int i = 300; i < 310; ++i) EXPECT_TRUE(rows.contains(DamageRig::key(i)));
}

TEST_F(RepairTest, NeedsNoCheckpointWhenTheLogIsWhole) {
  DamageRig small;
  small.write(0, 20, 10, DamageRig::End::kClose);
  ASSERT_EQ(small.inspect()->report.log.first_segment, 1U);
  small.flip("checkpoint/0000000001.checkpoint", 60);
  rig_.disk_ = small.disk_->clone();
  EXPECT_EQ(prefix_count(rows_after_repair()), 20);
}

TEST_F(RepairTest, ReadsACheckpointWithoutItsHeader) {
  rig_.flip("checkpoint/0000000001.checkpoint", 20);
  EXPECT_EQ(prefix_count(rows_after_repair()), 200);
}

TEST_F(RepairTest, WritesTheFormatAnew) {
  rig_.flip("FORMAT", 2);
  EXPECT_EQ(prefix_count(rows_after_repair()), 200);
  rig_.remove("FORMAT");
  EXPECT_EQ(prefix_count(rows_after_repair()), 200);
}

TEST_F(RepairTest, DoesNotTouchAnotherFormat) {
  rig_.remove("FORMAT");
  rig_.create("FORMAT", "ashlar directory 2\n");
  const auto refused = db::repair(*rig_.disk_, DamageRig::kPath, RepairMode::kApply, 99);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(RepairTest, IsRefusedWhileTheDatabaseIsOpen) {
  const auto db = rig_.open();
  const auto refused = db::repair(*rig_.disk_, DamageRig::kPath, RepairMode::kApply, 99);
  EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
}

TEST_F(RepairTest, NumbersWhatItPutsAside) {
  rig_.flip(segment(0), 40);
  repair();
  rig_.flip(segment(0), 40);
  EXPECT_EQ(repair().aside, DamageRig::at("0000000002.aside"));
  EXPECT_EQ(prefix_count(rig_.rows()), 200);
}

// A plan made before the steps of a repair that was stopped would tell of losses that are none.
TEST_F(RepairTest, PlansTheStepsOfOneThatWasStoppedBeforeAllElse) {
  rig_.flip(segment(0), 40);
  const auto damaged = rig_.disk_->clone();
  std::uint64_t call = 0;
  do {
    rig_.disk_ = damaged->clone();
    rig_.disk_->stop_before(++call);
    ASSERT_FALSE(db::repair(*rig_.disk_, DamageRig::kPath, RepairMode::kApply, 99).has_value());
    rig_.disk_->crash_process();
  } while (read_format(*rig_.disk_, DamageRig::kPath)->state != FormatState::kUnderRepair);
  const std::string format = rig_.disk_->read_all(DamageRig::at("FORMAT"));
  const RepairOutcome planned = repair(RepairMode::kPlan);
  ASSERT_FALSE(planned.pending.empty());
  EXPECT_TRUE(planned.pending[0].starts_with("replace log/")) << planned.pending[0];
  EXPECT_TRUE(planned.losses.empty() && planned.moved.empty() && planned.before.is_sound());
  EXPECT_EQ(rig_.disk_->read_all(DamageRig::at("FORMAT")), format) << "a plan changes nothing";
  EXPECT_TRUE(repair().was_taken_up);
  EXPECT_EQ(prefix_count(rig_.rows()), 200);
}

// What was put aside belongs to the user, whatever they did with it.
TEST_F(RepairTest, NeverWritesIntoWhatWasPutAsideBefore) {
  rig_.flip(segment(0), 40);
  const RepairOutcome first = repair();
  ASSERT_EQ(first.aside, DamageRig::at("0000000001.aside"));
  rig_.remove("0000000001.aside/REPORT");
  const std::string kept = "0000000001.aside/log-ring";
  const std::string before = rig_.disk_->read_all(DamageRig::at(kept));
  rig_.write(200, 210, -1, DamageRig::End::kClose);
  rig_.flip(segment(0), 40);
  EXPECT_EQ(repair().aside, DamageRig::at("0000000002.aside"));
  EXPECT_EQ(rig_.disk_->read_all(DamageRig::at(kept)), before);
}

}  // namespace
}  // namespace ashlar::db
