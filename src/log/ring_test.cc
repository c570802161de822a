// What recovery relies on: the ring gives back what was stored last, and its marks never tell more
// than was true.

#include "log/ring.h"

#include <gtest/gtest.h>

#include <string>

#include "os/simulated_disk.h"

namespace ashlar::log {
namespace {

constexpr std::uint64_t kRingBytes = std::uint64_t{16} << 10U;
constexpr LogId kLogId = 77;

class RingTest : public ::testing::Test {
 protected:
  RingTest() { EXPECT_EQ(disk_.make_directory("/log"), 0); }

  std::unique_ptr<Ring> renew(Position durable, std::uint64_t bytes = kRingBytes,
                              RingRest rest = RingRest::kCleared) {
    auto ring = Ring::renew(disk_, "/log", bytes, kLogId, durable, rest);
    EXPECT_TRUE(ring.has_value()) << ring.error().message();
    return *std::move(ring);
  }

  RingImage read() {
    auto image = read_ring(disk_, "/log/ring");
    EXPECT_TRUE(image.has_value());
    return *std::move(image);
  }

  void flip(std::uint64_t offset) {
    auto file = os::File::open(disk_, "/log/ring", os::OpenMode::kReadWrite);
    char byte = 0;
    ASSERT_TRUE(file.has_value() && (*file)->read(offset, {&byte, 1}).has_value());
    byte = static_cast<char>(byte ^ 1);
    ASSERT_TRUE((*file)->write(offset, {&byte, 1}).has_value());
  }

  os::SimulatedDisk disk_;
};

TEST_F(RingTest, HoldsBytesByTheirPosition) {
  const auto ring = renew(0);
  ring->store(3 * kRingBytes - 2, "abcd");
  EXPECT_EQ(ring->view(3 * kRingBytes - 2, 4), "ab") << "up to the end of the memory";
  EXPECT_EQ(ring->view(3 * kRingBytes, 2), "cd");
  const RingImage image = read();
  EXPECT_TRUE(image.is_there);
  EXPECT_EQ(image.bytes.size(), kRingBytes);
  EXPECT_EQ(image.bytes.substr(0, 2), "cd");
}

// L9: the newest whole mark counts.
TEST_F(RingTest, TellsHowFarTheLogWasDurable) {
  const auto ring = renew(40);
  EXPECT_EQ(read().durable(kLogId), 40U);
  ring->note_durable(4096);
  EXPECT_EQ(read().durable(kLogId), 4096U);
  ring->note_durable(8192);
  EXPECT_EQ(read().durable(kLogId), 8192U);
  EXPECT_EQ(read().durable(kLogId + 1), 0U) << "of another log nothing is known";
}

// L9: a mark that was torn or damaged leaves the one before.
TEST_F(RingTest, FallsBackToTheMarkBefore) {
  const auto ring = renew(40);
  ring->note_durable(4096);
  ring->note_durable(8192);
  for (std::uint64_t offset = 0; offset < 2 * 64; ++offset) {
    flip(kRingBytes + offset);
    const Position told = read().durable(kLogId);
    EXPECT_TRUE(told == 4096 || told == 8192) << "byte " << offset << " gives " << told;
    flip(kRingBytes + offset);
  }
}

TEST_F(RingTest, IsEmptyWhenItBeginsAnew) {
  renew(0)->store(0, "old bytes");
  renew(4096);
  EXPECT_EQ(read().bytes, std::string(kRingBytes, '\0'));
  EXPECT_EQ(read().durable(kLogId), 4096U);
  renew(8192, 2 * kRingBytes);
  EXPECT_EQ(read().bytes.size(), 2 * kRingBytes);
  EXPECT_EQ(read().durable(kLogId), 8192U);
}

// L10: the mark of closing goes with the next process, and no power cut brings it back.
TEST_F(RingTest, ForgetsThatItWasClosed) {
  renew(0)->note_closed(4136);
  EXPECT_EQ(read().closed(kLogId), 4136U);
  EXPECT_EQ(read().closed(kLogId + 1), 0U) << "of another log nothing is known";
  for (std::uint64_t offset = 128; offset < 144; ++offset) {
    flip(kRingBytes + offset);
    EXPECT_EQ(read().closed(kLogId), 0U) << "byte " << offset;
    flip(kRingBytes + offset);
  }
  {
    auto file = os::File::open(disk_, "/log/ring", os::OpenMode::kReadWrite).value();
    ASSERT_TRUE(file->sync().has_value());
  }
  renew(4136);
  EXPECT_EQ(read().closed(kLogId), 0U);
  disk_.cut_power(os::PowerCut::kKeepNothing, 1);
  EXPECT_EQ(read().closed(kLogId), 0U);
}

TEST_F(RingTest, LeavesWhatDoesNotMatter) {
  renew(0)->store(0, "old bytes");
  renew(4096, kRingBytes, RingRest::kLeft)->store(4096, "new bytes");
  EXPECT_EQ(read().bytes.substr(0, 9), "old bytes");
  EXPECT_EQ(read().bytes.substr(4096, 9), "new bytes");
}

TEST_F(RingTest, AnyFileCanBeRead) {
  EXPECT_FALSE(read().is_there);
  for (const std::uint64_t bytes : {0U, 1U, 4096U, 8191U, 8192U, 12'345U}) {
    disk_.remove("/log/ring");
    auto file = os::File::open(disk_, "/log/ring", os::OpenMode::kCreate);
    ASSERT_TRUE(file.has_value());
    if (bytes != 0) {
      ASSERT_TRUE((*file)->allocate(bytes).has_value());
    }
    const RingImage image = read();
    EXPECT_TRUE(image.is_there);
    EXPECT_EQ(image.file_bytes, bytes);
    EXPECT_EQ(image.durable(kLogId), 0U);
    EXPECT_EQ(image.closed(kLogId), 0U);
  }
}

}  // namespace
}  // namespace ashlar::log
