// What finding a log relies on: a header says what it said, and gaps are noticed.

#include "log/segment.h"

#include <gtest/gtest.h>

#include <string>

#include "log/log_rig_test.h"

namespace ashlar::log {
namespace {

TEST(Segment, BringsItsHeaderBack) {
  const SegmentHeader header{.log_id = 7, .number = 3, .first = 8192, .log_bytes = 65'536};
  const std::string block = encode_segment_header(header);
  ASSERT_EQ(block.size(), os::kBlockBytes);
  const auto decoded = decode_segment_header(block);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->log_id, 7U);
  EXPECT_EQ(decoded->number, 3U);
  EXPECT_EQ(decoded->first, 8192U);
  EXPECT_EQ(decoded->end(), 8192U + 65'536U);
  for (std::size_t bit = 0; bit < 56 * 8; ++bit) {
    std::string flipped = block;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << bit % 8));
    EXPECT_FALSE(decode_segment_header(flipped).has_value()) << "bit " << bit;
  }
}

TEST(Segment, NamesSortAsTheirNumbersDo) {
  EXPECT_EQ(segment_name(42), "0000000042.log");
  EXPECT_EQ(segment_number("0000000042.log"), 42U);
  for (const char* name : {"42.log", "0000000042", "000000004x.log", "ring", ".log"}) {
    EXPECT_EQ(segment_number(name), std::nullopt) << name;
  }
}

// C2: a segment that is gone from the middle, or whose header is damaged, is not read over.
TEST(Segment, NoticesGaps) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < 250; ++i) rig.append(std::string(1000, 'x'));
  rig.crash();
  rig.flip(rig.segment_path(2), 33, 4);
  EXPECT_EQ(rig.open().error().code(), ErrorCode::kCorruption);
  rig.flip(rig.segment_path(2), 33, 4);
  ASSERT_TRUE(os::remove_file(rig.disk_, rig.segment_path(2)).has_value());
  EXPECT_EQ(rig.open().error().code(), ErrorCode::kCorruption);
}

TEST(Segment, IsListedEvenWithADamagedHeader) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < 250; ++i) rig.append(std::string(1000, 'x'));
  rig.crash();
  rig.flip(rig.segment_path(2), 33, 4);
  const auto files = list_segments(rig.disk_, rig.path());
  ASSERT_TRUE(files.has_value());
  ASSERT_GE(files->size(), 3U);
  EXPECT_TRUE((*files)[0].header.has_value());
  EXPECT_FALSE((*files)[1].header.has_value());
  EXPECT_EQ((*files)[1].number, 2U);
  EXPECT_EQ((*files)[1].claimed.log_id, (*files)[0].header->log_id);
  EXPECT_EQ((*files)[1].file_bytes, os::kBlockBytes + LogRig::kSegmentBytes);
  EXPECT_FALSE((*files)[1].is_in_the_making);
}

}  // namespace
}  // namespace ashlar::log
