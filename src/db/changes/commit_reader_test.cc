// J4: what a follower relies on, wherever it begins and whatever the log does meanwhile: every
// commit comes once and in its order, and what comes is what was committed.

#include "db/changes/commit_reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "db/backup/file_copy.h"
#include "db/changes/log_and_history_test.h"
#include "os/simulated_disk.h"
#include "testing/forwarding_disk.h"
#include "testing/random.h"
#include "testing/workload_scale.h"

namespace ashlar::db {
namespace {

/// The payload of the commit with this number: most are short, some longer than a segment.
std::string payload_of(std::uint64_t commit) {
  testing::Random random(commit);
  const bool is_long = commit % 211 == 5;
  const std::uint64_t bytes = is_long ? random.between(9'000, 150'000) : random.below(200);
  return std::to_string(commit) + ":" + random.bytes(bytes);
}

class CommitReaderTest : public ::testing::Test {
 protected:
  explicit CommitReaderTest(const HistoryLimits& limits = {.bytes_max = LogAndHistory::kAll})
      : rig_(disk_, clock_, limits) {
    const auto opened = rig_.open();
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
  }

  log::LocalLog& log() { return rig_.log(); }

  void append() {
    const std::uint64_t commit = log().end().commit + 1;
    ends_[commit] = rig_.append(payload_of(commit));
    ASSERT_EQ(ends_[commit].commit, commit);
  }

  /// Appends until the commit `last` is the newest.
  void append_to(std::uint64_t last) {
    while (log().end().commit < last) append();
  }

  void make_durable() { ASSERT_TRUE(log().durable(log().end().position).has_value()); }

  /// Ends the log in order, which takes a number, and opens it again.
  void close_and_reopen() {
    ASSERT_TRUE(log().close().has_value());
    const log::Start end = log().end();
    ASSERT_TRUE(rig_.open(end).has_value());
  }

  /// Appends 2,000 commits, with some ends in order, and parts given up, in between.
  void append_a_long_log() {
    for (std::uint64_t part = 1; part <= 4; ++part) {
      append_to(500 * part);
      if (part % 2 == 0) close_and_reopen();
      ASSERT_TRUE(rig_.give_up().has_value());
      append();
    }
    make_durable();
  }

  CommitReader reader() { return {disk_, LogAndHistory::folders()}; }

  CommitReader reader_behind(std::uint64_t after) {
    CommitReader made = reader();
    const auto done = made.seek(after, log().durable_frame_end());
    EXPECT_TRUE(done.has_value()) << done.error().message();
    return made;
  }

  /// Expects the commits behind `after` up to the end, or so many of them.
  void expect_commits(CommitReader& reader, std::uint64_t after, log::Position end,
                      std::size_t count_max = SIZE_MAX) {
    auto expected = ends_.upper_bound(after);
    for (std::size_t count = 0; count < count_max; ++count, ++expected) {
      const auto frame = reader.next(end);
      ASSERT_TRUE(frame.has_value()) << frame.error().message();
      const bool is_over = expected == ends_.end() || expected->second.position > end;
      ASSERT_EQ(frame->has_value(), !is_over) << "behind " << reader.at().commit;
      if (is_over) return;
      ASSERT_EQ((*frame)->header.commit, expected->first);
      ASSERT_TRUE((*frame)->payload == payload_of(expected->first));
      ASSERT_EQ((*frame)->end(), expected->second.position);
      ASSERT_EQ(reader.at().position, expected->second.position);
    }
  }
  void expect_commits(CommitReader& reader, std::uint64_t after) {
    expect_commits(reader, after, log().durable_frame_end());
  }

  /// Where the byte at `position` lies.
  log::SegmentSet::Place place_of(log::Position position) {
    SegmentTrail trail(disk_, LogAndHistory::folders());
    EXPECT_TRUE(trail.refresh().has_value());
    for (const std::uint64_t number : trail.numbers()) {
      const auto set = trail.open_from(number);
      if (auto place = set->find_place(position)) return *std::move(place);
    }
    return {};
  }

  /// A commit before one that begins in another segment than `commit` ends in.
  std::uint64_t first_behind_segment_of(std::uint64_t commit) {
    const std::string path = place_of(ends_[commit].position).path;
    while (ends_.contains(commit) && place_of(ends_[commit].position).path == path) ++commit;
    return commit;
  }

  os::ManualClock clock_;
  os::SimulatedDisk disk_;
  LogAndHistory rig_;
  std::map<std::uint64_t, log::Start> ends_;  // Of each commit, by its number.
};

template <typename T>
std::string message_of(const Result<T>& result) {
  return result ? "none" : std::string(result.error().message());
}

TEST_F(CommitReaderTest, ReadsOnBehindEachCommit) {
  append_a_long_log();
  const std::uint64_t last = log().end().commit;
  const std::uint64_t step = testing::kWorkDivisor;
  CommitReader reader = this->reader();
  for (std::uint64_t after = 0; after <= last; after += step) {
    ASSERT_TRUE(reader.seek(after, log().durable_frame_end()).has_value()) << "behind " << after;
    ASSERT_EQ(reader.at().commit, after);
    const bool is_all = after % 97 == 0;
    expect_commits(reader, after, log().durable_frame_end(), is_all ? SIZE_MAX : 3);
    if (HasFatalFailure()) return;
  }
}

// Two numbers stand for ends in order: nobody sees them, and one may begin behind them.
TEST_F(CommitReaderTest, PassesOverTheEndsOfProcesses) {
  append_to(3);
  close_and_reopen();
  close_and_reopen();
  append_to(8);
  make_durable();
  EXPECT_FALSE(ends_.contains(4) || ends_.contains(5));
  for (std::uint64_t after = 0; after <= 8; ++after) {
    CommitReader reader = reader_behind(after);
    expect_commits(reader, after);
  }
  EXPECT_EQ(reader().find_oldest(log().durable_frame_end()).value(), 1U);
}

// J4: what has not been made durable is not handed out, although it may be in the file.
TEST_F(CommitReaderTest, EndsWhereItIsTold) {
  append_to(300);
  make_durable();
  CommitReader whole = reader_behind(0);
  expect_commits(whole, 0);
  for (std::uint64_t last = 0; last <= 300; last += 7) {
    CommitReader reader = this->reader();
    const log::Position end = last == 0 ? 0 : ends_[last].position;
    if (last > 0) {
      ASSERT_TRUE(reader.seek(0, end).has_value());
    }
    std::uint64_t read = 0;
    while (true) {
      const auto frame = reader.next(end);
      ASSERT_TRUE(frame.has_value()) << frame.error().message();
      if (!*frame) break;
      read = (*frame)->header.commit;
    }
    EXPECT_EQ(read, last);
  }
}

TEST_F(CommitReaderTest, GoesOnWhenTheEndMoves) {
  append_to(1);
  make_durable();
  CommitReader reader = reader_behind(0);
  testing::Random random(1);
  std::uint64_t seen = 0;
  for (int round = 0; round < 300; ++round) {
    append_to(log().end().commit + random.below(4));
    if (random.chance(50)) make_durable();
    if (random.chance(3)) {
      ASSERT_TRUE(rig_.give_up().has_value());
    }
    expect_commits(reader, seen);
    if (HasFatalFailure()) return;
    seen = reader.at().commit;
  }
  EXPECT_GT(seen, 250U);
}

// The first of the two has only the front of a frame at its end, being read while it was written.
TEST_F(CommitReaderTest, SeeksToAnEndThatIsNotThereYet) {
  append_to(20);
  make_durable();
  CommitReader reader = this->reader();
  ASSERT_TRUE(reader.seek(25, log().durable_frame_end()).has_value());
  EXPECT_EQ(reader.at().commit, 20U);
  EXPECT_EQ(reader.at().position, log().durable_frame_end());
  append_to(30);
  make_durable();
  expect_commits(reader, 20);
}

TEST_F(CommitReaderTest, BeginsAtAPlace) {
  append_a_long_log();
  CommitReader reader = this->reader();
  std::uint64_t after = 0;
  ASSERT_TRUE(reader.begin_at({}));
  expect_commits(reader, 0, log().durable_frame_end(), 5);
  for (const auto& [commit, end] : ends_) {
    if (commit % 89 != 0) continue;
    ASSERT_TRUE(reader.begin_at(end)) << "behind " << commit;
    expect_commits(reader, commit, log().durable_frame_end(), 4);
    if (HasFatalFailure()) return;
    after = commit;
  }
  ASSERT_GT(after, 1'800U);
  ASSERT_TRUE(reader.begin_at(ends_[after - 900])) << "back again";
  expect_commits(reader, after - 900);
  ASSERT_TRUE(reader.begin_at(log().end()));
  EXPECT_FALSE(reader.next(log().durable_frame_end()).value().has_value());
  append_to(log().end().commit + 3);
  make_durable();
  expect_commits(reader, log().end().commit - 3);
}

struct CommitReaderWithoutHistory : CommitReaderTest {
  CommitReaderWithoutHistory() : CommitReaderTest(HistoryLimits{}) {}
};

TEST_F(CommitReaderWithoutHistory, NamesTheOldestThatIsLeft) {
  EXPECT_EQ(message_of(reader().find_oldest(0)), "no commit is kept in the log");
  EXPECT_EQ(message_of(reader().seek(0, 0)), "no commit is kept in the log");
  append_to(1'500);
  ASSERT_TRUE(rig_.give_up().has_value());
  append_to(1'600);
  make_durable();
  const log::Position end = log().durable_frame_end();
  const std::uint64_t oldest = reader().find_oldest(end).value();
  ASSERT_GT(oldest, 500U);
  ASSERT_LE(oldest, 1'500U);
  CommitReader reader = reader_behind(oldest - 1);
  expect_commits(reader, oldest - 1);
  for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{700}, oldest - 2}) {
    const auto refused = this->reader().seek(after, end);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(refused.error().message(), "commit " + std::to_string(after + 1) +
                                             " is no longer kept in the log: the oldest that is"
                                             " there is " +
                                             std::to_string(oldest));
  }
}

// J4, L1: the files that a reader has open are used again for what comes later. It may hand out
// what it has read of them before, and says then that the rest is gone.
TEST_F(CommitReaderWithoutHistory, NeverTakesOtherBytesForACommit) {
  for (const std::size_t read_before : {1U, 50U, 400U}) {
    append_to(log().end().commit + 900);
    make_durable();
    const std::uint64_t oldest = reader().find_oldest(log().durable_frame_end()).value();
    CommitReader reader = reader_behind(oldest - 1);
    expect_commits(reader, oldest - 1, log().durable_frame_end(), read_before);
    for (int i = 0; i < 3; ++i) {
      append_to(log().end().commit + 1'000);
      ASSERT_TRUE(rig_.give_up().has_value());
    }
    std::uint64_t seen = reader.at().commit;
    while (true) {
      const auto frame = reader.next(log().durable_frame_end());
      if (!frame) {
        EXPECT_EQ(frame.error().code(), ErrorCode::kUnavailable) << frame.error().message();
        break;
      }
      ASSERT_TRUE(frame->has_value()) << "the log goes on";
      ASSERT_EQ((*frame)->header.commit, ++seen);
      ASSERT_TRUE((*frame)->payload == payload_of(seen));
    }
    EXPECT_LT(seen, this->reader().find_oldest(log().durable_frame_end()).value());
  }
}

TEST_F(CommitReaderTest, ReadsOnWhatWasGivenUpMeanwhile) {
  append_to(900);
  make_durable();
  CommitReader reader = reader_behind(0);
  expect_commits(reader, 0, log().durable_frame_end(), 10);
  for (int i = 0; i < 3; ++i) {
    append_to(log().end().commit + 700);
    ASSERT_TRUE(rig_.give_up().has_value());
  }
  expect_commits(reader, 10);
}

// J4: each durable byte counts. The first commit of all is another matter: nothing tells it from
// one that was given up.
TEST_F(CommitReaderTest, TellsWhereADurableByteIsDamaged) {
  append_to(600);
  ASSERT_TRUE(rig_.give_up().has_value());
  const log::Position end = log().durable_frame_end();
  testing::Random random(3);
  for (std::uint64_t commit = 2; commit <= 600; commit += 23) {
    const log::Position begin = ends_[commit - 1].position;
    // Without the zeros that fill a frame up, which nothing covers.
    const std::uint64_t bytes = log::FrameHeader::kBytes + payload_of(commit).size();
    const auto byte = place_of(begin + random.below(bytes));
    const char good = disk_.read_all(byte.path)[byte.offset];
    const char bad = static_cast<char>(good ^ 0x40);
    disk_.overwrite(byte.path, byte.offset, {&bad, 1});
    CommitReader reader = reader_behind(0);
    expect_commits(reader, 0, end, commit - 1);
    const auto damaged = reader.next(end);
    ASSERT_FALSE(damaged.has_value()) << "commit " << commit;
    EXPECT_EQ(damaged.error().code(), ErrorCode::kCorruption);
    const auto place = place_of(begin);
    EXPECT_EQ(damaged.error().message(), place.path + " at " + std::to_string(place.offset) +
                                             ": commit " + std::to_string(commit) +
                                             " was durable and is not there");
    const std::uint64_t behind = first_behind_segment_of(commit);
    if (behind < 600) {
      CommitReader another = reader_behind(behind);
      expect_commits(another, behind);
    }
    disk_.overwrite(byte.path, byte.offset, {&good, 1});
    expect_commits(reader, commit - 1, end);
    if (HasFatalFailure()) return;
  }
}

// A copy of a log, which nobody writes: as far as its segments have it.
TEST_F(CommitReaderTest, ReadsACopyUpToItsEnd) {
  append_a_long_log();
  const std::uint64_t last = log().end().commit;
  ASSERT_EQ(disk_.make_directory("/copy"), 0);
  std::vector<std::string> paths;
  for (const std::string& folder : LogAndHistory::folders()) {
    const auto names = os::list_directory(disk_, folder).value();
    for (const std::string& name : names) {
      if (!log::segment_number(name)) continue;
      const std::string from = folder + "/" + name;
      const std::string to = "/copy/" + name;
      (void)os::remove_file(disk_, to);
      ASSERT_TRUE(copy_file(disk_, {.from = from, .to = to}, {}).has_value());
    }
  }
  CommitReader reader(disk_, {"/copy"});
  EXPECT_EQ(reader.find_oldest(CommitReader::kNoEnd).value(), 1U);
  for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{1'234}, last - 1}) {
    ASSERT_TRUE(reader.seek(after, CommitReader::kNoEnd).has_value());
    expect_commits(reader, after, CommitReader::kNoEnd, ends_.size());
    EXPECT_EQ(reader.at().commit, last);
  }
  ASSERT_TRUE(reader.seek(last + 100, CommitReader::kNoEnd).has_value());
  EXPECT_EQ(reader.at().commit, last) << "the end is as far as one can go";
  EXPECT_FALSE(reader.next(CommitReader::kNoEnd).value().has_value());
}

/// Calls back before each write, once it is told to.
class WatchedDisk final : public testing::ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override {
    if (before_write) before_write();
    return ForwardingDisk::write(handle, from, bytes, offset);
  }
  std::function<void()> before_write;
};

// J4: a frame that is longer than the ring is made durable in pieces. Whoever looks in between
// finds the end in the midst of it: that is no damage, and it is not handed out before all of it is
// there.
TEST(CommitReader, WaitsForTheRestOfALongFrame) {
  os::SimulatedDisk below;
  WatchedDisk disk(below);
  const os::ManualClock clock;
  LogAndHistory rig(disk, clock);
  ASSERT_TRUE(rig.open().has_value());
  ASSERT_TRUE(rig.log().durable(rig.append("short").position).has_value());
  CommitReader reader(disk, LogAndHistory::folders());
  ASSERT_TRUE(reader.seek(1, rig.log().durable_frame_end()).has_value());
  int look_count = 0;
  disk.before_write = [&] {
    const auto frame = reader.next(rig.log().durable_frame_end());
    ASSERT_TRUE(frame.has_value()) << frame.error().message();
    ASSERT_FALSE(frame->has_value());
    CommitReader another(disk, LogAndHistory::folders());
    ASSERT_TRUE(another.seek(1, rig.log().durable_frame_end()).has_value());
    ++look_count;
  };
  const std::string payload = payload_of(5) + std::string(3 * LogAndHistory::kSegmentBytes, 'l');
  const log::Start end = rig.append(payload);
  disk.before_write = nullptr;
  EXPECT_GT(look_count, 3);
  const auto frame = reader.next(end.position);
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_TRUE((*frame)->payload == payload);
}

// J4 beside a writer that has some commits flushed, writes long ones, and gives up what it can.
TEST_F(CommitReaderTest, FollowsAWriter) {
  const std::uint64_t last = testing::scaled(4'000);
  append_to(1);
  make_durable();
  CommitReader reader = reader_behind(0);
  std::jthread writer([&] {
    while (log().end().commit < last) {
      const std::uint64_t commit = log().end().commit + 1;
      rig_.append(payload_of(commit));
      if (commit % 150 == 0) {
        EXPECT_TRUE(rig_.give_up().has_value());
      } else if (commit % 20 == 0) {
        EXPECT_TRUE(log().durable(log().end().position).has_value());
      }
    }
    EXPECT_TRUE(rig_.give_up().has_value());
  });
  std::uint64_t seen = 0;
  while (seen < last) {
    const auto frame = reader.next(log().durable_frame_end());
    ASSERT_TRUE(frame.has_value()) << frame.error().message();
    if (!*frame) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ((*frame)->header.commit, ++seen);
    ASSERT_TRUE((*frame)->payload == payload_of(seen));
  }
}

}  // namespace
}  // namespace ashlar::db
