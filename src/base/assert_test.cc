// What a broken rule does: it ends the process, in every build, and names itself.

#include "base/assert.h"

#include <gtest/gtest.h>

namespace ashlar::base {
namespace {

TEST(AssertDeathTest, ABrokenRuleEndsTheProcessByName) {
  const int stones = 0;
  EXPECT_DEATH(ASHLAR_ASSERT(stones == 1, "a wall has a stone"), "broken rule: a wall has a stone");
}

TEST(Assert, ARuleThatHoldsCostsOneEvaluation) {
  int evaluations = 0;
  ASHLAR_ASSERT(++evaluations == 1, "evaluated once");
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace ashlar::base
