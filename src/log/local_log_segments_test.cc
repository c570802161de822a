// What truncation relies on: segments go and come again, and never bring old frames with them.

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "log/log_rig_test.h"
#include "os/simulated_disk.h"
#include "testing/forwarding_disk.h"

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

// What is durable can be read beside writers, from any place that was an end.
TEST(LocalLogSegments, ReadsWhatIsDurableFromAnyPlace) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  std::vector<std::string> read;
  const auto visit = [&read](const Frame& frame) -> Result<void> {
    read.emplace_back(frame.payload);
    return {};
  };
  Start at;
  for (int round = 0; round < 5; ++round) {
    read.clear();
    for (int i = 0; i < 40; ++i) rig.append(std::to_string(round) + std::string(1000, 'x'));
    ASSERT_TRUE(rig.log_->durable(rig.log_->end().position).has_value());
    const Start end = rig.log_->end();
    rig.append("not durable yet");
    const auto ended = rig.log_->read_from(at, visit);
    ASSERT_TRUE(ended.has_value()) << ended.error().message();
    EXPECT_EQ(ended->position, end.position);
    EXPECT_EQ(ended->commit, end.commit);
    ASSERT_EQ(read.size(), round == 0 ? 40U : 41U);
    EXPECT_EQ(read.back()[0], '0' + round);
    at = *ended;
  }
}

// What somebody reads is not used again under the reader's hands; what is gone is named as gone.
TEST(LocalLogSegments, KeepsWhatIsBeingRead) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < 300; ++i) rig.append(std::string(1000, 'x'));
  const Position end = rig.log_->end().position;
  ASSERT_TRUE(rig.log_->durable(end).has_value());
  int count = 0;
  const auto read = rig.log_->read_from({}, [&](const Frame&) -> Result<void> {
    if (++count == 1) ASHLAR_TRY(rig.log_->truncate_before(end));
    return {};
  });
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(count, 300);
  ASSERT_TRUE(rig.log_->truncate_before(end).has_value());
  const auto gone = rig.log_->read_from({}, [](const Frame&) { return Result<void>(); });
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code(), ErrorCode::kUnavailable) << gone.error().message();
}

/// Takes what it is told to, under another name in `directory`.
class Heir final : public SegmentHeir {
 public:
  Heir(os::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {
    EXPECT_TRUE(os::make_directory(disk_, directory_).has_value());
  }

  Result<bool> take(const SegmentHeader& header, const std::string& path) override {
    ++asked_count_;
    if (has_no_room_) return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace, "full"));
    if (header.number % 2 == 0) return false;
    if (taken_.contains(header.first)) return true;
    taken_[header.first] = directory_ + "/" + std::to_string(header.first);
    return os::link_file(disk_, path, taken_[header.first]);
  }

  os::Disk& disk_;
  const std::string directory_;
  std::map<Position, std::string> taken_;
  int asked_count_ = 0;
  bool has_no_room_ = false;
};

std::string content_of(os::Disk& disk, const std::string& path) {
  const auto file = os::File::open(disk, path, os::OpenMode::kRead).value();
  std::string bytes(file->size().value(), '\0');
  EXPECT_TRUE(file->read(0, bytes).has_value());
  return bytes;
}

// L12: what an heir has taken stays as it was, while the log goes on and uses others again.
TEST(LocalLogSegments, NeverWritesToWhatAnHeirHasTaken) {
  LogRig rig;
  Heir heir(rig.disk_, (rig.directory_.path() / "taken").string());
  rig.options_.heir = &heir;
  ASSERT_TRUE(rig.open().has_value());
  std::map<Position, std::string> as_taken;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 50; ++i) rig.append(std::to_string(round) + std::string(1000, 'x'));
    const Start end = rig.log_->end();
    ASSERT_TRUE(rig.log_->durable(end.position).has_value());
    ASSERT_TRUE(rig.log_->truncate_before(end.position).has_value());
    for (const auto& [first, path] : heir.taken_) {
      as_taken.emplace(first, content_of(rig.disk_, path));
      const auto header = decode_segment_header(as_taken[first]);
      EXPECT_EQ(header->first, first) << "it was taken before it was used again";
    }
    for (const auto& segment : rig.log_->segments()) {
      EXPECT_FALSE(heir.taken_.contains(segment.header.first)) << "its name in the log has gone";
    }
  }
  EXPECT_GT(as_taken.size(), 5U);
  for (const auto& [first, bytes] : as_taken) {
    EXPECT_EQ(content_of(rig.disk_, heir.taken_[first]), bytes) << first;
  }
}

// L12: an heir that cannot take a segment now is asked again, and the log keeps it until then.
TEST(LocalLogSegments, KeepsWhatAnHeirCannotTakeYet) {
  LogRig rig;
  Heir heir(rig.disk_, (rig.directory_.path() / "taken").string());
  heir.has_no_room_ = true;
  rig.options_.heir = &heir;
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < 300; ++i) rig.append(std::string(1000, 'x'));
  const Position end = rig.log_->end().position;
  ASSERT_TRUE(rig.log_->durable(end).has_value());
  EXPECT_EQ(rig.log_->truncate_before(end).error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(rig.log_->segments().front().header.first, 0U);
  heir.has_no_room_ = false;
  ASSERT_TRUE(rig.log_->truncate_before(end).has_value());
  EXPECT_TRUE(heir.taken_.contains(0));
  EXPECT_GT(rig.log_->segments().front().header.first, 0U);
}

// What was appended can be read where it was put, from the ring as long as no segment has it.
TEST(LocalLogSegments, ReadsWhatIsNotDurableFromTheRing) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  for (int i = 0; i < 100; ++i) {
    const std::string payload = std::to_string(i) + std::string(3000, 'x');
    const Position end = rig.append(payload);
    const Position begin = end - frame_bytes_for(payload.size()) + FrameHeader::kBytes;
    std::string read(payload.size(), '\0');
    ASSERT_TRUE(rig.log_->try_read_unflushed(begin, read)) << i;
    EXPECT_EQ(read, payload);
    if (i % 7 != 0) continue;
    ASSERT_TRUE(rig.log_->durable(end).has_value());
    EXPECT_FALSE(rig.log_->try_read_unflushed(begin, read)) << "the segments have it";
  }
}

/// Remembers what was asked for beforehand in new files.
class SpaceRecorder final : public testing::ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;
  int allocate(Handle handle, std::uint64_t bytes, os::NewSpace space) override {
    spaces.push_back(space);
    return ForwardingDisk::allocate(handle, bytes, space);
  }
  std::vector<os::NewSpace> spaces;
};

// Zeros are written beforehand where commits are waited for one by one; not where the log is
// written in long pieces, for which they would be as many bytes once more.
TEST(LocalLogSegments, WritesZerosOnlyAheadOfShortWrites) {
  for (const bool is_waited_for : {false, true}) {
    os::SimulatedDisk below;
    ASSERT_EQ(below.make_directory("/data"), 0);
    SpaceRecorder disk(below);
    LogReport report;
    auto log = LocalLog::open(
        disk, "/data/log",
        {.segment_bytes = LogRig::kSegmentBytes,
         .ring_bytes = LogRig::kRingBytes,
         .has_thread = false},
        {}, [](const Frame&) { return Result<void>(); }, report);
    ASSERT_TRUE(log.has_value()) << log.error().message();
    disk.spaces.clear();
    const std::string payload(1000, 'x');
    for (int i = 0; i < 400; ++i) {
      const Entry entry(payload);
      ASSERT_TRUE((*log)->make_room(entry).has_value());
      Position end = 0;
      ASSERT_EQ((*log)->try_append(entry, end), Appended::kYes);
      if (!is_waited_for) continue;
      ASSERT_TRUE((*log)->durable(end).has_value());
    }
    ASSERT_GE(disk.spaces.size(), 5U);
    const auto expected = is_waited_for ? os::NewSpace::kZeroed : os::NewSpace::kSetAside;
    // The first may have been made before there was anything to go by.
    for (const os::NewSpace space : std::span(disk.spaces).subspan(1)) EXPECT_EQ(space, expected);
  }
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

/// A log on a simulated disk with as much space as a test gives it.
class LogOnAFullDisk : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSegmentBytes = std::uint64_t{64} << 10U;

  LogOnAFullDisk() {
    EXPECT_EQ(disk_.make_directory("/data"), 0);
    open();
  }

  void open() {
    log_.reset();
    const LocalLogOptions options{
        .segment_bytes = kSegmentBytes, .ring_bytes = std::size_t{16} << 10U, .has_thread = false};
    auto opened = LocalLog::open(
        disk_, "/data/log", options, {}, [](const Frame&) { return Result<void>(); }, report_);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    log_ = *std::move(opened);
  }

  /// Appends one commit of about a thousand bytes.
  Result<void> append(Room room) {
    const std::string payload(1000, 'x');
    const Entry entry(payload, room);
    Position end = 0;
    Appended appended = Appended::kNoRoom;
    while (appended == Appended::kNoRoom) {
      ASHLAR_TRY(log_->make_room(entry));
      appended = log_->try_append(entry, end);
    }
    EXPECT_EQ(appended, Appended::kYes);
    return {};
  }

  /// Appends until there is no room. Returns how many were taken.
  int fill(Room room) {
    for (int count = 0;; ++count) {
      const auto appended = append(room);
      if (appended) continue;
      EXPECT_EQ(appended.error().code(), ErrorCode::kOutOfSpace) << appended.error().message();
      EXPECT_EQ(log_->poison(), nullptr) << "a full disk is no damage";
      return count;
    }
  }

  os::SimulatedDisk disk_;
  LogReport report_;
  std::unique_ptr<LocalLog> log_;
};

// L8: when ordinary commits find no more room, those that give space back find that of a segment,
// and it goes to them alone.
TEST_F(LogOnAFullDisk, KeepsASegmentForWhatGivesSpaceBack) {
  disk_.set_space_limit(5 * kSegmentBytes);
  EXPECT_GT(fill(Room::kOrdinary), 60) << "a segment and more";
  EXPECT_TRUE(append(Room::kReserved).has_value());
  EXPECT_FALSE(append(Room::kOrdinary).has_value()) << "though there is room in the segment now";
  EXPECT_GT(fill(Room::kReserved), 30);
  disk_.set_space_limit(9 * kSegmentBytes);
  EXPECT_TRUE(append(Room::kOrdinary).has_value()) << "by itself, as soon as there is space";
  EXPECT_GT(fill(Room::kReserved), 60) << "the reserve is there again";
}

// L8: what is truncated becomes the reserve again, before anything else.
TEST_F(LogOnAFullDisk, TruncationBringsTheReserveBack) {
  disk_.set_space_limit(6 * kSegmentBytes);
  fill(Room::kOrdinary);
  fill(Room::kReserved);
  const Position end = log_->end().position;
  ASSERT_TRUE(log_->durable(end).has_value());
  ASSERT_TRUE(log_->truncate_before(end).has_value());
  EXPECT_GT(fill(Room::kOrdinary), 60);
  EXPECT_GT(fill(Room::kReserved), 30);
}

// The reserve can be given away, and nobody opens a full disk in vain.
TEST_F(LogOnAFullDisk, OpensWithoutAReserve) {
  disk_.set_space_limit(5 * kSegmentBytes);
  const int count = fill(Room::kOrdinary);
  ASSERT_TRUE(log_->release_reserve().has_value());
  disk_.set_space_limit(1);
  open();
  EXPECT_EQ(report_.frame_count, static_cast<std::uint64_t>(count));
  EXPECT_FALSE(append(Room::kOrdinary).has_value());
}

}  // namespace
}  // namespace ashlar::log
