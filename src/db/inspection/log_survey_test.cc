// What repair relies on: a lost header is found again where nothing else could have stood there,
// and frames are counted once, wherever they lie (I2).

#include "db/inspection/log_survey.h"

#include <gtest/gtest.h>

#include <string>

#include "db/inspection/damage_rig_test.h"

namespace ashlar::db {
namespace {

class LogSurveyTest : public ::testing::Test {
 protected:
  void SetUp() override { rig_.write(0, 150, -1, DamageRig::End::kClose); }

  LogSurvey survey() {
    auto made = LogSurvey::make(*rig_.disk_, DamageRig::at("log"));
    EXPECT_TRUE(made.has_value());
    return made ? std::move(*made) : LogSurvey();
  }

  DamageRig rig_;
};

TEST_F(LogSurveyTest, ReadsAWholeLog) {
  const LogSurvey found = survey();
  ASSERT_EQ(found.runs().size(), 1U);
  const auto walk = found.walk({});
  ASSERT_TRUE(walk.has_value() && walk->has_value());
  EXPECT_TRUE((*walk)->is_whole());
  EXPECT_EQ((*walk)->frame_count, 151U);
  EXPECT_TRUE((*walk)->is_closed);
  EXPECT_EQ(found.count_later(0, (*walk)->end.position)->frame_count, 0U);
  const LaterFrames all = *found.count_later(0, 0);
  EXPECT_EQ(all.frame_count, 151U) << "each once, although the ring has some as well";
  EXPECT_EQ(all.first_commit, 1U);
  EXPECT_EQ(all.last_commit, 151U);
}

TEST_F(LogSurveyTest, HasNothingOfADirectoryThatIsMissing) {
  const auto made = LogSurvey::make(*rig_.disk_, DamageRig::at("nowhere"));
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(made->segments().empty());
  EXPECT_FALSE(made->has_ring());
  EXPECT_FALSE(made->walk({})->has_value());
}

TEST_F(LogSurveyTest, InfersAHeaderFromTheNeighbours) {
  for (std::size_t i = 0; i < survey().segments().size(); ++i) {
    const auto sound = rig_.disk_->clone();
    const log::SegmentHeader expected = survey().segments()[i].header;
    rig_.disk_->overwrite(survey().segments()[i].path, 0, std::string(60, 'x'));
    {
      const LogSurvey found = survey();
      ASSERT_EQ(found.segments()[i].state, SurveyedSegment::Header::kInferred) << i;
      EXPECT_EQ(found.segments()[i].header.first, expected.first);
      EXPECT_EQ(found.segments()[i].header.log_bytes, expected.log_bytes);
      EXPECT_EQ(found.segments()[i].header.log_id, expected.log_id);
      EXPECT_EQ((*found.walk({}))->frame_count, 151U);
    }
    rig_.disk_ = sound->clone();
  }
}

// The random damage that found it: a header behind a segment that was cut, as well as it.
TEST_F(LogSurveyTest, InfersAHeaderFromWhatAShortNeighbourTold) {
  const log::Position expected = survey().segments()[2].header.first;
  rig_.truncate("log/0000000002.log", 8192);
  rig_.disk_->overwrite(DamageRig::at("log/0000000003.log"), 0, std::string(60, 'x'));
  const LogSurvey found = survey();
  EXPECT_EQ(found.segments()[2].header.first, expected);
  EXPECT_TRUE((*found.walk({}))->is_cut);
}

TEST_F(LogSurveyTest, BelievesALonelyHeaderOnlyWhenFramesBearItOut) {
  DamageRig alone;
  alone.write(0, 5, -1, DamageRig::End::kClose);
  alone.flip("log/0000000001.log", 50);  // The checksum: all it says is true.
  rig_.disk_ = alone.disk_->clone();
  EXPECT_EQ(survey().segments()[0].state, SurveyedSegment::Header::kInferred);
  rig_.flip("log/0000000001.log", 17);  // The log's id: no frame is valid under another.
  EXPECT_EQ(survey().segments()[0].state, SurveyedSegment::Header::kLost);
}

// A header with a good checksum that tells of a place near 2^64, in front of one that is lost.
TEST_F(LogSurveyTest, InfersNoHeaderBeyondAllNumbers) {
  log::SegmentHeader last = survey().segments()[1].header;
  last.first = UINT64_MAX / os::kBlockBytes * os::kBlockBytes - last.log_bytes - os::kBlockBytes;
  rig_.disk_->overwrite(survey().segments()[1].path, 0, log::encode_segment_header(last));
  rig_.disk_->overwrite(survey().segments()[2].path, 0, std::string(60, 'x'));
  const LogSurvey found = survey();
  EXPECT_EQ(found.segments()[1].state, SurveyedSegment::Header::kGood);
  EXPECT_EQ(found.segments()[2].state, SurveyedSegment::Header::kLost);
}

// I9: the last frames of a log that was closed lie in the ring too; a segment that has lost one is
// damaged all the same.
TEST_F(LogSurveyTest, TellsOfAFrameThatOnlyTheRingHasStill) {
  const std::uint64_t number = survey().segments().back().number;
  const std::string name = "log/" + log::segment_name(number);
  rig_.flip(name, 4096 + 1000);
  const LogSurvey found = survey();
  const auto walk = found.walk({});
  EXPECT_TRUE((*walk)->is_whole());
  EXPECT_EQ((*walk)->frame_count, 151U) << "the ring has them";
  ASSERT_TRUE((*walk)->healed.has_value());
  EXPECT_EQ((*walk)->healed->path, DamageRig::at(name));
  EXPECT_LE((*walk)->healed->offset, 4096U + 1000);
}

TEST_F(LogSurveyTest, TellsOfASegmentThatOnlyTheRingHasStill) {
  DamageRig small;
  small.write(0, 36, -1, DamageRig::End::kClose);  // The second segment has but a few frames.
  rig_.disk_ = small.disk_->clone();
  ASSERT_EQ(survey().segments().size(), 2U);
  rig_.remove("log/0000000002.log");
  const auto walk = survey().walk({});
  ASSERT_TRUE((*walk)->healed.has_value());
  EXPECT_EQ((*walk)->healed->path, DamageRig::at("log/0000000002.log"));
}

// What a killed process had not written to a segment yet is no damage of the segment.
TEST_F(LogSurveyTest, TakesFramesThatWereNotDurableForNormal) {
  {
    auto db = rig_.open();
    for (int i = 150; i < 155; ++i) {
      ASSERT_TRUE(db->put(DamageRig::key(i), "x", Expiry::never(), Durability::kProcess));
    }
    rig_.disk_->crash_process();
  }
  const auto walk = survey().walk({});
  EXPECT_LT((*walk)->segments_end, (*walk)->end.position) << "the ring alone has the last";
  EXPECT_FALSE((*walk)->healed.has_value());
}

TEST_F(LogSurveyTest, CountsWhatLiesBehindAGap) {
  rig_.remove("log/0000000002.log");
  const LogSurvey found = survey();
  ASSERT_EQ(found.runs().size(), 2U);
  const auto walk = found.walk({});
  EXPECT_TRUE((*walk)->is_cut);
  const LaterFrames later = *found.count_later(0, (*walk)->end.position);
  EXPECT_GT(later.frame_count, 50U);
  EXPECT_LT((*walk)->frame_count + later.frame_count, 151U);
  EXPECT_EQ(later.last_commit, 151U);
}

}  // namespace
}  // namespace ashlar::db
