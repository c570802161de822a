// A range covers what a cursor has passed, whichever way it went, and of a cut key what may be it.

#include "txn/read_set.h"

#include <gtest/gtest.h>

#include <string>

namespace ashlar::txn {
namespace {

CommitRing::Written written(std::string_view key, bool is_cut = false) {
  CommitRing::Written made;
  made.is_cut = is_cut;
  made.key_bytes = static_cast<std::uint16_t>(key.size());
  key.copy(made.bytes.data(), key.size());
  return made;
}

TEST(PassedRange, HasNothingAtFirst) {
  const PassedRange range;
  EXPECT_TRUE(range.is_empty());
  EXPECT_FALSE(range.may_have(written("a")));
  EXPECT_FALSE(range.may_have(written("")));
}

TEST(PassedRange, CoversAllBetweenTheEndsOfItsSteps) {
  PassedRange range;
  range.pass("c", "e");
  range.pass("e", "g");
  range.pass("b", "c");
  for (const char* const in : {"b", "b0", "c", "d", "g"}) EXPECT_TRUE(range.may_have(written(in)));
  for (const char* const out : {"a", "a\xff", "g0", "h"})
    EXPECT_FALSE(range.may_have(written(out)));
  range.pass("z", "y");
  EXPECT_FALSE(range.may_have(written("y"))) << "nothing lies between";
}

TEST(PassedRange, CoversUpToTheEndOfItsScan) {
  PassedRange range;
  range.pass_to_end("c", std::string("f"));
  range.pass("b", "d");
  EXPECT_TRUE(range.may_have(written("b")));
  EXPECT_TRUE(range.may_have(written("e\xff")));
  EXPECT_FALSE(range.may_have(written("f")));
  PassedRange endless;
  endless.pass_to_end("c", std::nullopt);
  EXPECT_TRUE(endless.may_have(written("\xff\xff")));
  EXPECT_FALSE(endless.may_have(written("b")));
  PassedRange none;
  none.pass_to_end("f", std::string("f"));
  EXPECT_TRUE(none.is_empty());
}

TEST(PassedRange, TakesACutKeyForWhateverItMayBe) {
  PassedRange range;
  range.pass("key:50", "key:70");
  EXPECT_TRUE(range.may_have(written("key:5", true))) << "key:55";
  EXPECT_FALSE(range.may_have(written("key:5", false)));
  EXPECT_TRUE(range.may_have(written("key:6", true)));
  EXPECT_FALSE(range.may_have(written("key:4", true)));
  EXPECT_FALSE(range.may_have(written("key:8", true)));
}

}  // namespace
}  // namespace ashlar::txn
