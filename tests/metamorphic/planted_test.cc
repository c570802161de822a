// The comparison can fail: each bug that is planted in the disk engine is found, and none is there
// without them.

#include <gtest/gtest.h>

#include "compare.h"
#include "plants.h"
#include "testing/seed.h"

namespace ashlar::metamorphic {
namespace {

class Planted : public ::testing::TestWithParam<const char*> {
 protected:
  ~Planted() override { plant_bug(""); }
};

// E1
TEST_P(Planted, IsFound) {
  ASSERT_TRUE(plant_bug(GetParam()));
  EXPECT_NE(compare(testing::seed(), 500, 64).difference, "") << "nobody noticed";
  plant_bug("");
  EXPECT_EQ(compare(testing::seed(), 500, 4).difference, "") << "it is there without being planted";
}

INSTANTIATE_TEST_SUITE_P(, Planted, ::testing::Values("merge-order", "erases-gone"),
                         [](const auto& bug) {
                           std::string name = bug.param;
                           name.erase(name.find('-'), 1);
                           return name;
                         });

}  // namespace
}  // namespace ashlar::metamorphic
