// What the house relies on where the disk is that of the machine: each call does what disk.h says
// and answers failures with a negative errno. F1 to F4 need a machine that loses power to be seen
// (tests with file systems of their own do that); here stands that the calls which promise them are
// the right ones.

#include "os/posix_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::os {
namespace {

struct alignas(kBlockBytes) Block {
  char bytes[kBlockBytes];
};

class PosixDiskTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }

  Disk::Handle create(const std::string& name) {
    const Disk::Handle handle = disk_.open(path(name), OpenMode::kCreate);
    EXPECT_GE(handle, 0);
    return handle;
  }

  std::string content(Disk::Handle handle) {
    std::string all(static_cast<std::size_t>(disk_.size(handle)), '?');
    EXPECT_EQ(disk_.read(handle, all.data(), all.size(), 0), std::ssize(all));
    return all;
  }

  mode_t permissions(const std::string& name) const {
    struct stat status{};
    EXPECT_EQ(::stat(path(name).c_str(), &status), 0);
    return status.st_mode & mode_t{0777};
  }

  testing::TemporaryDirectory directory_;
  PosixDisk disk_;
};

TEST_F(PosixDiskTest, SharesALockAmongThoseWhoAskForThat) {
  const Disk::Handle first = disk_.open(path("a"), OpenMode::kCreate);
  const Disk::Handle second = disk_.open(path("a"), OpenMode::kRead);
  const Disk::Handle third = disk_.open(path("a"), OpenMode::kReadWrite);
  EXPECT_EQ(disk_.lock(first, LockMode::kShared), 0);
  EXPECT_EQ(disk_.lock(second, LockMode::kShared), 0);
  EXPECT_EQ(disk_.lock(third, LockMode::kAlone), -EWOULDBLOCK);
  disk_.close(first);
  EXPECT_EQ(disk_.lock(third, LockMode::kAlone), -EWOULDBLOCK);
  disk_.close(second);
  EXPECT_EQ(disk_.lock(third, LockMode::kAlone), 0);
  disk_.close(third);
}

TEST_F(PosixDiskTest, CreatesAFileOnlyOnceAndOpensOnlyWhatIsThere) {
  EXPECT_EQ(disk_.open(path("a"), OpenMode::kReadWrite), -ENOENT);
  EXPECT_EQ(disk_.open(path("a"), OpenMode::kDurable), -ENOENT);
  const Disk::Handle created = create("a");
  EXPECT_EQ(disk_.open(path("a"), OpenMode::kCreate), -EEXIST);
  const Disk::Handle read = disk_.open(path("a"), OpenMode::kRead);
  ASSERT_GE(read, 0);
  EXPECT_EQ(disk_.write(read, "x", 1, 0), -EBADF);
  EXPECT_EQ(disk_.close(read), 0);
  EXPECT_EQ(disk_.close(created), 0);
}

TEST_F(PosixDiskTest, KeepsWhatItMakesToItsOwner) {
  disk_.close(create("file"));
  ASSERT_EQ(disk_.make_directory(path("directory")), 0);
  EXPECT_EQ(permissions("file"), mode_t{0600});
  EXPECT_EQ(permissions("directory"), mode_t{0700});
}

TEST_F(PosixDiskTest, LeavesNoHandleToAProgramThatIsStarted) {
  disk_.close(create("a"));
  const OpenMode modes[] = {OpenMode::kRead, OpenMode::kReadWrite, OpenMode::kDurable};
  for (const OpenMode mode : modes) {
    const Disk::Handle handle = disk_.open(path("a"), mode);
    ASSERT_GE(handle, 0);
    EXPECT_NE(::fcntl(handle, F_GETFD) & FD_CLOEXEC, 0);
    disk_.close(handle);
  }
}

TEST_F(PosixDiskTest, ReadsBackWhatWasWrittenWhereverItLies) {
  testing::Random random(testing::seed());
  const Disk::Handle handle = create("a");
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const std::string bytes = random.bytes(random.between(1, 5'000));
    const std::size_t offset = random.below(20'000);
    ASSERT_EQ(disk_.write(handle, bytes.data(), bytes.size(), offset), std::ssize(bytes));
    expected.resize(std::max(expected.size(), offset + bytes.size()));
    expected.replace(offset, bytes.size(), bytes);
  }
  EXPECT_EQ(disk_.sync(handle), 0);
  EXPECT_EQ(content(handle), expected);
  char past_the_end = 0;
  EXPECT_EQ(disk_.read(handle, &past_the_end, 1, expected.size()), 0);
  disk_.close(handle);
}

// F2: the handle is one whose writes the system makes durable before they return.
TEST_F(PosixDiskTest, WritesThroughADurableHandleAreSynchronous) {
  const Disk::Handle plain = create("a");
  ASSERT_EQ(disk_.allocate(plain, 4 * kBlockBytes, NewSpace::kZeroed), 0);
  const Disk::Handle durable = disk_.open(path("a"), OpenMode::kDurable);
  ASSERT_GE(durable, 0);
  EXPECT_EQ(::fcntl(durable, F_GETFL) & O_DSYNC, O_DSYNC);

  const auto block = std::make_unique<Block>();
  std::memset(block->bytes, 'x', kBlockBytes);
  EXPECT_EQ(disk_.write(durable, block->bytes, kBlockBytes, kBlockBytes), ssize_t{kBlockBytes});
  EXPECT_EQ(content(plain).substr(kBlockBytes, kBlockBytes), std::string(kBlockBytes, 'x'));
  disk_.close(durable);
  disk_.close(plain);
}

TEST_F(PosixDiskTest, AllocatesSpaceThatReadsAsZeroAndKeepsWhatWasThere) {
  const Disk::Handle handle = create("a");
  ASSERT_EQ(disk_.write(handle, "kept", 4, 0), 4);
  const std::size_t bytes = (std::size_t{5} << 19U) + 3;  // More than two steps of zeros.
  ASSERT_EQ(disk_.allocate(handle, bytes, NewSpace::kZeroed), 0);
  EXPECT_EQ(content(handle), "kept" + std::string(bytes - 4, '\0'));
  struct stat status{};
  ASSERT_EQ(::fstat(handle, &status), 0);
  EXPECT_GE(static_cast<std::size_t>(status.st_blocks) * 512, bytes);
  ASSERT_EQ(disk_.allocate(handle, 10, NewSpace::kZeroed), 0);
  EXPECT_EQ(disk_.size(handle), static_cast<std::int64_t>(bytes)) << "it never shrinks a file";
  disk_.close(handle);
}

// Writes that fill it in need no more space, and what is between them reads as zero.
TEST_F(PosixDiskTest, SetsSpaceAsideThatReadsAsZero) {
  const Disk::Handle handle = create("a");
  constexpr std::size_t kBytes = std::size_t{1} << 20U;
  ASSERT_EQ(disk_.allocate(handle, kBytes, NewSpace::kSetAside), 0);
  EXPECT_EQ(disk_.size(handle), static_cast<std::int64_t>(kBytes));
  struct stat status{};
  ASSERT_EQ(::fstat(handle, &status), 0);
  EXPECT_GE(static_cast<std::size_t>(status.st_blocks) * 512, kBytes);
  ASSERT_EQ(disk_.write(handle, "end", 3, kBytes - 3), 3);
  EXPECT_EQ(content(handle), std::string(kBytes - 3, '\0') + "end");
  ASSERT_EQ(disk_.allocate(handle, 10, NewSpace::kSetAside), 0);
  EXPECT_EQ(disk_.size(handle), static_cast<std::int64_t>(kBytes)) << "it never shrinks a file";
  disk_.close(handle);
}

TEST_F(PosixDiskTest, TruncatesAndGrowsAgainWithZeros) {
  const Disk::Handle handle = create("a");
  ASSERT_EQ(disk_.write(handle, "abcdef", 6, 0), 6);
  ASSERT_EQ(disk_.truncate(handle, 2), 0);
  ASSERT_EQ(disk_.truncate(handle, 4), 0);
  EXPECT_EQ(content(handle), std::string("ab\0\0", 4));
  disk_.close(handle);
}

TEST_F(PosixDiskTest, StoresThroughAMappingAreStoresToTheFile) {
  const Disk::Handle handle = create("a");
  ASSERT_EQ(disk_.allocate(handle, kBlockBytes, NewSpace::kZeroed), 0);
  char* address = nullptr;
  ASSERT_EQ(disk_.map(handle, kBlockBytes, &address), 0);
  disk_.close(handle);
  std::memcpy(address + 10, "mapped", 6);  // The mapping outlives the handle.
  EXPECT_EQ(disk_.unmap(address, kBlockBytes), 0);

  const Disk::Handle again = disk_.open(path("a"), OpenMode::kRead);
  EXPECT_EQ(content(again).substr(10, 6), "mapped");
  disk_.close(again);
}

TEST_F(PosixDiskTest, LocksAgainstEveryOtherHandleUntilItIsClosed) {
  const Disk::Handle first = create("a");
  const Disk::Handle second = disk_.open(path("a"), OpenMode::kReadWrite);
  EXPECT_EQ(disk_.lock(first, LockMode::kAlone), 0);
  EXPECT_EQ(disk_.lock(second, LockMode::kAlone), -EWOULDBLOCK);
  disk_.close(first);
  EXPECT_EQ(disk_.lock(second, LockMode::kAlone), 0);
  disk_.close(second);
}

TEST_F(PosixDiskTest, RenamesOverAndRemoves) {
  disk_.close(create("a"));
  const Disk::Handle replaced = create("b");
  EXPECT_EQ(disk_.rename(path("a"), path("b")), 0);
  EXPECT_EQ(disk_.rename(path("a"), path("b")), -ENOENT);
  EXPECT_EQ(disk_.sync_directory(directory_.path()), 0);
  EXPECT_EQ(disk_.size(replaced), 0) << "a handle keeps its file";
  disk_.close(replaced);
  EXPECT_EQ(disk_.remove(path("b")), 0);
  EXPECT_EQ(disk_.remove(path("b")), -ENOENT);
}

// F11
TEST_F(PosixDiskTest, LinksAFileIntoAnotherDirectory) {
  const Disk::Handle file = create("a");
  ASSERT_EQ(disk_.make_directory(path("d")), 0);
  EXPECT_EQ(disk_.link(path("none"), path("d/a")), -ENOENT);
  EXPECT_EQ(disk_.link(path("a"), path("d/a")), 0);
  EXPECT_EQ(disk_.link(path("a"), path("d/a")), -EEXIST);
  EXPECT_EQ(disk_.write(file, "x", 1, 0), 1);
  disk_.close(file);
  EXPECT_EQ(disk_.remove(path("a")), 0);
  const Disk::Handle link = disk_.open(path("d/a"), OpenMode::kRead);
  EXPECT_EQ(disk_.size(link), 1);
  disk_.close(link);
  EXPECT_EQ(disk_.remove(path("d/a")), 0);
  EXPECT_EQ(disk_.remove(path("d")), -EISDIR);
}

TEST_F(PosixDiskTest, ListsWhatIsThere) {
  std::vector<std::string> names = {"of an earlier list"};
  ASSERT_EQ(disk_.list(directory_.path(), names), 0);
  EXPECT_TRUE(names.empty());
  disk_.close(create("b"));
  ASSERT_EQ(disk_.make_directory(path("a")), 0);
  EXPECT_EQ(disk_.make_directory(path("a")), -EEXIST);
  ASSERT_EQ(disk_.list(directory_.path(), names), 0);
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b"}));
}

TEST_F(PosixDiskTest, NamesTheReasonOfEachFailure) {
  std::vector<std::string> names;
  char byte = 0;
  EXPECT_EQ(disk_.list(path("none"), names), -ENOENT);
  EXPECT_EQ(disk_.sync_directory(path("none")), -ENOENT);
  EXPECT_EQ(disk_.make_directory(path("none/below")), -ENOENT);
  EXPECT_EQ(disk_.open(path("none/below"), OpenMode::kCreate), -ENOENT);
  EXPECT_EQ(disk_.close(-1), -EBADF);
  EXPECT_EQ(disk_.read(-1, &byte, 1, 0), -EBADF);
  EXPECT_EQ(disk_.sync(-1), -EBADF);
  EXPECT_EQ(disk_.size(-1), -EBADF);
  EXPECT_EQ(disk_.allocate(-1, 1, NewSpace::kZeroed), -EBADF);
  EXPECT_EQ(disk_.lock(-1, LockMode::kAlone), -EBADF);
}

// Fills a file and reads parts of it through `disk`: whole ones, one past the end, one of no file.
std::vector<std::string> read_parts(Disk& disk, const std::string& path) {
  const Disk::Handle handle = disk.open(path, OpenMode::kCreate);
  const std::string content(5000, 'x');
  EXPECT_EQ(disk.write(handle, content.data(), content.size(), 0), std::ssize(content));
  std::vector<std::string> buffers(100, std::string(70, '?'));
  std::vector<ReadPart> parts;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    parts.push_back({.handle = i == 9 ? -1 : handle,
                     .to = buffers[i].data(),
                     .bytes = buffers[i].size(),
                     .offset = i * 51});
  }
  disk.read_many(parts);
  disk.close(handle);
  for (std::size_t i = 0; i < parts.size(); ++i) buffers[i] += std::to_string(parts[i].result);
  return buffers;
}

TEST_F(PosixDiskTest, ReadsManyPartsAlikeWithAndWithoutRings) {
  PosixDisk plain(RingUse::kNever);
  const auto expected = read_parts(plain, path("a"));
  EXPECT_EQ(expected[0], std::string(70, 'x') + "70");
  EXPECT_EQ(expected[9], std::string(70, '?') + std::to_string(-EBADF));
  EXPECT_EQ(expected[98], std::string(2, 'x') + std::string(68, '?') + "2");
  EXPECT_EQ(expected[99], std::string(70, '?') + "0");
  EXPECT_EQ(plain.rings().ring_count(), 0U);
  EXPECT_EQ(read_parts(disk_, path("b")), expected);
}

/// Has the kernel refuse rings to this process from now on, as the sandboxes of containers do.
bool forbid_rings() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = 4, .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(PosixDiskTest, ReadsManyPartsAlikeWhereTheKernelForbidsRings) {
  PosixDisk plain(RingUse::kNever);
  const auto expected = read_parts(plain, path("a"));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!forbid_rings()) ::_exit(2);
    const bool is_alike = read_parts(disk_, path("b")) == expected;
    ::_exit(is_alike && disk_.rings().ring_count() == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this machine lets no process restrict itself";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// How a file is to be read changes how fast, and no byte.
TEST_F(PosixDiskTest, ReadsTheSameHereAndThereAndAhead) {
  const Disk::Handle written = create("a");
  const std::string all(100'000, 'x');
  ASSERT_EQ(disk_.write(written, all.data(), all.size(), 0), std::ssize(all));
  const Disk::Handle handle = disk_.open(path("a"), OpenMode::kReadHere);
  ASSERT_GE(handle, 0);
  disk_.read_ahead(handle, 50'000, 90'000);
  EXPECT_EQ(content(handle), all);
  EXPECT_EQ(disk_.write(handle, "y", 1, 0), -EBADF);
  EXPECT_EQ(disk_.open(path("none"), OpenMode::kReadHere), -ENOENT);
  disk_.read_ahead(-1, 1, 0);
  disk_.close(handle);
  disk_.close(written);
}

}  // namespace
}  // namespace ashlar::os
