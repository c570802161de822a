// What whoever follows the log relies on: the segments of one log are found wherever they lie, and
// no other file is ever taken for one of them.

#include "db/changes/segment_trail.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "os/file.h"
#include "os/simulated_disk.h"
#include "testing/forwarding_disk.h"

namespace ashlar::db {
namespace {

constexpr std::uint64_t kLogBytes = 2 * os::kBlockBytes;

/// The header of a segment of a log whose pieces are all as long.
log::SegmentHeader header_of(std::uint64_t number, log::LogId log_id = 7) {
  return {.log_id = log_id,
          .number = number,
          .first = (number - 1) * kLogBytes,
          .log_bytes = kLogBytes};
}

std::vector<std::uint64_t> run_of(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> numbers(last - first + 1);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

struct SegmentTrailTest : ::testing::Test {
  SegmentTrailTest() {
    EXPECT_EQ(disk_.make_directory("old"), 0);
    EXPECT_EQ(disk_.make_directory("new"), 0);
  }

  /// Makes the segment `name` in `folder`, with this header.
  void add(const std::string& folder, std::uint64_t name, const log::SegmentHeader& header) {
    auto file =
        os::File::open(disk_, folder + "/" + log::segment_name(name), os::OpenMode::kCreate);
    ASSERT_TRUE(file.has_value()) << file.error().message();
    std::string bytes = log::encode_segment_header(header);
    bytes.append(header.log_bytes, static_cast<char>('a' + header.number % 26));
    ASSERT_TRUE((*file)->write(0, bytes).has_value());
  }
  void add(const std::string& folder, std::uint64_t number) {
    add(folder, number, header_of(number));
  }

  std::vector<std::uint64_t> found() {
    SegmentTrail trail(disk_, {"old", "new"});
    EXPECT_TRUE(trail.refresh().has_value());
    return {trail.numbers().begin(), trail.numbers().end()};
  }

  /// The numbers of what is opened from `number` on.
  std::vector<std::uint64_t> opened_from(std::uint64_t number) {
    const SegmentTrail trail(disk_, {"old", "new"});
    const auto set = trail.open_from(number);
    EXPECT_TRUE(set.has_value());
    std::vector<std::uint64_t> numbers;
    for (const log::FoundSegment& segment : set->segments()) {
      numbers.push_back(segment.header.number);
    }
    return numbers;
  }

  os::SimulatedDisk disk_;
};

TEST_F(SegmentTrailTest, FindsSegmentsInAllFolders) {
  for (const std::uint64_t number : {5U, 4U, 3U}) add("old", number);
  for (const std::uint64_t number : {7U, 6U}) add("new", number);
  EXPECT_EQ(found(), run_of(3, 7));
  EXPECT_EQ(opened_from(3), run_of(3, 7));
  EXPECT_EQ(opened_from(6), run_of(6, 7));
}

// J5: while a segment goes from one folder to another it is in both.
TEST_F(SegmentTrailTest, TakesASegmentOnceThatIsInTwoFolders) {
  add("old", 3);
  add("old", 4);
  add("new", 4);
  add("new", 5);
  EXPECT_EQ(found(), run_of(3, 5));
  EXPECT_EQ(opened_from(3), run_of(3, 5));
}

TEST_F(SegmentTrailTest, CountsOnlyTheNewestRun) {
  for (const std::uint64_t number : {1U, 2U, 4U, 5U}) add("old", number);
  for (const std::uint64_t number : {7U, 8U, 9U}) add("new", number);
  EXPECT_EQ(found(), run_of(7, 9));
  EXPECT_EQ(opened_from(4), run_of(4, 5)) << "who asks for one by its number gets it";
}

TEST_F(SegmentTrailTest, PassesOverWhatIsNoSegment) {
  for (const char* name : {"ring", "reserve", "unfinished", "3.log", "0000000003.tmp"}) {
    ASSERT_TRUE(os::File::open(disk_, std::string("new/") + name, os::OpenMode::kCreate));
  }
  EXPECT_TRUE(found().empty());
  EXPECT_TRUE(opened_from(1).empty());
  add("new", 9);
  EXPECT_EQ(found(), run_of(9, 9));
}

TEST_F(SegmentTrailTest, DoesWithoutAFolder) {
  add("new", 2);
  SegmentTrail trail(disk_, {"missing", "new"});
  ASSERT_TRUE(trail.refresh().has_value());
  EXPECT_EQ(trail.numbers().size(), 1U);
  EXPECT_EQ(trail.open_from(2)->segments().size(), 1U);
  SegmentTrail nothing(disk_, {"missing"});
  ASSERT_TRUE(nothing.refresh().has_value());
  EXPECT_TRUE(nothing.numbers().empty());
}

// What is in the file is told by its header: a segment that is used again is another one.
TEST_F(SegmentTrailTest, OpensNothingUnderAWrongHeader) {
  for (const std::uint64_t number : {1U, 2U, 4U}) add("new", number);
  add("new", 3, header_of(2));
  EXPECT_EQ(found(), run_of(1, 4)) << "it has the name of one";
  EXPECT_EQ(opened_from(1), run_of(1, 2));
  EXPECT_TRUE(opened_from(3).empty());
  EXPECT_EQ(opened_from(4), run_of(4, 4));
}

// Each byte of a header counts, in whichever of the first segments it is.
TEST_F(SegmentTrailTest, OpensNothingUnderADamagedHeader) {
  for (const std::uint64_t number : {1U, 2U, 3U}) add("new", number);
  const std::string path = "new/" + log::segment_name(2);
  const std::string content = disk_.read_all(path);
  for (std::size_t offset = 0; offset < 56; ++offset) {
    const char damaged = static_cast<char>(content[offset] ^ 0x10);
    disk_.overwrite(path, offset, {&damaged, 1});
    EXPECT_EQ(opened_from(1), run_of(1, 1)) << "damaged at " << offset;
    EXPECT_TRUE(opened_from(2).empty()) << "damaged at " << offset;
    disk_.overwrite(path, offset, {&content[offset], 1});
  }
  EXPECT_EQ(opened_from(1), run_of(1, 3));
}

// A damaged one in the first folder is no reason to overlook a good one in the second.
TEST_F(SegmentTrailTest, LooksOnBehindADamagedHeader) {
  add("old", 1, header_of(8));
  add("new", 1);
  EXPECT_EQ(opened_from(1), run_of(1, 1));
  ASSERT_TRUE(os::File::open(disk_, "old/" + log::segment_name(2), os::OpenMode::kCreate));
  add("new", 2);
  EXPECT_EQ(opened_from(1), run_of(1, 2)) << "one of no bytes, as a crash may leave it";
}

TEST_F(SegmentTrailTest, EndsWhereAnotherLogBegins) {
  add("old", 1);
  add("old", 2);
  add("new", 3, header_of(3, 8));
  add("new", 4, header_of(4, 8));
  EXPECT_EQ(opened_from(1), run_of(1, 2));
  EXPECT_EQ(opened_from(3), run_of(3, 4));
}

TEST_F(SegmentTrailTest, EndsWherePositionsDoNotGoOn) {
  add("new", 1);
  log::SegmentHeader shifted = header_of(2);
  shifted.first += os::kBlockBytes;
  add("new", 2, shifted);
  EXPECT_EQ(opened_from(1), run_of(1, 1));
}

TEST_F(SegmentTrailTest, OpensAFewAtATime) {
  const std::uint64_t last = 2 * SegmentTrail::kOpenMax + 5;
  for (std::uint64_t number = 1; number <= last; ++number) {
    add(number % 2 == 0 ? "old" : "new", number);
  }
  EXPECT_EQ(found(), run_of(1, last));
  EXPECT_EQ(opened_from(1), run_of(1, SegmentTrail::kOpenMax));
  EXPECT_EQ(opened_from(last - 4), run_of(last - 4, last));
}

TEST_F(SegmentTrailTest, ReadsTheBytesOfEach) {
  add("old", 1);
  add("new", 2);
  const SegmentTrail trail(disk_, {"old", "new"});
  const auto set = trail.open_from(1);
  ASSERT_TRUE(set.has_value());
  std::string read(2 * kLogBytes, '\0');
  ASSERT_EQ(set->read(0, read).value(), read.size());
  EXPECT_EQ(read, std::string(kLogBytes, 'b') + std::string(kLogBytes, 'c'));
}

/// Does something once, before the first call about a path.
class InterruptedDisk final : public testing::ForwardingDisk {
 public:
  InterruptedDisk(os::Disk& below, std::string path, std::function<void()> interruption)
      : ForwardingDisk(below), path_(std::move(path)), interruption_(std::move(interruption)) {}

  Handle open(const std::string& path, os::OpenMode mode) override {
    const Handle handle = ForwardingDisk::open(path, mode);
    interrupt_after(path);
    return handle;
  }
  int list(const std::string& path, std::vector<std::string>& names) override {
    const int listed = ForwardingDisk::list(path, names);
    interrupt_after(path);
    return listed;
  }

 private:
  void interrupt_after(const std::string& path) {
    if (path == path_ && interruption_) std::exchange(interruption_, nullptr)();
  }

  const std::string path_;
  std::function<void()> interruption_;
};

// J5: a segment that is given up between two looks is in one place or the other at each moment, and
// so it is found, whichever folder is looked into at that moment.
TEST_F(SegmentTrailTest, OverlooksNothingThatIsGivenUpMeanwhile) {
  const std::string name = "/" + log::segment_name(2);
  for (const std::string& path : {"old" + name, "new" + name}) {
    disk_.cut_power(os::PowerCut::kKeepNothing, 1);
    ASSERT_EQ(disk_.make_directory("old"), 0);
    ASSERT_EQ(disk_.make_directory("new"), 0);
    for (const std::uint64_t number : {1U, 2U, 3U}) add("new", number);
    InterruptedDisk disk(disk_, path, [&] {
      ASSERT_EQ(disk_.link("new" + name, "old" + name), 0);
      ASSERT_EQ(disk_.remove("new" + name), 0);
    });
    const SegmentTrail trail(disk, {"old", "new"});
    EXPECT_EQ(trail.open_from(1)->segments().size(), 3U) << "interrupted after " << path;
  }
}

TEST_F(SegmentTrailTest, ListsWhatIsGivenUpMeanwhile) {
  const std::string name = "/" + log::segment_name(2);
  for (const char* path : {"old", "new"}) {
    disk_.cut_power(os::PowerCut::kKeepNothing, 1);
    ASSERT_EQ(disk_.make_directory("old"), 0);
    ASSERT_EQ(disk_.make_directory("new"), 0);
    for (const std::uint64_t number : {1U, 2U, 3U}) add("new", number);
    InterruptedDisk disk(disk_, path, [&] {
      ASSERT_EQ(disk_.link("new" + name, "old" + name), 0);
      ASSERT_EQ(disk_.remove("new" + name), 0);
    });
    SegmentTrail trail(disk, {"old", "new"});
    ASSERT_TRUE(trail.refresh().has_value());
    EXPECT_EQ(trail.numbers().size(), 3U) << "interrupted after " << path;
  }
}

}  // namespace
}  // namespace ashlar::db
