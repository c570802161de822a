// What a point read relies on: the filter never hides a key, and seldom lets a wrong one through.

#include "table/filter.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

std::uint64_t hash_of(std::uint64_t number, std::uint64_t seed) {
  return base::hash_key("key:" + std::to_string(number), seed);
}

Filter filter_of(std::uint64_t count, unsigned bits_per_key, std::uint64_t seed) {
  FilterBuilder builder(bits_per_key);
  for (std::uint64_t i = 0; i < count; ++i) builder.add(hash_of(i, seed));
  const unsigned bits_per_hash = builder.bits_per_hash();
  EXPECT_EQ(builder.bytes(), (count * bits_per_key + 511) / 512 * 64);
  return Filter::load(stored_lines(builder.finish()), bits_per_hash).value();
}

double false_positive_percent(const Filter& filter, std::uint64_t seed) {
  constexpr std::uint64_t kProbes = 200'000;
  std::uint64_t yes = 0;
  for (std::uint64_t i = 0; i < kProbes; ++i) {
    yes += filter.may_contain(hash_of(1'000'000'000 + i, seed)) ? 1U : 0U;
  }
  return 100.0 * static_cast<double>(yes) / kProbes;
}

// G7.
TEST(Filter, SaysYesToEveryKeyItWasMadeOf) {
  const std::uint64_t seed = testing::seed();
  for (const std::uint64_t count : {1U, 2U, 51U, 52U, 1000U, 30'000U}) {
    for (const unsigned bits : {1U, 5U, 10U, 16U, kFilterBitsMax}) {
      const Filter filter = filter_of(count, bits, seed);
      for (std::uint64_t i = 0; i < count; ++i) {
        filter.prefetch(hash_of(i, seed));
        ASSERT_TRUE(filter.may_contain(hash_of(i, seed))) << count << " keys, " << bits << " bits";
      }
    }
  }
}

// With fixed seeds: the rate is a promise about the hash as much as about the filter.
TEST(Filter, LetsFewWrongKeysThroughAtTenBits) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const std::uint64_t count : {1'000U, 100'000U}) {
      EXPECT_LT(false_positive_percent(filter_of(count, 10, seed), seed), 1.3) << count << " keys";
    }
  }
}

TEST(Filter, LetsFewerThroughWithMoreBits) {
  const double five = false_positive_percent(filter_of(100'000, 5, 1), 1);
  const double ten = false_positive_percent(filter_of(100'000, 10, 1), 1);
  const double sixteen = false_positive_percent(filter_of(100'000, 16, 1), 1);
  EXPECT_LT(five, 13);
  EXPECT_LT(ten, five / 4);
  EXPECT_LT(sixteen, ten / 4);
}

TEST(Filter, SaysYesToAllWhenThereIsNone) {
  EXPECT_TRUE(Filter().may_contain(12345));
  FilterBuilder none(0);
  none.add(1);
  EXPECT_EQ(none.bits_per_hash(), 0U);
  EXPECT_TRUE(none.finish().empty());
  const auto loaded = Filter::load("", 0);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_TRUE(loaded->may_contain(1));
  EXPECT_EQ(loaded->bytes(), 0U);
}

TEST(Filter, RefusesWhatIsNoFilter) {
  EXPECT_FALSE(Filter::load(std::string(63, '\0'), 6).has_value());
  EXPECT_FALSE(Filter::load(std::string(64, '\0'), 0).has_value());
  EXPECT_FALSE(Filter::load(std::string(64, '\0'), 8).has_value());
  EXPECT_FALSE(Filter::load("", 6).has_value());
  EXPECT_TRUE(Filter::load(std::string(64, '\0'), 6).has_value());
}

}  // namespace
}  // namespace ashlar::table
