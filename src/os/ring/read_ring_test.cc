// What a disk relies on: whatever is read by way of the kernel's rings is what single calls would
// have read, each part for itself, and nothing of it comes later (F12).

#include "os/ring/read_ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::os {
namespace {

constexpr std::size_t kFileBytes = 300'000;

class ReadRingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (ring_ == nullptr) GTEST_SKIP() << "the kernel has no io_uring, or forbids it";
    content_.resize(kFileBytes);
    for (char& byte : content_) byte = static_cast<char>(random_.below(256));
    fd_ = ::open((directory_.path() / "file").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_EQ(::pwrite(fd_, content_.data(), content_.size(), 0), std::ssize(content_));
  }
  void TearDown() override {
    if (fd_ >= 0) ::close(fd_);
  }

  // Out of the page cache, so that the parts are answered in whatever order.
  void drop_pages() const {
    ASSERT_EQ(::fdatasync(fd_), 0);
    ASSERT_EQ(::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED), 0);
  }

  testing::Random random_{testing::seed()};
  testing::TemporaryDirectory directory_;
  std::unique_ptr<ReadRing> ring_ = ReadRing::make();
  std::string content_;
  int fd_ = -1;
};

TEST_F(ReadRingTest, ReadsEveryPartAsACallOfItsOwnWould) {
  for (int round = 0; round < 50; ++round) {
    if (round % 5 == 0) drop_pages();
    const std::size_t count = 1 + random_.below(ReadRing::kPartsMax);
    std::vector<std::string> buffers(count);
    std::vector<ReadPart> parts;
    for (std::string& buffer : buffers) {
      buffer.assign(random_.below(20'000), '?');
      parts.push_back({.handle = fd_,
                       .to = buffer.data(),
                       .bytes = buffer.size(),
                       .offset = random_.below(kFileBytes + 10'000)});
    }
    ASSERT_TRUE(ring_->read(parts));
    for (std::size_t i = 0; i < count; ++i) {
      std::string expected(parts[i].bytes, '?');
      EXPECT_EQ(parts[i].result, ::pread(fd_, expected.data(), expected.size(),
                                         static_cast<off_t>(parts[i].offset)));
      EXPECT_EQ(buffers[i], expected) << "part " << i;
    }
  }
}

// One that cannot be read takes nothing from the others, and the ring goes on.
TEST_F(ReadRingTest, GivesEachPartAResultOfItsOwn) {
  const int directory = ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int round = 0; round < 3; ++round) {
    std::string buffer(30, '?');
    std::vector<ReadPart> parts = {
        {.handle = fd_, .to = buffer.data(), .bytes = 10, .offset = 5},
        {.handle = 1'000'000, .to = buffer.data() + 10, .bytes = 10, .offset = 0},
        {.handle = directory, .to = buffer.data() + 10, .bytes = 10, .offset = 0},
        {.handle = fd_, .to = buffer.data() + 20, .bytes = 10, .offset = kFileBytes - 3}};
    ASSERT_TRUE(ring_->read(parts));
    EXPECT_EQ(parts[0].result, 10);
    EXPECT_EQ(parts[1].result, -EBADF);
    EXPECT_EQ(parts[2].result, -EISDIR);
    EXPECT_EQ(parts[3].result, 3);
    EXPECT_EQ(buffer.substr(0, 10), content_.substr(5, 10));
    EXPECT_EQ(buffer.substr(10, 10), "??????????");
    EXPECT_EQ(buffer.substr(20, 3), content_.substr(kFileBytes - 3));
  }
  ::close(directory);
}

// A ring whose descriptor is gone is refused by the kernel: the parts say so and the ring, too.
TEST_F(ReadRingTest, TellsOfPartsThatTheKernelDidNotTake) {
  int ring_fd = -1;
  for (int fd = 3; fd < 200 && ring_fd < 0; ++fd) {
    char target[64] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target, sizeof(target) - 1) <= 0) continue;
    if (std::string_view(target).find("io_uring") != std::string_view::npos) ring_fd = fd;
  }
  ASSERT_GE(ring_fd, 0);
  ASSERT_EQ(::dup3(fd_, ring_fd, O_CLOEXEC), ring_fd) << "another file under its number";
  std::string buffer(10, '?');
  std::vector<ReadPart> parts(
      2, ReadPart{.handle = fd_, .to = buffer.data(), .bytes = 10, .offset = 0, .result = 77});
  EXPECT_FALSE(ring_->read(parts));
  EXPECT_EQ(parts[0].result, -EAGAIN);
  EXPECT_EQ(parts[1].result, -EAGAIN);
  EXPECT_EQ(buffer, "??????????");
}

}  // namespace
}  // namespace ashlar::os
