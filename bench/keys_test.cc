// What every row relies on: an index is a key and back (G1), the order of keys is not the order of
// indices (G2), and a value that is not the right one is seen (G3).

#include "keys.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "random.h"

namespace ashlar::bench {
namespace {

TEST(Keys, MixHasAnInverse) {
  Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t number = random.next();
    ASSERT_EQ(unmix(mix(number)), number);
  }
  EXPECT_EQ(unmix(mix(0)), 0U);
  EXPECT_EQ(unmix(mix(std::numeric_limits<std::uint64_t>::max())),
            std::numeric_limits<std::uint64_t>::max());
}

// G1
TEST(Keys, AnIndexComesBackFromItsKey) {
  for (std::uint64_t index = 0; index < 10'000; ++index) {
    ASSERT_EQ(index_of(Key(index).view()), index);
  }
}

TEST(Keys, RanksAreOrderedAsKeysAre) {
  for (std::uint64_t index = 0; index < 10'000; ++index) {
    const Key left(index);
    const Key right(index + 1);
    ASSERT_EQ(left.view() < right.view(), rank_of(left.view()) < rank_of(right.view()));
  }
}

// G2: about half of all neighbours stand in the other order.
TEST(Keys, TheirOrderIsNotThatOfTheirIndices) {
  int descents = 0;
  for (std::uint64_t index = 0; index < 10'000; ++index) {
    descents += Key(index + 1).view() < Key(index).view() ? 1 : 0;
  }
  EXPECT_NEAR(descents, 5000, 300);
}

// G3
TEST(Values, AreRecognised) {
  ValueMaker values;
  for (std::uint64_t version : {0U, 1U, 77U}) {
    const std::string value(values.make(5, version));
    EXPECT_EQ(value.size(), kValueBytes);
    EXPECT_TRUE(ValueMaker::is_value_of(5, value));
    EXPECT_FALSE(ValueMaker::is_value_of(6, value));
    EXPECT_FALSE(ValueMaker::is_value_of(5, value.substr(1)));
  }
}

// G3: the first and the last random word of two versions do not go together.
TEST(Values, ATornOneIsSeen) {
  ValueMaker values;
  const std::string old_value(values.make(5, 1));
  std::string value(values.make(5, 2));
  value.replace(40, 8, old_value, 40, 8);
  EXPECT_FALSE(ValueMaker::is_value_of(5, value));
}

TEST(Shuffle, GivesEachNumberOnce) {
  for (std::uint64_t count : {1U, 2U, 3U, 64U, 1000U, 65'537U}) {
    const Shuffle shuffle(count);
    std::vector<int> times(count, 0);
    for (std::uint64_t i = 0; i < count; ++i) ++times.at(shuffle.at(i));
    EXPECT_EQ(times, std::vector<int>(count, 1)) << count << " numbers";
  }
}

TEST(Random, StaysBelowItsBound) {
  Random random(1);
  std::vector<int> times(10, 0);
  for (int i = 0; i < 100'000; ++i) ++times.at(random.below(10));
  for (const int each : times) EXPECT_NEAR(each, 10'000, 600);
}

}  // namespace
}  // namespace ashlar::bench
