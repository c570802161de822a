// A reference comes back as it was written, and vouches for the bytes and for their place.

#include "engine/value_reference.h"

#include <gtest/gtest.h>

#include <string>

namespace ashlar::engine {
namespace {

std::string encoded(const ValueReference& reference) {
  std::string bytes(ValueReference::kBytes, '\0');
  encode_value_reference(reference, bytes.data());
  return bytes;
}

// V40
TEST(ValueReference, ComesBackAsItWasWritten) {
  for (const std::uint64_t position : {std::uint64_t{0}, std::uint64_t{4099}, kCollectedBit + 7}) {
    const ValueReference reference{.position = position, .bytes = 512U << 20U, .checksum = ~0ULL};
    EXPECT_EQ(decode_value_reference(encoded(reference)), reference);
  }
}

// V40: bytes from a disk are judged before anything is read by them.
TEST(ValueReference, IsRefusedWhenNoValueCanLieThere) {
  const std::string good = encoded({.position = 1, .bytes = 2, .checksum = 3});
  EXPECT_FALSE(decode_value_reference(good.substr(1)).has_value());
  EXPECT_FALSE(decode_value_reference(good + "x").has_value());
  std::string too_long = good;
  too_long.replace(8, 4, "\xff\xff\xff\xff");
  EXPECT_FALSE(decode_value_reference(too_long).has_value());
  std::string beyond = good;
  beyond.replace(0, 8, 8, '\xff');
  EXPECT_FALSE(decode_value_reference(beyond).has_value());
}

// V40
TEST(ValueReference, HasAnotherChecksumForOtherBytesAndOtherPlaces) {
  const std::uint64_t checksum = value_checksum(value_hash("value"), 4096);
  EXPECT_EQ(checksum, value_checksum(value_hash("value"), 4096));
  EXPECT_NE(checksum, value_checksum(value_hash("valve"), 4096));
  EXPECT_NE(checksum, value_checksum(value_hash("value"), 4097));
}

}  // namespace
}  // namespace ashlar::engine
