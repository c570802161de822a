// What truncation relies on: segments go and come again, and never bring old frames with them.

#include <gtest/gtest.h>

#include <string>

#include "log/log_rig_test.h"

namespace ashlar::log {
namespace {

// L1: a log that is truncated again and again stays small, and reads back from where it was cut.
TEST(LocalLogSegments, UsesSegmentsAgain) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  Start kept;
  for (int round = 0; round < 30; ++round) {
    kept = rig.log_->end();
    for (int i = 0; i < 50; ++i) rig.append(std::to_string(round) + std::string(1000, 'x'));
    ASSERT_TRUE(rig.log_->durable(rig.log_->end().position).has_value());
    ASSERT_TRUE(rig.log_->truncate_before(kept.position).has_value());
    const auto names = os::list_directory(rig.disk_, rig.path());
    ASSERT_TRUE(names.has_value());
    EXPECT_LE(names->size(), 7U) << "two or three in use, two spare, one ahead, the ring";
  }
  rig.crash();
  const auto opened = rig.open(kept);
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  ASSERT_EQ(rig.replayed_.size(), 50U);
  EXPECT_EQ(rig.replayed_.front().substr(0, 2), "29");
}

// A segment that was being made when the process ended is made again.
TEST(LocalLogSegments, ForgetsASegmentInTheMaking) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  rig.append("commit");
  rig.crash();
  auto file = os::File::open(rig.disk_, rig.segment_path(2), os::OpenMode::kCreate);
  ASSERT_TRUE(file.has_value());
  ASSERT_TRUE((*file)->allocate(10'000).has_value());
  const auto opened = rig.open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message();
  EXPECT_EQ(rig.replayed_.size(), 1U);
}

}  // namespace
}  // namespace ashlar::log
