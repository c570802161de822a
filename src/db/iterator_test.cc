// What a caller who scans may rely on: a prefix covers exactly the keys that begin with it, and an
// iterator hands each call to its cursor.

#include "ashlar/iterator.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace ashlar {
namespace {

using std::string_view_literals::operator""sv;

bool is_in(const Range& range, std::string_view key) {
  return key >= range.from && (!range.to || key < *range.to);
}

TEST(Range, AllHasNoEnds) {
  EXPECT_EQ(Range::all().from, "");
  EXPECT_FALSE(Range::all().to);
}

TEST(Range, AnEmptyPrefixMeansEveryKey) {
  EXPECT_EQ(Range::prefix("").from, "");
  EXPECT_FALSE(Range::prefix("").to);
}

TEST(Range, APrefixEndsBeforeItsNeighbour) {
  const Range range = Range::prefix("user:");
  EXPECT_EQ(range.from, "user:");
  EXPECT_EQ(range.to, "user;");
}

TEST(Range, APrefixCoversExactlyTheKeysThatBeginWithIt) {
  const std::string_view samples[] = {"a"sv,       "a\xff"sv,       "a\xff\xff"sv, "b"sv,
                                      "\x7f"sv,    "\x80"sv,        "\xff"sv,      "\xff\xff"sv,
                                      "\xff\0"sv,  "\0"sv,          "\0\0"sv,      "a\0"sv,
                                      "a\xff\0"sv, "\xfe\xff"sv,    "\xfe"sv,      "\x7f\xff\xff"sv,
                                      "\x80\0"sv,  "\xff\xff\xff"sv};
  for (const std::string_view prefix : samples) {
    const Range range = Range::prefix(prefix);
    for (const std::string_view key : samples) {
      EXPECT_EQ(is_in(range, key), key.starts_with(prefix))
          << ::testing::PrintToString(prefix) << ' ' << ::testing::PrintToString(key);
    }
  }
}

TEST(Range, APrefixOfTheHighestBytesHasNoUpperEnd) {
  EXPECT_FALSE(Range::prefix("\xff").to);
  EXPECT_FALSE(Range::prefix("\xff\xff\xff").to);
  EXPECT_EQ(Range::prefix("a\xff\xff").to, "b");
  EXPECT_EQ(Range::prefix("\x7f").to, "\x80");
}

}  // namespace
}  // namespace ashlar
