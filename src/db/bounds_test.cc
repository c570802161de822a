// What a caller may rely on at the limits: at the limit a thing is taken, beyond it is refused
// (A1), and the refusal names what was given and what is allowed in printable words (A2).

#include "db/bounds.h"

#include <gtest/gtest.h>

#include <string>

namespace ashlar::db {
namespace {

using std::string_view_literals::operator""sv;

constexpr Options kSmall{.key_bytes_max = 4, .value_bytes_max = 8};

std::string refusal_of(const Options& options) {
  const Result<void> result = check_options(options);
  if (result) return "allowed";
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  return std::string(result.error().message());
}

TEST(Bounds, DefaultOptionsAreAllowed) {
  EXPECT_EQ(refusal_of({}), "allowed");
}

TEST(Bounds, EachOptionIsAllowedAtBothEndsOfItsRange) {
  EXPECT_EQ(refusal_of({.key_bytes_max = 1}), "allowed");
  EXPECT_EQ(refusal_of({.key_bytes_max = kKeyBytesHardMax}), "allowed");
  EXPECT_EQ(refusal_of({.value_bytes_max = 0}), "allowed");
  EXPECT_EQ(refusal_of({.value_bytes_max = kValueBytesHardMax}), "allowed");
  EXPECT_EQ(refusal_of({.memory_budget_bytes = kMemoryBudgetBytesMin}), "allowed");
  EXPECT_EQ(refusal_of({.memory_budget_bytes = kMemoryBudgetBytesMax}), "allowed");
  EXPECT_EQ(refusal_of({.memory_policy = MemoryPolicy::kEvict}), "allowed");
}

TEST(Bounds, AnOptionBeyondItsRangeIsNamedWithValueAndRange) {
  EXPECT_EQ(refusal_of({.key_bytes_max = 0}), "option key_bytes_max is 0, 1 to 65535 allowed");
  EXPECT_EQ(refusal_of({.key_bytes_max = kKeyBytesHardMax + 1}),
            "option key_bytes_max is 65536, 1 to 65535 allowed");
  EXPECT_EQ(refusal_of({.value_bytes_max = kValueBytesHardMax + 1}),
            "option value_bytes_max is 536870913, 0 to 536870912 allowed");
  EXPECT_NE(refusal_of({.memory_budget_bytes = kMemoryBudgetBytesMin - 1}), "allowed");
  EXPECT_NE(refusal_of({.memory_budget_bytes = kMemoryBudgetBytesMax + 1}), "allowed");
  EXPECT_EQ(refusal_of({.memory_policy = static_cast<MemoryPolicy>(7)}),
            "option memory_policy is 7, 0 to 1 allowed");
  EXPECT_EQ(refusal_of({.engine = static_cast<Engine>(2)}), "option engine is 2, 0 to 1 allowed");
  EXPECT_EQ(refusal_of({.table_compression = static_cast<TableCompression>(3)}),
            "option table_compression is 3, 0 to 2 allowed");
}

TEST(Bounds, AHistoryNeedsADirectoryAndHearsOfWhatMakesRoom) {
  EXPECT_EQ(refusal_of({.history_bytes_max = 1}),
            "option history_bytes_max keeps a log, which needs a directory");
  Options kept{.directory = "somewhere", .history_bytes_max = 1};
  EXPECT_EQ(refusal_of(kept), "allowed");
  kept.memory_policy = MemoryPolicy::kEvict;
  EXPECT_EQ(refusal_of(kept), "allowed");
  kept.history_age_ms_max = -1;
  EXPECT_EQ(refusal_of(kept), "option history_age_ms_max is -1, 0 and more allowed");
}

TEST(Bounds, AnEngineOnDiskAsksForMore) {
  const Options disk{.directory = "somewhere", .engine = Engine::kDisk};
  EXPECT_EQ(refusal_of(disk), "allowed");
  EXPECT_EQ(refusal_of({.engine = Engine::kDisk}),
            "option engine is kDisk, which needs a directory");
  Options evicting = disk;
  evicting.memory_policy = MemoryPolicy::kEvict;
  EXPECT_EQ(refusal_of(evicting), "option memory_policy is kEvict, which kDisk does not know");
  Options small = disk;
  small.memory_budget_bytes = kDiskMemoryBudgetBytesMin;
  EXPECT_EQ(refusal_of(small), "allowed");
  small.memory_budget_bytes = kDiskMemoryBudgetBytesMin - 1;
  EXPECT_EQ(refusal_of(small),
            "option memory_budget_bytes is 33554431, 33554432 to 1099511627776 allowed");
}

// A1
TEST(Bounds, AKeyHasOneByteUpToTheLimit) {
  EXPECT_FALSE(is_key_allowed("", kSmall));
  EXPECT_TRUE(is_key_allowed("k", kSmall));
  EXPECT_TRUE(is_key_allowed("four", kSmall));
  EXPECT_FALSE(is_key_allowed("five5", kSmall));
}

// A1
TEST(Bounds, AValueHasNoByteUpToTheLimit) {
  EXPECT_TRUE(is_value_allowed("", kSmall));
  EXPECT_TRUE(is_value_allowed("12345678", kSmall));
  EXPECT_FALSE(is_value_allowed("123456789", kSmall));
}

TEST(Bounds, ARefusalNamesKeySizeAndLimit) {
  EXPECT_EQ(key_refusal("", kSmall).message(), "key \"\" has 0 bytes, 1 to 4 allowed");
  EXPECT_EQ(key_refusal("five5", kSmall).message(), "key \"five5\" has 5 bytes, 1 to 4 allowed");
  EXPECT_EQ(value_refusal("k", "123456789", kSmall).message(),
            "value of key \"k\" has 9 bytes, 0 to 8 allowed");
  EXPECT_EQ(key_refusal("", kSmall).code(), ErrorCode::kInvalidArgument);
}

TEST(BoundsDeathTest, WhatIsAllowedIsNotRefused) {
  EXPECT_DEATH(static_cast<void>(key_refusal("k", kSmall)), "only a key outside its limits");
  EXPECT_DEATH(static_cast<void>(value_refusal("k", "v", kSmall)), "only a value outside");
}

// A2
TEST(Bounds, AKeyIsShownShortAndPrintable) {
  EXPECT_EQ(printable_key("user:7"), "\"user:7\"");
  EXPECT_EQ(printable_key("a\0\xff\n"sv), "\"a\\x00\\xff\\x0a\"");
  EXPECT_EQ(printable_key("\"\\"), "\"\\\"\\\\\"");
  EXPECT_EQ(printable_key(std::string(32, 'k')), '"' + std::string(32, 'k') + '"');
  EXPECT_EQ(printable_key(std::string(33, 'k')), '"' + std::string(32, 'k') + "\"...");
}

TEST(Bounds, ABatchIsRefusedByTheIndexOfTheOperationAtFault) {
  WriteBatch batch;
  batch.put("k", "v");
  batch.erase("four");
  EXPECT_TRUE(check_batch(batch, kSmall));
  batch.put("k", "123456789");
  batch.erase("");
  const Result<void> value = check_batch(batch, kSmall);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().message(), "operation 2: value of key \"k\" has 9 bytes, 0 to 8 allowed");
  batch.clear();
  batch.erase("");
  EXPECT_EQ(check_batch(batch, kSmall).error().message(),
            "operation 0: key \"\" has 0 bytes, 1 to 4 allowed");
}

TEST(Bounds, ABatchThatHadNoRoomForAnOperationIsRefused) {
  WriteBatch batch;
  batch.put("k", "v");
  batch.erase(std::string_view("never read", kBatchBytesHardMax));
  const Result<void> result = check_batch(batch, kSmall);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(result.error().message().starts_with("operation 1: left out of the batch"));
}

}  // namespace
}  // namespace ashlar::db
