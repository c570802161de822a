// What the model promises those who compare with it: it holds what was last written, a held moment
// never changes, and a deadline ends a key for all reads made from then on.

#include "testing/model.h"

#include <gtest/gtest.h>

namespace ashlar::testing {
namespace {

std::string value_at(const Model& model, std::string_view key, const Moment& moment) {
  const Model::Entry* entry = model.find(key, moment);
  return entry == nullptr ? "(absent)" : entry->value;
}

std::string value_now(const Model& model, std::string_view key) {
  return value_at(model, key, model.latest());
}

TEST(Model, HoldsWhatWasLastPut) {
  Model model(0);
  model.put("key", "first");
  model.put("key", "second");
  EXPECT_EQ(value_now(model, "key"), "second");
  EXPECT_EQ(value_now(model, "other"), "(absent)");
}

TEST(Model, ErasesOnceOnly) {
  Model model(0);
  model.put("key", "value");
  EXPECT_TRUE(model.erase("key"));
  EXPECT_FALSE(model.erase("key"));
  EXPECT_EQ(value_now(model, "key"), "(absent)");
}

// C3
TEST(Model, KeepsAHeldMomentAsItWas) {
  Model model(0);
  model.put("kept", "old");
  model.put("erased", "old");
  const Moment moment = model.hold();
  model.put("kept", "new");
  model.put("kept", "newer");
  model.put("added", "new");
  model.erase("erased");
  EXPECT_EQ(value_at(model, "kept", moment), "old");
  EXPECT_EQ(value_at(model, "erased", moment), "old");
  EXPECT_EQ(value_at(model, "added", moment), "(absent)");
  EXPECT_EQ(value_now(model, "kept"), "newer");
  model.release(moment);
  EXPECT_EQ(value_now(model, "kept"), "newer");
  EXPECT_EQ(model.counts(model.latest()).keys, 2U);
}

TEST(Model, KeepsTheOlderOfTwoMomentsWhenTheNewerGoes) {
  Model model(0);
  model.put("key", "1");
  const Moment older = model.hold();
  model.put("key", "2");
  const Moment newer = model.hold();
  model.put("key", "3");
  model.release(newer);
  model.put("key", "4");
  EXPECT_EQ(value_at(model, "key", older), "1");
}

// T1
TEST(Model, EndsAKeyAtItsDeadline) {
  Model model(1000);
  model.put("key", "value", 1500);
  model.advance(499);
  EXPECT_EQ(value_now(model, "key"), "value");
  const Moment moment = model.hold();
  model.advance(1);
  EXPECT_EQ(value_now(model, "key"), "(absent)");
  EXPECT_EQ(value_at(model, "key", moment), "value");
  EXPECT_FALSE(model.erase("key"));
  EXPECT_FALSE(model.expire("key", Model::kNever));
}

TEST(Model, GivesAKeyANewDeadline) {
  Model model(1000);
  model.put("key", "value");
  EXPECT_TRUE(model.expire("key", 1001));
  EXPECT_EQ(model.counts(model.latest()).expiring, 1U);
  model.advance(1);
  EXPECT_EQ(value_now(model, "key"), "(absent)");
}

TEST(Model, WalksInTheOrderOfUnsignedBytes) {
  Model model(0);
  const std::string low("a\0", 2);
  for (const std::string& key : {std::string("a"), low, std::string("\xff"), std::string("b")}) {
    model.put(key, "value");
  }
  const Moment now = model.latest();
  EXPECT_EQ(model.at_or_after("", now), "a");
  EXPECT_EQ(model.after("a", now), low);
  EXPECT_EQ(model.after(low, now), "b");
  EXPECT_EQ(model.after("b", now), "\xff");
  EXPECT_EQ(model.after("\xff", now), std::nullopt);
  EXPECT_EQ(model.last(now), "\xff");
  EXPECT_EQ(model.before("b", now), low);
  EXPECT_EQ(model.at_or_before("b", now), "b");
  EXPECT_EQ(model.before("a", now), std::nullopt);
}

}  // namespace
}  // namespace ashlar::testing
