// G9: a value that is cut, of another key or mixed of two versions is seen.

#include "disk/disk_values.h"

#include <gtest/gtest.h>

#include <string>

namespace ashlar::bench {
namespace {

class DiskValues : public testing::TestWithParam<std::size_t> {};

TEST_P(DiskValues, AreKnownAgainInAnyVersion) {
  const std::size_t bytes = GetParam();
  DiskValueMaker values(bytes);
  for (std::uint64_t index = 0; index < 1'000; ++index) {
    const Key key(index);
    const auto value = values.make(key.view(), index * 7);
    ASSERT_EQ(value.size(), bytes);
    ASSERT_TRUE(DiskValueMaker::is_value_of(key.view(), value, bytes)) << index;
    ASSERT_FALSE(DiskValueMaker::is_value_of(Key(index + 1).view(), value, bytes)) << index;
  }
}

TEST_P(DiskValues, DamageIsSeen) {
  const std::size_t bytes = GetParam();
  DiskValueMaker values(bytes);
  const Key key(3);
  const std::string old(values.make(key.view(), 1));
  const std::string young(values.make(key.view(), 2));
  const std::string mixed = old.substr(0, bytes / 4) + young.substr(bytes / 4);
  EXPECT_FALSE(DiskValueMaker::is_value_of(key.view(), mixed, bytes));
  EXPECT_FALSE(DiskValueMaker::is_value_of(key.view(), old.substr(0, bytes - 1), bytes));
  EXPECT_FALSE(DiskValueMaker::is_value_of(key.view(), old + ".", bytes));
  EXPECT_FALSE(DiskValueMaker::is_value_of(key.view(), std::string(bytes, '\0'), bytes));
}

// Of the keys in order of their indices too: the last eight bytes tell them apart.
TEST(DiskValue, AscendingKeysHaveTheirOwn) {
  DiskValueMaker values(kValueBytes);
  const std::string one(values.make(AscendingKey(1).view(), 0));
  EXPECT_TRUE(DiskValueMaker::is_value_of(AscendingKey(1).view(), one, kValueBytes));
  EXPECT_FALSE(DiskValueMaker::is_value_of(AscendingKey(0).view(), one, kValueBytes));
}

INSTANTIATE_TEST_SUITE_P(Lengths, DiskValues,
                         testing::Values(DiskValueMaker::kValueBytesMin, 100, 1'000, 100'000));

}  // namespace
}  // namespace ashlar::bench
