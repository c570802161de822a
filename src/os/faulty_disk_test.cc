// What tests of failures rely on: exactly the calls that were chosen fail, in the way that was
// chosen, and the disk below sees nothing of them.

#include "os/faulty_disk.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::os {
namespace {

struct alignas(kBlockBytes) Blocks {
  char bytes[4 * kBlockBytes] = {};
};

class FaultyDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    handle_ = below_.open("/a", OpenMode::kCreate);
    ASSERT_EQ(below_.sync_directory("/"), 0);
  }

  SimulatedDisk below_;
  FaultyDisk disk_{below_};
  Disk::Handle handle_ = -1;
};

TEST_F(FaultyDiskTest, PassesAllCallsOnWithoutRules) {
  EXPECT_EQ(disk_.write(handle_, "abc", 3, 0), 3);
  std::string bytes(3, '?');
  EXPECT_EQ(disk_.read(handle_, bytes.data(), 3, 0), 3);
  EXPECT_EQ(bytes, "abc");
  EXPECT_EQ(disk_.call_count(CallKind::kWrite), 1U);
  EXPECT_EQ(disk_.call_count(CallKind::kAny), 2U);
}

// F9
TEST_F(FaultyDiskTest, FailsTheCallThatWasChosenAndNoOther) {
  disk_.fail(CallKind::kWrite, 1, Fault::kEnospc, FaultSpan::kOnce);
  EXPECT_EQ(disk_.size(handle_), 0) << "calls of other kinds do not count";
  EXPECT_EQ(disk_.write(handle_, "abc", 3, 0), 3);
  EXPECT_EQ(disk_.write(handle_, "XYZ", 3, 0), -ENOSPC);
  EXPECT_EQ(below_.read_all("/a"), "abc");
  EXPECT_EQ(disk_.write(handle_, "def", 3, 0), 3);
}

TEST_F(FaultyDiskTest, FailsForEverUntilItIsHealed) {
  disk_.fail(CallKind::kAny, 1, Fault::kEio, FaultSpan::kForEver);
  EXPECT_EQ(disk_.size(handle_), 0);
  EXPECT_EQ(disk_.size(handle_), -EIO);
  EXPECT_EQ(disk_.write(handle_, "abc", 3, 0), -EIO);
  EXPECT_EQ(disk_.sync(handle_), -EIO);
  disk_.heal();
  EXPECT_EQ(disk_.write(handle_, "abc", 3, 0), 3);
}

// F9: every function asks, each under its own kind.
TEST_F(FaultyDiskTest, EachKindOfCallCanFail) {
  const std::vector<std::pair<CallKind, std::int64_t (*)(Disk&, Disk::Handle)>> calls = {
      {CallKind::kOpen, [](Disk& d, int) -> std::int64_t { return d.open("/a", OpenMode::kRead); }},
      {CallKind::kRead,
       [](Disk& d, int h) -> std::int64_t {
         char byte = 0;
         return d.read(h, &byte, 1, 0);
       }},
      {CallKind::kWrite, [](Disk& d, int h) -> std::int64_t { return d.write(h, "x", 1, 0); }},
      {CallKind::kSync, [](Disk& d, int h) -> std::int64_t { return d.sync(h); }},
      {CallKind::kSize, [](Disk& d, int h) { return d.size(h); }},
      {CallKind::kAllocate,
       [](Disk& d, int h) -> std::int64_t { return d.allocate(h, 5, NewSpace::kZeroed); }},
      {CallKind::kTruncate, [](Disk& d, int h) -> std::int64_t { return d.truncate(h, 5); }},
      {CallKind::kMap,
       [](Disk& d, int h) -> std::int64_t {
         char* address = nullptr;
         return d.map(h, 1, &address);
       }},
      {CallKind::kLock, [](Disk& d, int h) -> std::int64_t { return d.lock(h, LockMode::kAlone); }},
      {CallKind::kMakeDirectory,
       [](Disk& d, int) -> std::int64_t { return d.make_directory("d"); }},
      {CallKind::kSyncDirectory,
       [](Disk& d, int) -> std::int64_t { return d.sync_directory("/"); }},
      {CallKind::kList,
       [](Disk& d, int) -> std::int64_t {
         std::vector<std::string> names;
         return d.list("/", names);
       }},
      {CallKind::kLink, [](Disk& d, int) -> std::int64_t { return d.link("/a", "/d/a"); }},
      {CallKind::kRename, [](Disk& d, int) -> std::int64_t { return d.rename("/a", "/b"); }},
      {CallKind::kRemove, [](Disk& d, int) -> std::int64_t { return d.remove("/b"); }},
  };
  EXPECT_EQ(calls.size(), static_cast<std::size_t>(CallKind::kAny));
  for (const auto& [kind, call] : calls) {
    disk_.fail(kind, 0, Fault::kEdquot, FaultSpan::kOnce);
    const std::uint64_t calls_below = below_.call_count();
    EXPECT_EQ(call(disk_, handle_), -EDQUOT);
    EXPECT_EQ(below_.call_count(), calls_below);
    EXPECT_GE(call(disk_, handle_), 0);
    EXPECT_EQ(below_.call_count(), calls_below + 1);
    EXPECT_EQ(disk_.call_count(kind), 2U);
  }
}

TEST_F(FaultyDiskTest, ShortCallsDoTheFrontPart) {
  disk_.fail(CallKind::kWrite, 0, Fault::kShortWrite, FaultSpan::kOnce);
  disk_.fail(CallKind::kRead, 0, Fault::kShortRead, FaultSpan::kOnce);
  EXPECT_EQ(disk_.write(handle_, "abcdef", 6, 0), 3);
  EXPECT_EQ(below_.read_all("/a"), "abc");
  std::string bytes(3, '?');
  EXPECT_EQ(disk_.read(handle_, bytes.data(), 3, 0), 1);
  EXPECT_EQ(bytes, "a??");
}

TEST_F(FaultyDiskTest, ShortCallsOfWholeBlocksDoWholeBlocks) {
  disk_.fail(CallKind::kWrite, 0, Fault::kShortWrite, FaultSpan::kForEver);
  const Disk::Handle durable = disk_.open("/a", OpenMode::kDurable);
  const auto blocks = std::make_unique<Blocks>();
  EXPECT_EQ(disk_.write(durable, blocks->bytes, 3 * kBlockBytes, 0), ssize_t{kBlockBytes});
  EXPECT_EQ(disk_.write(durable, blocks->bytes, kBlockBytes, 0), ssize_t{kBlockBytes});
  EXPECT_EQ(disk_.write(handle_, "x", 1, 0), 1);
  EXPECT_EQ(disk_.write(handle_, "", 0, 0), 0);
}

TEST_F(FaultyDiskTest, OfTwoRulesThatMeetTheFirstHolds) {
  disk_.fail(CallKind::kAny, 0, Fault::kShortRead, FaultSpan::kForEver);
  disk_.fail(CallKind::kWrite, 0, Fault::kEio, FaultSpan::kOnce);
  disk_.fail(CallKind::kAny, 0, Fault::kEnospc, FaultSpan::kForEver);
  EXPECT_EQ(disk_.write(handle_, "x", 1, 0), -EIO) << "a write cannot be a short read";
  EXPECT_EQ(disk_.write(handle_, "x", 1, 0), -ENOSPC);
}

// A failed sync loses what was dirty for good; an interrupted one loses nothing.
TEST_F(FaultyDiskTest, AFailedSyncLosesWhatWasDirty) {
  disk_.fail(CallKind::kSync, 0, Fault::kEintr, FaultSpan::kOnce);
  disk_.fail(CallKind::kSync, 2, Fault::kEio, FaultSpan::kOnce);
  ASSERT_EQ(disk_.write(handle_, "kept", 4, 0), 4);
  EXPECT_EQ(disk_.sync(handle_), -EINTR);
  EXPECT_EQ(disk_.sync(handle_), 0);
  ASSERT_EQ(disk_.write(handle_, "lost", 4, 0), 4);
  EXPECT_EQ(disk_.sync(handle_), -EIO);
  EXPECT_EQ(disk_.sync(handle_), 0);
  EXPECT_EQ(below_.read_all("/a"), "lost");
  below_.cut_power(PowerCut::kKeepEverything, 1);
  EXPECT_EQ(below_.read_all("/a"), "kept");
}

TEST(FaultyDisk, StandsAroundAnyDisk) {
  const testing::TemporaryDirectory directory;
  const std::string path = (directory.path() / "a").string();
  PosixDisk below;
  FaultyDisk disk(below);
  disk.fail(CallKind::kSync, 0, Fault::kEio, FaultSpan::kOnce);
  const Disk::Handle handle = disk.open(path, OpenMode::kCreate);
  ASSERT_GE(handle, 0);
  EXPECT_EQ(disk.sync(handle), -EIO);
  EXPECT_EQ(disk.sync(handle), 0);
  EXPECT_EQ(disk.close(handle), 0);
}

TEST(FaultyDiskDeathTest, RefusesSignalsWithoutEnd) {
  SimulatedDisk below;
  FaultyDisk disk(below);
  EXPECT_DEATH(disk.fail(CallKind::kAny, 0, Fault::kEintr, FaultSpan::kForEver),
               "a signal interrupts one call");
}

// F9: of many reads at once each is a call; what befalls one does not befall the others.
TEST_F(FaultyDiskTest, EachOfManyReadsIsACall) {
  ASSERT_EQ(disk_.write(handle_, "abcdefghij", 10, 0), 10);
  disk_.fail(CallKind::kRead, 1, Fault::kEio, FaultSpan::kOnce);
  disk_.fail(CallKind::kRead, 2, Fault::kShortRead, FaultSpan::kOnce);
  std::string bytes(16, '?');
  std::vector<ReadPart> parts;
  for (std::size_t i = 0; i < 4; ++i) {
    parts.push_back({.handle = handle_, .to = bytes.data() + 4 * i, .bytes = 4, .offset = 2 * i});
  }
  disk_.read_many(parts);
  EXPECT_EQ(parts[0].result, 4);
  EXPECT_EQ(parts[1].result, -EIO);
  EXPECT_EQ(parts[2].result, 2);
  EXPECT_EQ(parts[3].result, 4);
  EXPECT_EQ(bytes, "abcd????ef??ghij");
  EXPECT_EQ(disk_.call_count(CallKind::kRead), 4U);
}

}  // namespace
}  // namespace ashlar::os
