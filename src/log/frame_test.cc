// What recovery relies on: a frame is valid as it was written, where it was written, and not
// otherwise.

#include "log/frame.h"

#include <gtest/gtest.h>

#include <string>

#include "base/coding.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::log {
namespace {

constexpr LogId kLogId = 0x1234'5678'9abc'def0;

std::string encoded(const FrameHeader& header, std::string_view payload, Position position) {
  std::string bytes(header.frame_bytes(), '\0');
  encode_frame_header(header, payload_hash(payload), position, kLogId, bytes.data());
  bytes.replace(FrameHeader::kBytes, payload.size(), payload);
  return bytes;
}

FrameHeader header_for(std::string_view payload) {
  return {.payload_bytes = static_cast<std::uint32_t>(payload.size()),
          .chain = 77,
          .unsynced_bytes = 4096,
          .commit = 9};
}

TEST(Frame, ComesBackAsItWas) {
  for (const std::size_t payload_bytes : {0U, 1U, 7U, 8U, 9U, 100U, 70'000U}) {
    const std::string payload(payload_bytes, 'p');
    const std::string bytes = encoded(header_for(payload), payload, 4096);
    EXPECT_EQ(bytes.size() % 8, 0U);
    EXPECT_EQ(plausible_header(bytes).value().frame_bytes(), bytes.size());
    const auto frame = decode_frame(bytes, 4096, kLogId);
    ASSERT_TRUE(frame.has_value());
    EXPECT_EQ(frame->payload, payload);
    EXPECT_EQ(frame->header.kind, FrameKind::kCommit);
    EXPECT_EQ(frame->header.chain, 77U);
    EXPECT_EQ(frame->header.unsynced_bytes, 4096U);
    EXPECT_EQ(frame->header.commit, 9U);
    EXPECT_EQ(frame->end(), 4096 + bytes.size());
  }
}

// L1: at another position, in another log, or cut short it is none.
TEST(Frame, IsValidInOnePlaceOnly) {
  const std::string payload = "payload";
  const std::string bytes = encoded(header_for(payload), payload, 64);
  EXPECT_TRUE(decode_frame(bytes, 64, kLogId).has_value());
  EXPECT_FALSE(decode_frame(bytes, 72, kLogId).has_value());
  EXPECT_FALSE(decode_frame(bytes, 64, kLogId + 1).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_frame(std::string_view(bytes).substr(0, size), 64, kLogId).has_value());
  }
}

// C2: every single flipped bit that could matter is found.
TEST(Frame, FindsEveryFlippedBit) {
  const std::string payload = "some payload of a commit";
  const std::string bytes = encoded(header_for(payload), payload, 8);
  const std::size_t meant_bytes = FrameHeader::kBytes + payload.size();
  for (std::size_t bit = 0; bit < meant_bytes * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << bit % 8));
    EXPECT_FALSE(decode_frame(flipped, 8, kLogId).has_value()) << "bit " << bit;
  }
}

TEST(Frame, TakesNothingFromEmptySpaceOrNoise) {
  EXPECT_FALSE(decode_frame(std::string(4096, '\0'), 0, kLogId).has_value());
  testing::Random random(testing::seed());
  for (int i = 0; i < 10'000; ++i) {
    std::string noise(random.below(200), '\0');
    for (char& byte : noise) byte = static_cast<char>(random.next());
    EXPECT_FALSE(decode_frame(noise, 8 * random.below(1000), kLogId).has_value());
  }
}

// L2: the chain of two different frames is hardly ever the same, and never that of the first.
TEST(Frame, ChainsToTheOneBefore) {
  EXPECT_NE(chain_of(0), 0U);
  EXPECT_NE(chain_of(0x0123'4567'0000'0000), chain_of(0x7654'3210'0000'0000));
}

}  // namespace
}  // namespace ashlar::log
