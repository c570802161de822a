// What finding files relies on: a number has one name, and no other name passes for a number.

#include "base/numbered_name.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace ashlar::base {
namespace {

TEST(NumberedName, SortsAsTheNumberDoes) {
  EXPECT_EQ(numbered_name(42, ".log"), "0000000042.log");
  EXPECT_LT(numbered_name(9, ".log"), numbered_name(10, ".log"));
  EXPECT_LT(numbered_name(999'999'999, ".log"), numbered_name(1'000'000'000, ".log"));
}

TEST(NumberedName, GivesItsNumberBack) {
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{9'999'999'999},
        std::uint64_t{10'000'000'000}, std::numeric_limits<std::uint64_t>::max()}) {
    EXPECT_EQ(number_in_name(numbered_name(number, ".log"), ".log"), number);
  }
}

TEST(NumberedName, TakesNoOtherName) {
  for (const char* name : {"42.log", "0000000042", "00000000042.log", "000000004x.log",
                           "+000000042.log", ".log", "", "-000000042.log", "0000000042.log.old",
                           "0000000042.checkpoint", " 000000042.log", "99999999999999999999.log"}) {
    EXPECT_EQ(number_in_name(name, ".log"), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace ashlar::base
