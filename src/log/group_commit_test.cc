// What those who wait for the disk together may rely on: one write serves all that came before it,
// one that fails ends all of them, and nobody waits for company that is not to be expected.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "log/local_log.h"
#include "os/faulty_disk.h"
#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "testing/gated_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::log {
namespace {

/// A log without a thread of its own, on a disk that can be held up and can fail.
struct GroupRig {
  GroupRig(os::Disk& below, const std::string& path) : faulty(below), disk(faulty) {
    const LocalLogOptions options{.segment_bytes = std::uint64_t{4} << 20U,
                                  .ring_bytes = std::size_t{64} << 10U,
                                  .has_thread = false};
    auto opened = LocalLog::open(
        disk, path, options, {}, [](const Frame&) { return Result<void>(); }, report);
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
    log = *std::move(opened);
  }

  Position append() {
    const Entry entry("commit");
    EXPECT_TRUE(log->make_room(entry).has_value());
    Position end = 0;
    EXPECT_EQ(log->try_append(entry, end), Appended::kYes);
    return end;
  }

  os::FaultyDisk faulty;
  testing::GatedDisk disk;
  LogReport report;
  std::unique_ptr<LocalLog> log;
};

/// A thread that makes a commit durable: the one that ends at a position given, or its own.
class Waiter {
 public:
  explicit Waiter(GroupRig& rig, std::optional<Position> position = std::nullopt)
      : thread_([this, &rig, position] {
          const Position end = position ? *position : rig.append();
          thread_id_.store(::gettid());
          outcome_ = rig.log->durable(end);
          is_done_.store(true);
        }) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Returns once the thread sleeps in `durable`, or is through with it.
  /// Returns: whether it sleeps
  bool await_sleep() const {
    while (!is_done_.load()) {
      if (const pid_t id = thread_id_.load(); id != 0 && is_asleep(id)) return true;
      std::this_thread::yield();
    }
    return false;
  }

  const Result<void>& outcome() {
    thread_.join();
    return outcome_;
  }

 private:
  /// What the system says; the state stands behind the name, which is in brackets.
  static bool is_asleep(pid_t id) {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t behind_name = line.rfind(") ");
    return behind_name != std::string::npos && line.substr(behind_name + 2, 1) == "S";
  }

  std::atomic<pid_t> thread_id_{0};
  std::atomic<bool> is_done_{false};
  Result<void> outcome_;
  std::jthread thread_;  // Last: it uses the others.
};

class GroupCommit : public ::testing::Test {
 protected:
  os::SimulatedDisk below_;
  GroupRig rig_{below_, "/log"};
};

// L7: those whom the write that fails would have served, and those who wait for the next one.
TEST_F(GroupCommit, AWriteThatFailsEndsAllWhoWait) {
  const Position early = rig_.append();
  const Position later = rig_.append();
  rig_.disk.close_gate();
  std::vector<std::unique_ptr<Waiter>> waiters;
  waiters.push_back(std::make_unique<Waiter>(rig_, later));
  rig_.disk.await_held_write();
  for (int i = 0; i < 2; ++i) waiters.push_back(std::make_unique<Waiter>(rig_, early));
  for (int i = 0; i < 3; ++i) waiters.push_back(std::make_unique<Waiter>(rig_));
  for (const auto& waiter : waiters) EXPECT_TRUE(waiter->await_sleep());
  rig_.faulty.fail(os::CallKind::kWrite, rig_.faulty.call_count(os::CallKind::kWrite),
                   os::Fault::kEio, os::FaultSpan::kOnce);
  const std::uint64_t write_count = rig_.disk.write_count();
  rig_.disk.open_gate();
  for (const auto& waiter : waiters) {
    const Result<void>& outcome = waiter->outcome();
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code(), ErrorCode::kUnavailable);
    EXPECT_NE(outcome.error().message().find("Input/output error"), std::string_view::npos)
        << outcome.error().message();
  }
  EXPECT_EQ(rig_.disk.write_count(), write_count) << "nothing is tried again";
}

// L7: the log is lost while a good write is under way: of those who wait for the next, one is woken
// to make it, and the others must not wait for that one.
TEST(GroupCommitOnAFile, AWriteThatIsNotMadeAnyMoreEndsAllWhoWaitForIt) {
  const testing::TemporaryDirectory directory;
  os::PosixDisk below;
  const std::string path = (directory.path() / "log").string();
  GroupRig rig(below, path);
  rig.disk.close_gate();
  Waiter first(rig);
  rig.disk.await_held_write();
  std::vector<std::unique_ptr<Waiter>> others;
  for (int i = 0; i < 3; ++i) others.push_back(std::make_unique<Waiter>(rig));
  for (const auto& other : others) EXPECT_TRUE(other->await_sleep());
  std::filesystem::resize_file(path + "/ring", 0);
  const Entry entry("lost");
  Position end = 0;
  EXPECT_EQ(rig.log->try_append(entry, end), Appended::kNever);
  rig.disk.open_gate();
  EXPECT_TRUE(first.outcome().has_value()) << "its write was good";
  for (const auto& other : others) {
    ASSERT_FALSE(other->outcome().has_value());
  }
}

TEST_F(GroupCommit, OneWriteServesAllWhoCameBeforeIt) {
  rig_.disk.close_gate();
  const std::uint64_t write_count = rig_.disk.write_count();
  Waiter first(rig_);
  rig_.disk.await_held_write();
  std::vector<std::unique_ptr<Waiter>> others;
  for (int i = 0; i < 5; ++i) others.push_back(std::make_unique<Waiter>(rig_));
  for (const auto& other : others) EXPECT_TRUE(other->await_sleep());
  rig_.disk.open_gate();
  EXPECT_TRUE(first.outcome().has_value());
  for (const auto& other : others) EXPECT_TRUE(other->outcome().has_value());
  EXPECT_EQ(rig_.disk.write_count(), write_count + 2);
}

/// Makes a round of flushing that serves one besides its leader, which the next leader waits for.
void serve_company(GroupRig& rig) {
  rig.disk.close_gate();
  Waiter first(rig);
  rig.disk.await_held_write();
  Waiter leader(rig);
  Waiter served(rig);
  EXPECT_TRUE(leader.await_sleep());
  EXPECT_TRUE(served.await_sleep());
  rig.disk.open_gate();
  EXPECT_TRUE(first.outcome().has_value());
  EXPECT_TRUE(leader.outcome().has_value());
  EXPECT_TRUE(served.outcome().has_value());
}

// One who appends while the leader sleeps, its write not begun, is served by that write. A leader
// who does not wait sleeps never, so this comes up never; one who waits does so for a moment only,
// which a busy machine may take away, so it is tried until it comes up.
TEST_F(GroupCommit, ARoundWaitsForThoseWhoAreLikelyToCome) {
  constexpr int kTries = 2'000;
  bool was_joined = false;
  for (int i = 0; i < kTries && !was_joined; ++i) {
    serve_company(rig_);
    const std::uint64_t write_count = rig_.disk.write_count();
    Waiter leader(rig_);
    const bool is_asleep = leader.await_sleep();
    const Position end = rig_.append();
    EXPECT_TRUE(rig_.log->durable(end).has_value());
    EXPECT_TRUE(leader.outcome().has_value());
    was_joined = is_asleep && rig_.disk.write_count() == write_count + 1;
  }
  EXPECT_TRUE(was_joined);
}

/// How often the calling thread has gone to sleep.
long sleep_count() {
  rusage usage{};
  EXPECT_EQ(::getrusage(RUSAGE_THREAD, &usage), 0);
  return usage.ru_nvcsw;
}

// Nobody to wait for: neither at first nor once the company has gone. A leader who waited each time
// would sleep in each 17th round, since it pauses after it has done so in vain.
TEST_F(GroupCommit, ALoneWriterWaitsForNobody) {
  constexpr int kCommits = 1'000;
  for (const bool had_company : {false, true}) {
    if (had_company) serve_company(rig_);
    const long before = sleep_count();
    for (int i = 0; i < kCommits; ++i) EXPECT_TRUE(rig_.log->durable(rig_.append()).has_value());
    EXPECT_LT(sleep_count() - before, kCommits / 17 / 2) << had_company;
  }
}

}  // namespace
}  // namespace ashlar::log
