// What a point read relies on: eight tags compared at once are what they are one by one.

#include "table/tag_match.h"

#include <gtest/gtest.h>

#include <string>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::table {
namespace {

TEST(TagMatch, FindsTheLaneOfEachTag) {
  for (std::uint32_t lane = 0; lane < kTagsPerMatch; ++lane) {
    std::string tags(2 * kTagsPerMatch, '\x11');
    base::store_number(tags.data() + 2 * lane, std::uint16_t{0x8001});
    EXPECT_EQ(match_tags(tags.data(), 0x8001), 1U << 2 * lane);
    EXPECT_EQ(match_tags_plainly(tags.data(), 0x8001), 1U << 2 * lane);
  }
}

// The plain loop is the specification.
TEST(TagMatch, AgreesWithThePlainLoop) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 20'000; ++round) {
    std::string tags = random.bytes(2 * kTagsPerMatch + 1);
    // Few different values, so that many lanes match.
    if (random.chance(80)) {
      for (char& byte : tags) byte = static_cast<char>(byte & 1);
    }
    const auto tag = random.chance(80) ? base::load_number<std::uint16_t>(tags.data() + 5)
                                       : static_cast<std::uint16_t>(random.next());
    const char* const at = tags.data() + random.below(2);  // Not aligned either.
    ASSERT_EQ(match_tags(at, tag), match_tags_plainly(at, tag));
  }
}

}  // namespace
}  // namespace ashlar::table
