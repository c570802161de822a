// I14: what looking at a directory says of the values that stand apart from their rows.

#include "db/inspection/value_survey.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "db/inspection/damage_rig_test.h"

namespace ashlar::db {
namespace {

struct ValueSurveyTest : ::testing::Test {
  ValueSurveyTest() {
    rig_.large_value_bytes_ = 64;
    rig_.write(0, 300, 250, DamageRig::End::kClose);
  }

  /// The one damage that there is, in words.
  std::string damage() {
    const auto found = rig_.inspect();
    EXPECT_TRUE(found.has_value()) << found.error().message();
    EXPECT_EQ(found->report.damages.size(), 1U);
    if (found->report.damages.empty()) return "";
    const Damage& first = found->report.damages.front();
    return first.path + " at " + std::to_string(first.offset) + ": " + first.what;
  }
  std::string first_piece() { return "values/" + rig_.names_in("values").front(); }

  DamageRig rig_{Engine::kDisk};
};

TEST_F(ValueSurveyTest, FindsNothingWrongAndTellsHowMuchThereIs) {
  const auto found = rig_.inspect();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->report.is_sound());
  ASSERT_TRUE(found->report.values.has_value());
  EXPECT_EQ(found->report.values->file_count, rig_.names_in("values").size());
  EXPECT_GT(found->report.values->live_bytes, 100'000U);
  EXPECT_LT(found->report.values->live_bytes, found->report.values->file_bytes);
}

TEST_F(ValueSurveyTest, NamesTheValueThatIsDamaged) {
  const std::string name = first_piece();
  const std::size_t at = rig_.disk_->read_all(DamageRig::at(name)).find("17vvvv");
  ASSERT_NE(at, std::string::npos);
  rig_.flip(name, at + 100);
  const std::string told = damage();
  EXPECT_TRUE(told.starts_with(DamageRig::at(name) + " at " + std::to_string(at) +
                               ": the value is damaged, and /data/tables/"))
      << told;
}

TEST_F(ValueSurveyTest, FindsDamageInWhatTheLogStillHas) {
  const auto segments = rig_.names_in("log");
  const std::string name = "log/" + segments.front();
  const std::string content = rig_.disk_->read_all(DamageRig::at(name));
  const std::size_t at = content.find("vvvvvvvvvvvvvvvvvvvv");
  ASSERT_NE(at, std::string::npos);
  rig_.flip(name, at);
  const auto found = rig_.inspect();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(std::ranges::any_of(found->report.damages, [](const Damage& damage) {
    return damage.what.starts_with("the value is damaged");
  }));
}

TEST_F(ValueSurveyTest, MissesAPieceThatIsGone) {
  rig_.remove(first_piece());
  const auto found = rig_.inspect();
  ASSERT_TRUE(found.has_value());
  ASSERT_FALSE(found->report.is_sound());
  EXPECT_NE(found->report.damages.front().what.find("is missing"), std::string::npos);
}

TEST_F(ValueSurveyTest, RemarksOnWhatNothingRefersTo) {
  rig_.create("values/letter", "from a stranger");
  rig_.create("tables/0000009999.values", "was being collected");
  const auto found = rig_.inspect();
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->report.is_sound());
  EXPECT_EQ(found->report.remarks.size(), 2U);
}

}  // namespace
}  // namespace ashlar::db
