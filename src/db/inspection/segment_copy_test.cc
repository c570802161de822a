// What a repair relies on: a segment is written with the bytes that were found for it, and what
// cannot be read again is an error, whatever the plan says.

#include "db/inspection/segment_copy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "os/simulated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

constexpr std::uint64_t kRunBytes = 2 * os::kBlockBytes;

class SegmentCopyTest : public ::testing::Test {
 protected:
  // A run of one segment with 8 KiB, and a ring of 16 KiB.
  void SetUp() override {
    testing::Random random(testing::seed());
    bytes_ = random.bytes(kRunBytes);
    ring_ = random.bytes(2 * kRunBytes);
    auto file = os::File::open(disk_, "/0000000001.log", os::OpenMode::kCreate);
    ASSERT_TRUE((*file)->write(os::kBlockBytes, bytes_).has_value());
    std::vector<log::FoundSegment> segments;
    segments.push_back({.header = header_of(kRunBytes), .file = std::move(*file)});
    run_ = log::SegmentSet::of(std::move(segments));
    to_ = std::move(*os::File::open(disk_, "/copy", os::OpenMode::kCreate));
  }

  static log::SegmentHeader header_of(std::uint64_t log_bytes) {
    return {.log_id = 7, .number = 1, .first = 0, .log_bytes = log_bytes};
  }

  Result<void> copy(log::Position from_segments, log::Position from_ring, std::string_view ring) {
    return copy_segment({.name = "log/0000000001.log",
                         .header = header_of(4 * kRunBytes),
                         .run = 0,
                         .from_segments = from_segments,
                         .from_ring = from_ring},
                        run_, ring, *to_);
  }

  os::SimulatedDisk disk_;
  std::string bytes_;
  std::string ring_;
  log::SegmentSet run_;
  std::unique_ptr<os::File> to_;
};

TEST_F(SegmentCopyTest, TakesBytesFromSegmentsAndThenFromTheRing) {
  ASSERT_TRUE(copy(kRunBytes, kRunBytes + 100, ring_).has_value());
  const std::string copied = disk_.read_all("/copy");
  EXPECT_EQ(copied.substr(os::kBlockBytes), bytes_ + ring_.substr(kRunBytes, 100));
}

TEST_F(SegmentCopyTest, RefusesAPlanOfMoreThanTheSegmentsHave) {
  const auto copied = copy(kRunBytes + os::kBlockBytes, kRunBytes + os::kBlockBytes, ring_);
  ASSERT_FALSE(copied.has_value());
  EXPECT_EQ(copied.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(copied.error().message(),
            "log/0000000001.log at 12288: what was found there, position 8192 of the log, cannot "
            "be read again");
}

TEST_F(SegmentCopyTest, RefusesAPlanOfMoreThanTheRingHas) {
  EXPECT_EQ(copy(kRunBytes, kRunBytes + 100, {}).error().code(), ErrorCode::kCorruption);
  EXPECT_FALSE(copy(kRunBytes, kRunBytes + ring_.size() + 1, ring_).has_value());
  EXPECT_TRUE(copy(kRunBytes, kRunBytes + ring_.size(), ring_).has_value());
}

// The file was cut short between the survey and now.
TEST_F(SegmentCopyTest, NamesAFileThatHasBecomeShorter) {
  auto file = os::File::open(disk_, "/0000000001.log", os::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->truncate(os::kBlockBytes + 100).has_value());
  const auto copied = copy(kRunBytes, kRunBytes, ring_);
  ASSERT_FALSE(copied.has_value());
  EXPECT_TRUE(copied.error().message().starts_with("/0000000001.log")) << copied.error().message();
}

}  // namespace
}  // namespace ashlar::db
