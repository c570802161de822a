// What a backup and a restored database rely on: a piece of the log that was written to a segment
// of its own opens as a whole log with the same commits, and no damage to it passes.

#include "log/closed_segment.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "log/log_rig_test.h"

namespace ashlar::log {
namespace {

constexpr SegmentIdentity kCopy{.log_id = 99, .number = 7};

class ClosedSegmentTest : public ::testing::Test, protected LogRig {
 protected:
  /// Appends the commits "0" to "count - 1", long ones among them.
  void fill(int count) {
    for (int i = 0; i < count; ++i) append(payload(i));
  }
  static std::string payload(int i) {
    return std::to_string(i) + std::string(i % 5 == 0 ? 9'000 : 0, 'x');
  }

  /// Writes what the log has behind `begin` to the segment of a copy. Returns where that ends
  Start copy(const Start& begin) {
    EXPECT_TRUE(os::make_directory(disk_, copy_path()).has_value());
    EXPECT_TRUE(log_->durable(log_->end().position).has_value());
    auto writer = ClosedSegmentWriter::create(disk_, segment(), kCopy, begin);
    const auto read =
        log_->read_from(begin, [&](const Frame& frame) { return (*writer)->add(frame); });
    EXPECT_TRUE(read.has_value());
    EXPECT_TRUE((*writer)->finish().has_value());
    return (*writer)->end();
  }

  Result<ClosedSegment> read(const Start& begin, std::uint64_t number = kCopy.number) {
    payloads_.clear();
    return read_closed_segment(disk_, segment(), number, begin,
                               [&](const Frame& frame) -> Result<void> {
                                 payloads_.emplace_back(frame.payload);
                                 return {};
                               });
  }

  std::string copy_path() const { return (directory_.path() / "copy").string(); }
  std::string segment() const { return copy_path() + "/" + segment_name(kCopy.number); }

  std::vector<std::string> payloads_;
};

// L11
TEST_F(ClosedSegmentTest, IsReadAsTheLogWasFromAnyPlace) {
  ASSERT_TRUE(open().has_value());
  fill(3);
  const Start begin = log_->end();
  fill(20);
  const Start end = copy(begin);
  EXPECT_EQ(end.position, log_->end().position);
  const auto found = read(begin);
  ASSERT_TRUE(found.has_value()) << found.error().message();
  EXPECT_EQ(found->end.position, end.position);
  EXPECT_EQ(found->end.commit, 23U);
  ASSERT_EQ(payloads_.size(), 20U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(payloads_[static_cast<std::size_t>(i)], payload(i));
}

TEST_F(ClosedSegmentTest, MayHoldNothing) {
  ASSERT_TRUE(open().has_value());
  fill(3);
  const Start begin = log_->end();
  EXPECT_EQ(copy(begin).commit, 3U);
  ASSERT_TRUE(read(begin).has_value());
  EXPECT_TRUE(payloads_.empty());
}

// An opening takes it for a log that was closed, goes on in it, and finds all of it again.
TEST_F(ClosedSegmentTest, OpensAsALog) {
  ASSERT_TRUE(open().has_value());
  fill(3);
  const Start begin = log_->end();
  fill(20);
  copy(begin);
  for (int opening = 0; opening < 3; ++opening) {
    std::vector<std::string> found;
    LogReport report;
    auto log = LocalLog::open(
        disk_, copy_path(), options_, begin,
        [&](const Frame& frame) -> Result<void> {
          found.emplace_back(frame.payload);
          return {};
        },
        report);
    ASSERT_TRUE(log.has_value()) << log.error().message();
    EXPECT_EQ(found.size(), 20U + static_cast<std::size_t>(opening));
    log_ = std::move(*log);
    append("one more");
    ASSERT_TRUE(log_->durable(log_->end().position).has_value());
    if (opening == 1) {
      ASSERT_TRUE(log_->close().has_value());
    }
    log_.reset();
  }
}

// L11: whatever byte of header and frames is flipped, none passes.
TEST_F(ClosedSegmentTest, RefusesEveryFlippedByte) {
  ASSERT_TRUE(open().has_value());
  fill(1);
  const Start begin = log_->end();
  for (const char* text : {"a", "bc", ""}) append(text);
  const Start end = copy(begin);
  const SegmentHeader header = read(begin)->header;
  const std::uint64_t frames_begin = offset_in_segment(header, begin.position);
  const std::uint64_t frames_end = offset_in_segment(header, end.position) + FrameHeader::kBytes;
  for (std::uint64_t offset = 0; offset < frames_end; ++offset) {
    if (offset >= 56 && offset < frames_begin) continue;  // Zeros that nobody reads.
    flip(segment(), offset, offset % 8);
    const auto found = read(begin);
    // Zeros behind a payload are no part of a frame.
    const bool is_same = found && payloads_ == std::vector<std::string>{"a", "bc", ""};
    const std::uint64_t in_frames = offset - frames_begin;
    const bool is_padding = offset >= frames_begin && in_frames % 8 != 0 && is_same;
    EXPECT_TRUE(!found || is_padding) << "offset " << offset;
    if (!found) {
      EXPECT_EQ(found.error().code(), ErrorCode::kCorruption);
      EXPECT_TRUE(found.error().message().starts_with(segment() + " at "))
          << found.error().message();
    }
    flip(segment(), offset, offset % 8);
  }
}

TEST_F(ClosedSegmentTest, RefusesOneThatIsNotWhole) {
  ASSERT_TRUE(open().has_value());
  fill(20);
  const auto refusal = [&](const Start& begin, std::uint64_t number = kCopy.number) {
    const auto found = read(begin, number);
    return found ? "" : std::string(found.error().message()).substr(segment().size());
  };
  ASSERT_TRUE(os::make_directory(disk_, copy_path()).has_value());
  EXPECT_EQ(refusal({}), " at 0: the file is missing");
  {
    const auto unfinished = ClosedSegmentWriter::create(disk_, segment(), kCopy, {});
    ASSERT_TRUE(log_->durable(log_->end().position).has_value());
    ASSERT_TRUE(log_->read_from({}, [&](const Frame& frame) { return (*unfinished)->add(frame); })
                    .has_value());
  }
  EXPECT_EQ(refusal({}), " at 0: the header is damaged");
  ASSERT_TRUE(os::remove_file(disk_, segment()).value());
  const Start end = copy({});
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({}, 8), " at 0: the header is that of another segment");
  EXPECT_EQ(refusal({.position = 1U << 30U}),
            " at 0: the segment does not hold the place where the log goes on");
  const auto file = os::File::open(disk_, segment(), os::OpenMode::kReadWrite);
  const std::uint64_t bytes = (*file)->size().value();
  ASSERT_TRUE((*file)->truncate(bytes - 1).has_value());
  EXPECT_EQ(refusal({}),
            " at " + std::to_string(bytes - 1) + ": the file is not as long as its header says");
  ASSERT_TRUE((*file)->truncate(bytes).has_value());
  // Without the close.
  const std::uint64_t close_offset = offset_in_segment(SegmentHeader{}, end.position);
  ASSERT_TRUE((*file)->write(close_offset, std::string(FrameHeader::kBytes, '\0')).has_value());
  EXPECT_EQ(refusal({}), " at " + std::to_string(close_offset) +
                             ": no frame follows, and the log was not closed before");
}

}  // namespace
}  // namespace ashlar::log
