// What every stored format relies on: numbers come back, and a decoder refuses what no encoder
// makes.

#include "base/coding.h"

#include <gtest/gtest.h>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::base {
namespace {

TEST(Coding, BringsNumbersBack) {
  testing::Random random(testing::seed());
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t number = random.next() >> random.below(64);
    std::string bytes;
    append_varint(bytes, number);
    append_number(bytes, number);
    EXPECT_LE(bytes.size(), kVarintBytesMax + 8);
    EXPECT_EQ(bytes.size(), varint_bytes(number) + 8);
    std::string_view rest = bytes;
    std::uint64_t varint = 0;
    std::uint64_t fixed = 0;
    ASSERT_TRUE(take_varint(rest, varint));
    ASSERT_TRUE(take_number(rest, fixed));
    EXPECT_EQ(varint, number);
    EXPECT_EQ(fixed, number);
    EXPECT_TRUE(rest.empty());
  }
}

TEST(Coding, RefusesNumbersThatEndEarly) {
  std::string bytes;
  append_varint(bytes, UINT64_MAX);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view rest(bytes.data(), size);
    std::uint64_t number = 0;
    EXPECT_FALSE(take_varint(rest, number)) << size;
    EXPECT_EQ(rest.size(), size) << "nothing is taken";
  }
  std::string_view rest = "1234567";
  std::uint64_t number = 0;
  EXPECT_FALSE(take_number(rest, number));
  std::string_view taken;
  EXPECT_FALSE(take_bytes(rest, 8, taken));
  EXPECT_TRUE(take_bytes(rest, 7, taken));
}

TEST(Coding, RefusesNumbersInMoreThanTheirShortestForm) {
  for (const std::string_view bytes :
       {std::string_view("\x80\x00", 2), std::string_view("\xff\x80\x00", 3),
        std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10)}) {
    std::string_view rest = bytes;
    std::uint64_t number = 0;
    EXPECT_FALSE(take_varint(rest, number));
  }
}

}  // namespace
}  // namespace ashlar::base
