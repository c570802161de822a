// What opening must tell apart: the torn end of what nobody was promised, and damage to what was
// durable.

#include <gtest/gtest.h>

#include <string>

#include "log/log_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::log {
namespace {

constexpr int kCommits = 40;

/// A log of durable commits, closed in order.
void fill_and_close(LogRig& rig) {
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < kCommits; ++i) {
    const Position end = rig.append("commit " + std::to_string(i) + std::string(200, '.'));
    ASSERT_TRUE(rig.log_->durable(end).has_value());
  }
  ASSERT_TRUE(rig.log_->close().has_value());
  rig.crash();
}

// L3: one flipped bit in what was durable is refused, or harmless; never a commit less or another.
TEST(LocalLogOpen, RefusesDamageToWhatWasDurable) {
  testing::Random random(testing::seed());
  LogRig rig;
  fill_and_close(rig);
  const std::uint64_t used_bytes = os::kBlockBytes + kCommits * 250;
  int refused_count = 0;
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t offset = random.below(used_bytes);
    const auto bit = static_cast<unsigned>(random.below(8));
    rig.flip(rig.segment_path(1), offset, bit);
    const auto opened = rig.open();
    if (opened) {
      ASSERT_EQ(rig.replayed_.size(), static_cast<std::size_t>(kCommits)) << offset;
      rig.crash();
    } else {
      ++refused_count;
      EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
      EXPECT_NE(opened.error().message().find("0000000001.log"), std::string_view::npos);
    }
    rig.flip(rig.segment_path(1), offset, bit);
  }
  EXPECT_GT(refused_count, 20);
}

// L1: frames of a torn end never come back behind new ones.
TEST(LocalLogOpen, ForgetsATornEnd) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  rig.append("first");
  const Position torn = rig.log_->end().position;
  rig.append("torn");
  rig.append("behind");
  rig.crash();
  // Only the ring has them: without its first bytes they are the torn end.
  rig.flip(rig.path() + "/ring", torn + 40 - 8, 0);
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_EQ(rig.replayed_, (std::vector<std::string>{"first"}));
  EXPECT_GT(rig.report_.torn_bytes, 0U);
  rig.append("anew");
  rig.crash();
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_EQ(rig.replayed_, (std::vector<std::string>{"first", "anew"}));
}

// A log whose beginning is asked for and is not there is refused.
TEST(LocalLogOpen, RefusesALogThatIsMissing) {
  LogRig rig;
  const auto opened = rig.open({.position = 4096, .chain = 1, .commit = 5});
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
}

// Opening begins at a place between frames and replays what comes after.
TEST(LocalLogOpen, BeginsWhereItIsTold) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  rig.append("before");
  const Start start = rig.log_->end();
  rig.append("after");
  rig.crash();
  ASSERT_TRUE(rig.open(start).has_value());
  EXPECT_EQ(rig.replayed_, (std::vector<std::string>{"after"}));
}

}  // namespace
}  // namespace ashlar::log
