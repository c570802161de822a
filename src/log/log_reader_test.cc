// What judging the end of a log relies on (L2, L3): the reader stops at the first frame that is not
// the next one, and tells a torn end from damage.

#include "log/log_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "log/log_rig_test.h"

namespace ashlar::log {
namespace {

constexpr LogId kLogId = 1;

/// Appends a frame to the image of a ring.
class RingImage {
 public:
  void add(std::string_view payload, std::uint32_t unsynced_bytes) {
    const FrameHeader header{.payload_bytes = static_cast<std::uint32_t>(payload.size()),
                             .chain = at_.chain,
                             .unsynced_bytes = unsynced_bytes,
                             .commit = at_.commit + 1};
    std::string frame(header.frame_bytes(), '\0');
    const std::uint64_t checksum =
        encode_frame_header(header, payload_hash(payload), at_.position, kLogId, frame.data());
    frame.replace(FrameHeader::kBytes, payload.size(), payload);
    bytes_.replace(at_.position, frame.size(), frame);
    at_ = {.position = at_.position + frame.size(),
           .chain = chain_of(checksum),
           .commit = header.commit};
  }

  std::string bytes_ = std::string(4096, '\0');
  Start at_;
};

int count_frames(LogReader& reader) {
  int count = 0;
  while (true) {
    const auto frame = reader.next();
    EXPECT_TRUE(frame.has_value());
    if (!frame || !*frame) return count;
    ++count;
  }
}

TEST(LogReader, ReadsUpToTheLastFrame) {
  RingImage ring;
  for (int i = 0; i < 10; ++i) ring.add("payload", 0);
  const SegmentSet none;
  LogReader reader(none, {.ring = ring.bytes_}, kLogId, {});
  EXPECT_EQ(count_frames(reader), 10);
  EXPECT_EQ(reader.at().position, ring.at_.position);
  EXPECT_EQ(reader.judge_end().value(), 0U);
}

TEST(LogReader, TakesABadFrameBeforeOneThatDependsOnNothingForATornEnd) {
  RingImage ring;
  ring.add("good", 0);
  const Position bad = ring.at_.position;
  ring.add("bad", 48);
  ring.add("behind", 96);  // Nothing from the first frame on was durable when it was appended.
  ring.bytes_[bad + FrameHeader::kBytes] ^= 1;
  const SegmentSet none;
  LogReader reader(none, {.ring = ring.bytes_}, kLogId, {});
  EXPECT_EQ(count_frames(reader), 1);
  EXPECT_EQ(reader.judge_end().value(), ring.at_.position - bad);
}

TEST(LogReader, TakesABadFrameThatWasDurableForDamage) {
  RingImage ring;
  ring.add("good", 0);
  const Position bad = ring.at_.position;
  ring.add("bad", 0);
  ring.add("behind", 0);
  ring.bytes_[bad + FrameHeader::kBytes] ^= 1;
  const SegmentSet none;
  LogReader reader(none, {.ring = ring.bytes_}, kLogId, {});
  EXPECT_EQ(count_frames(reader), 1);
  EXPECT_EQ(reader.judge_end().error().code(), ErrorCode::kCorruption);
}

TEST(LogReader, FindsAFrameBehindDamage) {
  RingImage ring;
  ring.add("good", 0);
  const Position bad = ring.at_.position;
  ring.add("bad", 0);
  const Position behind = ring.at_.position;
  ring.add("behind", 0);
  ring.bytes_[bad + FrameHeader::kBytes] ^= 1;
  const SegmentSet none;
  LogReader reader(none, {.ring = ring.bytes_}, kLogId, {});
  EXPECT_EQ(count_frames(reader), 1);
  const auto found = reader.find_from(bad);
  ASSERT_TRUE(found.has_value() && found->has_value());
  EXPECT_EQ((*found)->position, behind);
  EXPECT_EQ((*found)->payload, "behind");
  EXPECT_FALSE(reader.find_from(behind + 8)->has_value());
  EXPECT_EQ(reader.at().position, bad) << "reading goes on where it was";
}

}  // namespace
}  // namespace ashlar::log
