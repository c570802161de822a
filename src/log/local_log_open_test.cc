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
      // Closed again in half of the rounds: then the ring tells where, which must not help.
      if (round % 2 == 0) {
        ASSERT_TRUE(rig.log_->close().has_value());
      }
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

Position closed_mark(LogRig& rig) {
  const RingImage ring = read_ring_marks(rig.disk_, rig.path() + "/ring").value();
  return ring.closed(rig.options_.new_log_id);
}

// L10: the mark of closing is there until the log is opened, and not when something followed.
TEST(LocalLogOpen, KnowsThatItWasClosed) {
  LogRig rig;
  fill_and_close(rig);
  EXPECT_GT(closed_mark(rig), 0U);
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_TRUE(rig.report_.was_closed);
  EXPECT_EQ(rig.replayed_.size(), static_cast<std::size_t>(kCommits));
  EXPECT_EQ(closed_mark(rig), 0U);
  rig.append("another");
  ASSERT_TRUE(rig.log_->close().has_value());
  rig.append("was under way");
  rig.crash();
  EXPECT_EQ(closed_mark(rig), 0U);
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_FALSE(rig.report_.was_closed);
  ASSERT_EQ(rig.replayed_.size(), static_cast<std::size_t>(kCommits) + 2);
  EXPECT_EQ(rig.replayed_.back(), "was under way");
}

// Of a log that was closed the ring is not needed, nor what is left in it; it helps out all the
// same when a segment is damaged.
TEST(LocalLogOpen, NeedsTheRingOfAClosedLogOnlyForDamage) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < 3; ++i) {
    rig.append("commit");
    ASSERT_TRUE(rig.log_->close().has_value());
    rig.crash();
    ASSERT_TRUE(rig.open().has_value());
  }
  rig.append(std::string(100, 'x'));
  ASSERT_TRUE(rig.log_->close().has_value());
  const Position end = rig.log_->end().position;
  rig.crash();
  rig.flip(rig.segment_path(1), os::kBlockBytes + end - 60, 0);
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_EQ(rig.replayed_.size(), 4U);
  rig.crash();
  ASSERT_TRUE(rig.open().has_value()) << "the segment has been mended";
  EXPECT_EQ(rig.replayed_.back(), std::string(100, 'x'));
}

// Space that is used again holds whole frames of before, and values may look like frames: neither
// is worth a look. That took seconds for a segment of 64 MiB.
TEST(LocalLogOpen, PassesOverWhatOnlyLooksLikeAFrame) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  rig.append("first");
  const Position begin = rig.log_->end().position;
  std::string headers(6'000, '\0');
  for (std::size_t i = 0; i + 32 <= headers.size(); i += 32) {
    headers[i + 9] = 0x20;  // Payload bytes: 8,192.
    headers[i + 20] = 1;    // Kind.
  }
  rig.append(headers);
  rig.append("last");
  rig.crash();
  rig.flip(rig.path() + "/ring", begin + 40, 0);
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_EQ(rig.replayed_.size(), 1U);
  EXPECT_GT(rig.report_.torn_bytes, headers.size());
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

// What names the place may be damaged itself.
TEST(LocalLogOpen, RefusesAPlaceWhereNoFrameCanBegin) {
  LogRig rig;
  fill_and_close(rig);
  const auto opened = rig.open({.position = 3});
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
