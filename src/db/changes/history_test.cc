// J5: what is kept of the log is all of it, back to the oldest segment that the bounds allow,
// whatever happens in between: ends of processes, power cuts, errors of any call.

#include "db/changes/history.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "db/changes/commit_reader.h"
#include "db/changes/log_and_history_test.h"
#include "os/faulty_disk.h"
#include "os/simulated_disk.h"
#include "testing/forwarding_disk.h"

namespace ashlar::db {
namespace {

constexpr std::uint64_t kFileBytes = LogAndHistory::kFileBytes;

/// Answers what it is told to, and remembers for which segments it was asked.
class NextHeir final : public log::SegmentHeir {
 public:
  Result<bool> take(const log::SegmentHeader& header, const std::string& path) override {
    asked.push_back(header.number);
    if (fails) return std::unexpected(Error::of_literal(ErrorCode::kIo, "the next heir fails"));
    if (!takes) return false;
    EXPECT_TRUE(os::link_file(*disk, path, "next-" + log::segment_name(header.number)).value());
    return true;
  }
  os::Disk* disk = nullptr;
  bool takes = false;
  bool fails = false;
  std::vector<std::uint64_t> asked;
};

/// Whose two folders are on two file systems.
class LinklessDisk final : public testing::ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;
  int link(const std::string&, const std::string&) override { return -EXDEV; }
};

/// The numbers of the segments in a folder, ascending; none when there is no such folder.
std::vector<std::uint64_t> numbers_in(os::Disk& disk, const std::string& folder) {
  std::vector<std::string> names;
  if (disk.list(folder, names) == -ENOENT) return {};
  names = os::list_directory(disk, folder).value();
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = log::segment_number(name)) numbers.push_back(*number);
  }
  return numbers;
}

std::vector<std::uint64_t> run_of(std::uint64_t first, std::uint64_t end) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t number = first; number < end; ++number) numbers.push_back(number);
  return numbers;
}

/// Reads what is there from its oldest commit to the end of the log. Returns: the oldest; 0 when
/// something between is missing
std::uint64_t oldest_of_whole(os::Disk& disk, const log::LocalLog& log) {
  CommitReader reader(disk, LogAndHistory::folders());
  const log::Position end = log.durable_end();
  const auto oldest = reader.find_oldest(end);
  EXPECT_TRUE(oldest.has_value()) << oldest.error().message();
  const auto sought = oldest ? reader.seek(*oldest - 1, end) : Result<void>();
  EXPECT_TRUE(sought.has_value()) << sought.error().message();
  if (!oldest || !sought) return 0;
  while (true) {
    const auto frame = reader.next(end);
    EXPECT_TRUE(frame.has_value()) << frame.error().message();
    if (!frame) return 0;
    if (!*frame) break;
  }
  EXPECT_EQ(reader.at().commit, log.end().commit);
  return *oldest;
}

struct HistoryTest : ::testing::Test {
  std::uint64_t first_in_log(LogAndHistory& rig) {
    return rig.log().segments().front().header.number;
  }

  /// J5: the folder holds exactly these up to the log, and the history knows.
  void expect_kept(LogAndHistory& rig, std::uint64_t first) {
    EXPECT_EQ(numbers_in(disk_, "/history"), run_of(first, first_in_log(rig)));
    EXPECT_EQ(rig.history().bytes(), (first_in_log(rig) - first) * kFileBytes);
  }

  os::SimulatedDisk disk_;
  os::ManualClock clock_;
};

TEST_F(HistoryTest, KeepsUpToSoManyBytes) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = 5 * kFileBytes + 100});
  ASSERT_TRUE(rig.open());
  for (int round = 0; round < 12; ++round) {
    rig.fill_segments(1 + round % 3);
    ASSERT_TRUE(rig.give_up());
    const std::uint64_t first = first_in_log(rig);
    expect_kept(rig, first > 6 ? first - 5 : 1);
    oldest_of_whole(disk_, rig.log());
  }
  EXPECT_GT(first_in_log(rig), 15U);
}

TEST_F(HistoryTest, KeepsNothingThatIsTooMuchByItself) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = kFileBytes - 1});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(6);
  ASSERT_TRUE(rig.give_up());
  expect_kept(rig, first_in_log(rig));
}

TEST_F(HistoryTest, LetsGoOfWhatIsTooOld) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll, .age_ms_max = 1'000});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(3);
  const log::Start then = rig.log().end();
  clock_.advance(1'000);
  rig.fill_segments(3);
  ASSERT_TRUE(rig.give_up());
  expect_kept(rig, 1);
  clock_.advance(1);
  rig.fill_segments(1);
  ASSERT_TRUE(rig.give_up());
  const std::uint64_t first = numbers_in(disk_, "/history").front();
  expect_kept(rig, first);
  EXPECT_GT(first, 1U) << "all in it was made more than a second ago";
  EXPECT_LE(oldest_of_whole(disk_, rig.log()), then.commit + 1) << "what is not so old is there";
  clock_.advance(10'000);
  ASSERT_TRUE(rig.open(rig.log().end()));
  EXPECT_LE(numbers_in(disk_, "/history").size(), 1U) << "the next opening looks as well";
}

// A frame that ends a log in order has no moment: whatever follows it tells how old a segment is.
TEST_F(HistoryTest, TakesTheEndOfAProcessForNoMoment) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll, .age_ms_max = 1'000});
  ASSERT_TRUE(rig.open());
  // The second segment begins with the close: a frame of a header and no payload.
  rig.append(std::string(LogAndHistory::kSegmentBytes - log::FrameHeader::kBytes, '\1'));
  ASSERT_EQ(rig.log().end().position, LogAndHistory::kSegmentBytes);
  ASSERT_TRUE(rig.log().close());
  ASSERT_TRUE(rig.open(rig.log().end()));
  rig.fill_segments(4);
  ASSERT_TRUE(rig.give_up());
  expect_kept(rig, 1);
}

TEST_F(HistoryTest, KeepsNothingUnlessItIsAskedTo) {
  NextHeir next;
  LogAndHistory rig(disk_, clock_, {}, &next);
  ASSERT_TRUE(rig.open());
  rig.fill_segments(5);
  ASSERT_TRUE(rig.give_up());
  EXPECT_EQ(next.asked, run_of(1, first_in_log(rig)));
  EXPECT_EQ(disk_.sync_directory("/history"), -ENOENT) << "nobody has made the folder";
  EXPECT_EQ(rig.history().bytes(), 0U);
}

// L12: what either of the two keeps is never written to again.
TEST_F(HistoryTest, HonoursTheAnswerOfTheNextHeir) {
  for (const bool is_kept : {false, true}) {
    for (const bool is_taken : {false, true}) {
      os::SimulatedDisk disk;
      NextHeir next;
      next.disk = &disk;
      next.takes = is_taken;
      const HistoryLimits limits{.bytes_max = is_kept ? LogAndHistory::kAll : 0};
      LogAndHistory rig(disk, clock_, limits, &next);
      ASSERT_TRUE(rig.open());
      rig.fill_segments(2);
      const log::LocalLog::PlacedSegment first = rig.log().segments().front();
      const std::string content = disk.read_all(first.path);
      auto answer = rig.history().take(first.header, first.path);
      ASSERT_TRUE(answer.has_value()) << answer.error().message();
      EXPECT_EQ(*answer, is_kept || is_taken);
      EXPECT_EQ(next.asked, std::vector<std::uint64_t>{1});
      EXPECT_EQ(numbers_in(disk, "/history").size(), is_kept ? 1U : 0U);
    }
  }
}

TEST_F(HistoryTest, CanBeAskedAgainWhereTheNextHeirFails) {
  NextHeir next;
  next.fails = true;
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll}, &next);
  ASSERT_TRUE(rig.open());
  rig.fill_segments(5);
  const auto refused = rig.give_up();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message(), "the next heir fails");
  EXPECT_EQ(first_in_log(rig), 1U);
  next.fails = false;
  ASSERT_TRUE(rig.give_up());
  EXPECT_GT(first_in_log(rig), 3U);
  expect_kept(rig, 1);
  EXPECT_EQ(oldest_of_whole(disk_, rig.log()), 1U);
}

TEST_F(HistoryTest, IsFoundAgain) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  for (int round = 0; round < 4; ++round) {
    rig.fill_segments(3);
    ASSERT_TRUE(rig.give_up());
    ASSERT_TRUE(rig.open(rig.log().end()));
    expect_kept(rig, 1);
    EXPECT_EQ(oldest_of_whole(disk_, rig.log()), 1U);
  }
  LogAndHistory less(disk_, clock_, {.bytes_max = 2 * kFileBytes});
  ASSERT_TRUE(less.open(rig.log().end()));
  expect_kept(less, first_in_log(less) - 2);
}

// Where nothing is to be kept, what is there is left alone, until its time comes to go.
TEST_F(HistoryTest, LeavesAloneWhatItIsNotAskedAbout) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(6);
  ASSERT_TRUE(rig.give_up());
  const std::vector<std::uint64_t> kept = numbers_in(disk_, "/history");
  const log::Start end = rig.log().end();
  rig.kill();
  LogAndHistory nothing(disk_, clock_, {});
  ASSERT_TRUE(nothing.open(end));
  EXPECT_EQ(numbers_in(disk_, "/history"), kept);
  EXPECT_EQ(oldest_of_whole(disk_, nothing.log()), 1U) << "it can still be read";
  nothing.fill_segments(3);
  ASSERT_TRUE(nothing.give_up());
  EXPECT_EQ(numbers_in(disk_, "/history"), kept);
  EXPECT_GT(oldest_of_whole(disk_, nothing.log()), 1U) << "there is a gap now";
  const log::Start later = nothing.log().end();
  nothing.kill();
  ASSERT_TRUE(rig.open(later));
  expect_kept(rig, first_in_log(rig));
}

// However much is kept, an opening looks into each segment once and no further.
TEST_F(HistoryTest, OpensEachSegmentOnce) {
  os::FaultyDisk counting(disk_);
  LogAndHistory rig(counting, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(20);
  ASSERT_TRUE(rig.give_up());
  const std::uint64_t before = counting.call_count(os::CallKind::kOpen);
  ASSERT_TRUE(rig.open(rig.log().end()));
  EXPECT_LT(counting.call_count(os::CallKind::kOpen) - before, 20U + 20U);
}

/// Puts a file into the history.
void put_file(os::Disk& disk, const std::string& name, const std::string& content) {
  auto file = os::File::open(disk, "/history/" + name, os::OpenMode::kCreate);
  ASSERT_TRUE(file.has_value()) << file.error().message();
  ASSERT_TRUE((*file)->write(0, content).has_value());
}

TEST_F(HistoryTest, RemovesWhatIsNotOfThisLog) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(8);
  ASSERT_TRUE(rig.give_up());
  const std::uint64_t first = first_in_log(rig);
  ASSERT_GT(first, 6U);
  const std::string path = "/history/" + log::segment_name(3);
  const log::SegmentHeader foreign{
      .log_id = rig.log().id() + 1, .number = 3, .log_bytes = LogAndHistory::kSegmentBytes};
  disk_.overwrite(path, 0, log::encode_segment_header(foreign));
  put_file(disk_, log::segment_name(first + 20), "a name beyond the log");
  put_file(disk_, log::segment_name(first + 1), log::encode_segment_header(foreign));
  put_file(disk_, "unfinished", "a copy that was not");
  const log::Start end = rig.log().end();
  ASSERT_TRUE(rig.open(end));
  expect_kept(rig, 4);
  EXPECT_EQ(oldest_of_whole(disk_, rig.log()), 26U) << "the first in the fourth";
  EXPECT_EQ(os::list_directory(disk_, "/history").value().size(), first - 4)
      << "and the rest of a copy";
}

TEST_F(HistoryTest, RemovesWhatIsBeforeAGap) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(8);
  ASSERT_TRUE(rig.give_up());
  ASSERT_TRUE(os::remove_file(disk_, "/history/" + log::segment_name(4)).value());
  const log::Start end = rig.log().end();
  ASSERT_TRUE(rig.open(end));
  expect_kept(rig, 5);
  const std::uint64_t newest = numbers_in(disk_, "/history").back();
  ASSERT_TRUE(os::remove_file(disk_, "/history/" + log::segment_name(newest)).value());
  ASSERT_TRUE(rig.open(end));
  expect_kept(rig, first_in_log(rig));
}

// A crash between the two steps leaves a segment with both names; the log gives it up once more.
TEST_F(HistoryTest, TakesASegmentThatHasBothNames) {
  LogAndHistory rig(disk_, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(5);
  ASSERT_TRUE(rig.log().durable(rig.log().end().position));
  const auto segments = rig.log().segments();
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(rig.history().take(segments[i].header, segments[i].path).value());
  }
  ASSERT_TRUE(rig.open());
  EXPECT_EQ(first_in_log(rig), 1U);
  EXPECT_EQ(rig.history().bytes(), 2 * kFileBytes);
  EXPECT_EQ(oldest_of_whole(disk_, rig.log()), 1U);
  ASSERT_TRUE(rig.give_up());
  expect_kept(rig, 1);
  EXPECT_EQ(oldest_of_whole(disk_, rig.log()), 1U);
}

/// Runs a program that gives segments up, first to the end to count its calls and then stopped
/// before each of them, and has `judge` look at what is left.
void stop_at_every_call(const std::function<void(os::SimulatedDisk&)>& prepare,
                        const std::function<void(os::SimulatedDisk&)>& program,
                        const std::function<void(os::SimulatedDisk&, std::uint64_t)>& judge) {
  os::SimulatedDisk begin;
  prepare(begin);
  const auto counted = begin.clone();
  program(*counted);
  const std::uint64_t call_count = counted->call_count();
  ASSERT_GT(call_count, 20U);
  for (std::uint64_t call = 0; call < call_count; ++call) {
    for (const auto how : {os::PowerCut::kKeepNothing, os::PowerCut::kKeepRandom}) {
      const auto disk = begin.clone();
      disk->stop_before(call);
      program(*disk);
      disk->cut_power(how, call);
      judge(*disk, call);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

// J5: wherever the power goes away, by links or by copies, all that is within the bounds is there.
TEST_F(HistoryTest, SurvivesAPowerCutAtEveryCall) {
  for (const bool has_links : {true, false}) {
    const HistoryLimits limits{.bytes_max = 6 * kFileBytes};
    log::Start end;
    const auto prepare = [&](os::SimulatedDisk& disk) {
      LogAndHistory rig(disk, clock_, limits);
      ASSERT_TRUE(rig.open());
      rig.fill_segments(5);
      ASSERT_TRUE(rig.give_up());
      rig.fill_segments(3);
      end = rig.log().end();
      ASSERT_TRUE(rig.log().durable(end.position));
    };
    const auto program = [&](os::SimulatedDisk& disk) {
      LinklessDisk linkless(disk);
      os::Disk& used = has_links ? static_cast<os::Disk&>(disk) : linkless;
      LogAndHistory rig(used, clock_, limits);
      if (rig.open(end)) (void)rig.give_up();
    };
    stop_at_every_call(prepare, program, [&](os::SimulatedDisk& disk, std::uint64_t call) {
      LogAndHistory rig(disk, clock_, limits);
      const auto opened = rig.open(end);
      ASSERT_TRUE(opened.has_value()) << opened.error().message();
      const std::uint64_t oldest = oldest_of_whole(disk, rig.log());
      ASSERT_TRUE(oldest > 0 && oldest <= 3 * 8) << "call " << call << ", links " << has_links;
      const auto given_up = rig.give_up();
      ASSERT_TRUE(given_up.has_value()) << given_up.error().message();
      const auto kept = numbers_in(disk, "/history");
      ASSERT_EQ(kept, run_of(kept.front(), first_in_log(rig))) << "call " << call;
      ASSERT_EQ(kept.size(), 6U) << "call " << call;
    });
    if (HasFatalFailure()) return;
  }
}

// Where there are no links the file is copied, and the log uses the one that it has again.
TEST_F(HistoryTest, CopiesWhatCannotBeLinked) {
  LinklessDisk linkless(disk_);
  LogAndHistory rig(linkless, clock_, {.bytes_max = LogAndHistory::kAll});
  ASSERT_TRUE(rig.open());
  rig.fill_segments(2);
  const log::LocalLog::PlacedSegment first = rig.log().segments().front();
  ASSERT_TRUE(rig.log().durable(rig.log().end().position));
  const std::string content = disk_.read_all(first.path);
  EXPECT_FALSE(rig.history().take(first.header, first.path).value()) << "the file may be used";
  EXPECT_EQ(disk_.read_all("/history/" + log::segment_name(1)), content);
  for (int round = 0; round < 5; ++round) {
    rig.fill_segments(3);
    ASSERT_TRUE(rig.give_up());
  }
  expect_kept(rig, 1);
  EXPECT_EQ(disk_.read_all("/history/" + log::segment_name(1)), content);
  EXPECT_EQ(oldest_of_whole(disk_, rig.log()), 1U);
}

// J5: an error of any call loses nothing, and giving up can be tried again.
TEST_F(HistoryTest, LosesNothingByAnErrorOfAnyCall) {
  for (const bool has_links : {true, false}) {
    bool is_over = false;
    for (std::uint64_t nth = 0; !is_over; ++nth) {
      os::SimulatedDisk below;
      os::FaultyDisk faulty(below);
      LinklessDisk linkless(faulty);
      os::Disk& used = has_links ? static_cast<os::Disk&>(faulty) : linkless;
      LogAndHistory rig(used, clock_, {.bytes_max = 3 * kFileBytes});
      ASSERT_TRUE(rig.open());
      rig.fill_segments(6);
      ASSERT_TRUE(rig.log().durable(rig.log().end().position));
      const std::uint64_t begin = faulty.call_count(os::CallKind::kAny);
      faulty.fail(os::CallKind::kAny, begin + nth, os::Fault::kEio, os::FaultSpan::kOnce);
      const auto first = rig.give_up();
      is_over = faulty.call_count(os::CallKind::kAny) <= begin + nth;
      ASSERT_EQ(first.has_value(), is_over) << "call " << nth;
      ASSERT_GT(oldest_of_whole(below, rig.log()), 0U) << "call " << nth;
      faulty.heal();
      const auto again = rig.give_up();
      ASSERT_TRUE(again.has_value()) << again.error().message();
      const std::uint64_t end = first_in_log(rig);
      ASSERT_EQ(numbers_in(below, "/history"), run_of(end - 3, end)) << "call " << nth;
      ASSERT_EQ(rig.history().bytes(), 3 * kFileBytes) << "call " << nth;
      ASSERT_GT(oldest_of_whole(below, rig.log()), 0U) << "call " << nth;
      ASSERT_LT(nth, 10'000U);
    }
  }
}

}  // namespace
}  // namespace ashlar::db
