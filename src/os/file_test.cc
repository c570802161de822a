// What everything above relies on: a call does all of what it was asked or says what failed, where
// and in which file; interruptions and short counts are nobody else's business.

#include "os/file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "os/faulty_disk.h"
#include "os/posix_disk.h"
#include "os/simulated_disk.h"
#include "testing/temporary_directory.h"

namespace ashlar::os {
namespace {

class FileTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> open(const std::string& path, OpenMode mode) {
    auto file = File::open(disk_, path, mode);
    EXPECT_TRUE(file.has_value()) << file.error().message();
    return file ? std::move(*file) : nullptr;
  }
  std::unique_ptr<File> create(const std::string& path) { return open(path, OpenMode::kCreate); }

  // Lets the next call of `kind` fail.
  void fail_next(CallKind kind, Fault fault) {
    disk_.fail(kind, disk_.call_count(kind), fault, FaultSpan::kOnce);
  }

  SimulatedDisk simulated_;
  FaultyDisk disk_{simulated_};
};

template <typename T>
std::string message_of(const Result<T>& result) {
  return result ? "no error" : std::string(result.error().message());
}

template <typename T>
ErrorCode code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorCode::kInvalidArgument : result.error().code();
}

TEST_F(FileTest, AFileThatIsNotThereIsAnAnswerAndNoError) {
  EXPECT_EQ(open("/a", OpenMode::kReadWrite), nullptr);
  ASSERT_NE(create("/a"), nullptr);
  const auto again = File::open(disk_, "/a", OpenMode::kCreate);
  EXPECT_EQ(code_of(again), ErrorCode::kUnavailable);
  EXPECT_EQ(message_of(again), "/a: exists already");
  EXPECT_EQ(message_of(File::open(disk_, "/none/a", OpenMode::kCreate)),
            "/none/a: open: No such file or directory");
}

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  const auto file = create("/a");
  ASSERT_TRUE(file->write(3, std::string_view("written")));
  EXPECT_EQ(file->size().value(), 10U);
  std::string all(10, '?');
  ASSERT_TRUE(file->read(0, all));
  EXPECT_EQ(all, std::string(3, '\0') + "written");
  EXPECT_EQ(file->path(), "/a");
}

TEST_F(FileTest, TellsWhereAFileEndsTooEarly) {
  const auto file = create("/a");
  ASSERT_TRUE(file->write(0, std::string_view("short")));
  std::string bytes(8, '?');
  EXPECT_EQ(file->read_some(2, bytes).value(), 3U);
  EXPECT_EQ(file->read_some(9, bytes).value(), 0U);
  const auto read = file->read(2, bytes);
  EXPECT_EQ(code_of(read), ErrorCode::kCorruption);
  EXPECT_EQ(message_of(read), "/a: ends at 5, before the 8 bytes at 2");
}

TEST_F(FileTest, GoesOnAfterShortCounts) {
  const auto file = create("/a");
  disk_.fail(CallKind::kAny, 0, Fault::kShortWrite, FaultSpan::kForEver);
  disk_.fail(CallKind::kAny, 0, Fault::kShortRead, FaultSpan::kForEver);
  const std::string written(10'000, 'x');
  ASSERT_TRUE(file->write(0, written));
  std::string read(10'000, '?');
  ASSERT_TRUE(file->read(0, read));
  EXPECT_EQ(read, written);
  EXPECT_GT(disk_.call_count(CallKind::kWrite), 10U);
}

// Every call is interrupted once, and does all the same what it should.
TEST_F(FileTest, TriesAgainAfterAnInterruption) {
  for (std::uint64_t call = 0; call < 100; call += 2) {
    disk_.fail(CallKind::kAny, call, Fault::kEintr, FaultSpan::kOnce);
  }
  const auto file = create("/a");
  ASSERT_TRUE(file->allocate(kBlockBytes));
  ASSERT_TRUE(file->write(0, std::string_view("x")));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->truncate(1));
  EXPECT_EQ(file->size().value(), 1U);
  EXPECT_TRUE(file->lock(LockMode::kAlone).value());
  std::string byte(1, '?');
  ASSERT_TRUE(file->read(0, byte));
  EXPECT_EQ(byte, "x");
  ASSERT_TRUE(Mapping::make(*file, kBlockBytes));
  EXPECT_TRUE(make_directory(disk_, "/d").value());
  EXPECT_TRUE(link_file(disk_, "/a", "/d/a").value());
  ASSERT_TRUE(rename_file(disk_, "/a", "/b"));
  ASSERT_TRUE(sync_directory(disk_, "/"));
  EXPECT_EQ(list_directory(disk_, "/").value(), (std::vector<std::string>{"b", "d"}));
  EXPECT_TRUE(remove_file(disk_, "/b").value());
  EXPECT_EQ(disk_.call_count(CallKind::kAny), 32U) << "16 calls, each interrupted and repeated";
}

// What cannot be linked is told apart from what has failed: it can be copied.
TEST_F(FileTest, SaysWhenAFileCannotHaveTwoNames) {
  create("/a");
  EXPECT_FALSE(link_file(disk_, "/a", "/b").value());
  EXPECT_EQ(message_of(link_file(disk_, "/none", "/b")),
            "/none: link to /b: No such file or directory");
}

TEST_F(FileTest, NamesFileCallAndPlaceOfAFailure) {
  const auto file = create("/a");
  ASSERT_TRUE(file->write(0, std::string(10'000, 'x')));
  std::string bytes(10, '?');
  fail_next(CallKind::kRead, Fault::kEio);
  EXPECT_EQ(message_of(file->read(7, bytes)), "/a: read at 7: Input/output error");
  fail_next(CallKind::kWrite, Fault::kEnospc);
  EXPECT_EQ(message_of(file->write(8192, bytes)), "/a: write at 8192: No space left on device");
  fail_next(CallKind::kSync, Fault::kEio);
  EXPECT_EQ(message_of(file->sync()), "/a: sync: Input/output error");
  fail_next(CallKind::kSize, Fault::kEio);
  EXPECT_EQ(message_of(file->size()), "/a: size: Input/output error");
  fail_next(CallKind::kAllocate, Fault::kEdquot);
  EXPECT_EQ(message_of(file->allocate(9)), "/a: allocate 9 bytes: Disk quota exceeded");
  fail_next(CallKind::kTruncate, Fault::kEio);
  EXPECT_EQ(message_of(file->truncate(5)), "/a: truncate at 5: Input/output error");
  fail_next(CallKind::kLock, Fault::kEio);
  EXPECT_EQ(message_of(file->lock(LockMode::kAlone)), "/a: lock: Input/output error");
  fail_next(CallKind::kMap, Fault::kEio);
  EXPECT_EQ(message_of(Mapping::make(*file, 7)), "/a: map 7 bytes: Input/output error");
  fail_next(CallKind::kRename, Fault::kEio);
  EXPECT_EQ(message_of(rename_file(disk_, "/a", "/b")), "/a: rename to /b: Input/output error");
  fail_next(CallKind::kLink, Fault::kEio);
  EXPECT_EQ(message_of(link_file(disk_, "/a", "/d/a")), "/a: link to /d/a: Input/output error");
  fail_next(CallKind::kRemove, Fault::kEio);
  EXPECT_EQ(message_of(remove_file(disk_, "/a")), "/a: remove: Input/output error");
  fail_next(CallKind::kMakeDirectory, Fault::kEio);
  EXPECT_EQ(message_of(make_directory(disk_, "/d")), "/d: make directory: Input/output error");
  fail_next(CallKind::kSyncDirectory, Fault::kEio);
  EXPECT_EQ(message_of(sync_directory(disk_, "/")), "/: sync directory: Input/output error");
  EXPECT_EQ(message_of(list_directory(disk_, "/d")), "/d: list: No such file or directory");
}

TEST_F(FileTest, TellsAFullDiskFromABrokenOne) {
  const auto file = create("/a");
  const std::string_view byte = "x";
  fail_next(CallKind::kWrite, Fault::kEnospc);
  EXPECT_EQ(code_of(file->write(0, byte)), ErrorCode::kOutOfSpace);
  fail_next(CallKind::kWrite, Fault::kEdquot);
  EXPECT_EQ(code_of(file->write(0, byte)), ErrorCode::kOutOfSpace);
  fail_next(CallKind::kWrite, Fault::kEio);
  EXPECT_EQ(code_of(file->write(0, byte)), ErrorCode::kIo);
}

TEST_F(FileTest, AFailureInTheMiddleNamesThePlaceThatWasReached) {
  const auto file = create("/a");
  const std::uint64_t next = disk_.call_count(CallKind::kWrite);
  disk_.fail(CallKind::kWrite, next, Fault::kShortWrite, FaultSpan::kOnce);
  disk_.fail(CallKind::kWrite, next + 1, Fault::kEio, FaultSpan::kOnce);
  EXPECT_EQ(message_of(file->write(100, std::string(10, 'x'))),
            "/a: write at 105: Input/output error");
}

// F1: a failed sync is reported, and the promise of the next one does not cover what that one lost.
TEST_F(FileTest, NobodyMayTrustTheSyncAfterAFailedOne) {
  const auto file = create("/a");
  ASSERT_TRUE(sync_directory(disk_, "/"));
  ASSERT_TRUE(file->write(0, std::string_view("lost")));
  fail_next(CallKind::kSync, Fault::kEio);
  EXPECT_EQ(code_of(file->sync()), ErrorCode::kIo);
  EXPECT_TRUE(file->sync());
  simulated_.cut_power(PowerCut::kKeepEverything, 1);
  EXPECT_EQ(simulated_.read_all("/a"), std::string(4, '\0'));
}

TEST_F(FileTest, ALockKeepsOthersOutUntilTheFileIsClosed) {
  auto first = create("/a");
  const auto second = open("/a", OpenMode::kReadWrite);
  EXPECT_TRUE(first->lock(LockMode::kAlone).value());
  EXPECT_FALSE(second->lock(LockMode::kAlone).value());
  first.reset();
  EXPECT_TRUE(second->lock(LockMode::kAlone).value());
}

TEST_F(FileTest, AMappingOutlivesItsFile) {
  auto file = create("/a");
  ASSERT_TRUE(file->allocate(kBlockBytes));
  const auto mapping = Mapping::make(*file, kBlockBytes).value();
  file.reset();
  std::memcpy(mapping->begin(), "stored", 6);
  EXPECT_EQ(mapping->bytes(), kBlockBytes);
  EXPECT_EQ(simulated_.read_all("/a").substr(0, 6), "stored");
}

TEST_F(FileTest, NamesThatAreThereOrNotAreAnswers) {
  EXPECT_TRUE(make_directory(disk_, "/d").value());
  EXPECT_FALSE(make_directory(disk_, "/d").value());
  EXPECT_FALSE(remove_file(disk_, "/d/a").value());
  create("/d/b");
  create("/d/a");
  EXPECT_EQ(list_directory(disk_, "/d").value(), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(rename_file(disk_, "/d/b", "/d/a"));
  EXPECT_EQ(list_directory(disk_, "/d").value(), std::vector<std::string>{"a"});
}

// F3: the name of a directory is durable with it, whoever made it.
TEST_F(FileTest, ADirectoryOnceMadeSurvivesAPowerCut) {
  ASSERT_EQ(simulated_.make_directory("/d"), 0);
  EXPECT_FALSE(make_directory(disk_, "/d").value());
  EXPECT_TRUE(make_directory(disk_, "/d/e/").value());
  simulated_.cut_power(PowerCut::kKeepNothing, 1);
  EXPECT_TRUE(list_directory(disk_, "/d/e").has_value());
}

// The same on the disk of the machine, with a handle that writes past the cache.
TEST(File, WorksOnTheDiskOfTheMachine) {
  const testing::TemporaryDirectory directory;
  PosixDisk disk;
  const std::string path = (directory.path() / "a").string();
  const auto file = File::open(disk, path, OpenMode::kCreate).value();
  ASSERT_TRUE(file->allocate(4 * kBlockBytes));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(sync_directory(disk, directory.path()));
  const auto durable = File::open(disk, path, OpenMode::kDurable).value();
  const auto mapping = Mapping::make(*file, 4 * kBlockBytes).value();
  // A mapping starts on a page, which is as much as a durable write asks for.
  std::memset(mapping->begin() + kBlockBytes, 'x', kBlockBytes);
  ASSERT_TRUE(durable->write(2 * kBlockBytes, {mapping->begin() + kBlockBytes, kBlockBytes}));
  std::string block(kBlockBytes, '?');
  ASSERT_TRUE(file->read(2 * kBlockBytes, block));
  EXPECT_EQ(block, std::string(kBlockBytes, 'x'));
}

// Each of many reads ends as it would alone: the same bytes, the same words.
TEST_F(FileTest, ReadsManyPlacesEachAsIfItWereAlone) {
  const auto a = create("/a");
  const auto b = create("/b");
  ASSERT_TRUE(a->write(0, std::string_view("0123456789")).has_value());
  ASSERT_TRUE(b->write(0, std::string_view("abcdefghij")).has_value());
  std::string bytes(20, '?');
  const auto place = [&](std::size_t i) { return std::span(bytes).subspan(4 * i, 4); };
  std::vector<FileRead> reads = {{.file = a.get(), .offset = 0, .to = place(0)},
                                 {.file = b.get(), .offset = 3, .to = place(1)},
                                 {.file = a.get(), .offset = 8, .to = place(2)},
                                 {.file = b.get(), .offset = 2, .to = place(3)},
                                 {.file = b.get(), .offset = 1, .to = place(4)}};
  const std::uint64_t first = disk_.call_count(CallKind::kRead);
  disk_.fail(CallKind::kRead, first, Fault::kEintr, FaultSpan::kOnce);
  disk_.fail(CallKind::kRead, first + 1, Fault::kShortRead, FaultSpan::kOnce);
  disk_.fail(CallKind::kRead, first + 3, Fault::kEio, FaultSpan::kOnce);
  File::read_many(reads);
  EXPECT_EQ(message_of(reads[0].result), "no error");
  EXPECT_EQ(message_of(reads[1].result), "no error");
  EXPECT_EQ(message_of(reads[2].result), message_of(a->read(8, place(2))));
  EXPECT_EQ(code_of(reads[2].result), ErrorCode::kCorruption);
  EXPECT_EQ(message_of(reads[3].result), "/b: read at 2: Input/output error");
  EXPECT_EQ(message_of(reads[4].result), "no error");
  EXPECT_EQ(bytes, "0123defg89??????bcde");
}

}  // namespace
}  // namespace ashlar::os
