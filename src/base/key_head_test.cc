// What searches and merges rely on: two different heads say which key is the smaller.

#include "base/key_head.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::base {
namespace {

TEST(KeyHead, IsTheFirstEightBytes) {
  EXPECT_EQ(key_head("abcdefgh"), 0x6162636465666768U);
  EXPECT_EQ(key_head("abcdefghi"), key_head("abcdefgh"));
}

TEST(KeyHead, CountsMissingBytesAsZero) {
  EXPECT_EQ(key_head("ab"), 0x6162000000000000U);
  EXPECT_EQ(key_head(std::string("ab\0", 3)), key_head("ab"));
  EXPECT_EQ(key_head({}), 0U);
}

TEST(KeyHead, IsThatOfTheKeyFilledUpWithZeros) {
  testing::Random random(testing::seed());
  for (std::size_t size = 0; size < kKeyHeadBytes; ++size) {
    const std::string key = random.bytes(size);
    EXPECT_EQ(key_head(key), key_head(key + std::string(kKeyHeadBytes - size, '\0'))) << size;
  }
}

TEST(KeyHead, IsOrderedAsKeysAre) {
  testing::Random random(testing::seed());
  for (int i = 0; i < 10'000; ++i) {
    std::string left = random.bytes(random.below(12));
    std::string right = random.bytes(random.below(12));
    if (random.chance(50)) right = left.substr(0, random.below(left.size() + 1)) + right;
    if (left > right) std::swap(left, right);
    EXPECT_LE(key_head(left), key_head(right));
  }
}

}  // namespace
}  // namespace ashlar::base
