// What the limits of keys, values, batches and options promise: up to the limit everything works,
// beyond it the call fails with a message that names offender and limit, and nothing has happened.
// Any byte may stand anywhere.

#include <gtest/gtest.h>

#include "store.h"

namespace ashlar::limits {
namespace {

constexpr Options kNarrow{.key_bytes_max = 10, .value_bytes_max = 20};

TEST(KeyLimit, LetsKeysOfOneByteUpToTheLimitThrough) {
  Store store(kNarrow);
  for (const std::size_t bytes : {1U, 9U, 10U}) {
    const std::string key(bytes, 'k');
    ASSERT_TRUE(store->put(key, "value").has_value()) << bytes;
    EXPECT_EQ(store.value_of(key), "value") << bytes;
    EXPECT_TRUE(store->erase(key).value()) << bytes;
  }
}

/// Every call that takes a key, with `key`. Returns: the errors
std::vector<Error> errors_of_all_calls(Store& store, std::string_view key) {
  std::vector<Error> errors;
  const auto note = [&errors](const auto& result) {
    EXPECT_FALSE(result.has_value());
    if (!result) errors.push_back(result.error());
  };
  note(store->put(key, "value"));
  note(store->get(key));
  note(store->exists(key));
  note(store->erase(key));
  note(store->expire(key, Expiry::never()));
  note(store->persist(key));
  note(store->expiry_of(key));
  note(store->time_to_live(key));
  const std::string_view keys[] = {"fine", key};
  note(store->multi_get(keys));
  WriteBatch batch;
  batch.put("fine", "value");
  batch.erase(key);
  note(store->write(batch));
  return errors;
}

TEST(KeyLimit, StopsAnEmptyKeyInEveryCall) {
  Store store(kNarrow);
  for (const Error& error : errors_of_all_calls(store, "")) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(says(error, {"0 bytes", "10"})) << error.message();
  }
  EXPECT_EQ(store.stats().key_count, 0U);
}

TEST(KeyLimit, StopsAKeyAboveItInEveryCall) {
  Store store(kNarrow);
  const std::string key = "elevenbytes";
  for (const Error& error : errors_of_all_calls(store, key)) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(says(error, {key, "11", "10"})) << error.message();
  }
  EXPECT_EQ(store.stats().key_count, 0U);
}

TEST(KeyLimit, IsOneKibibyteUnlessSetOtherwise) {
  Store store;
  EXPECT_TRUE(store->put(std::string(1024, 'k'), "value").has_value());
  EXPECT_FALSE(store->put(std::string(1025, 'k'), "value").has_value());
}

TEST(KeyLimit, MayBeSetUpToTheHardLimit) {
  Store store({.key_bytes_max = kKeyBytesHardMax});
  for (const std::size_t bytes : {kKeyBytesHardMax - 1, kKeyBytesHardMax}) {
    const std::string key(bytes, 'k');
    ASSERT_TRUE(store->put(key, "value").has_value());
    EXPECT_EQ(store.value_of(key), "value");
  }
  EXPECT_FALSE(store->put(std::string(kKeyBytesHardMax + 1, 'k'), "value").has_value());
  auto rows = store->scan().value();
  rows.seek_to_last();
  ASSERT_TRUE(rows.is_valid());
  EXPECT_EQ(rows.key().size(), kKeyBytesHardMax);
  rows.previous();
  ASSERT_TRUE(rows.is_valid());
  EXPECT_EQ(rows.key().size(), kKeyBytesHardMax - 1);
  store.check();
}

TEST(KeyLimit, BoundsNeitherRangesNorSeeks) {
  Store store(kNarrow);
  ASSERT_TRUE(store->put("m", "value").has_value());
  auto rows = store->scan({.from = std::string(100, 'a'), .to = std::string(100, 'z')}).value();
  rows.seek(std::string(100, 'b'));
  ASSERT_TRUE(rows.is_valid());
  EXPECT_EQ(rows.key(), "m");
  rows.seek_for_previous(std::string(100, 'y'));
  ASSERT_TRUE(rows.is_valid());
  EXPECT_EQ(rows.key(), "m");
}

TEST(ValueLimit, LetsValuesOfNoBytesUpToTheLimitThrough) {
  Store store(kNarrow);
  for (const std::size_t bytes : {0U, 1U, 19U, 20U}) {
    const std::string value(bytes, 'v');
    ASSERT_TRUE(store->put("key", value).has_value()) << bytes;
    EXPECT_EQ(store.value_of("key"), value) << bytes;
  }
}

TEST(ValueLimit, StopsAValueAboveItAndKeepsTheOldOne) {
  Store store(kNarrow);
  ASSERT_TRUE(store->put("key", "old").has_value());
  const auto result = store->put("key", std::string(21, 'v'));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(says(result.error(), {"key", "21", "20"})) << result.error().message();
  EXPECT_EQ(store.value_of("key"), "old");
}

TEST(ValueLimit, IsOneMebibyteUnlessSetOtherwise) {
  Store store;
  const std::string value(std::size_t{1} << 20U, 'v');
  ASSERT_TRUE(store->put("key", value).has_value());
  EXPECT_EQ(store.value_of("key"), value);
  EXPECT_FALSE(store->put("key", value + "v").has_value());
}

TEST(ValueLimit, MayBeNoBytesAtAll) {
  Store store({.value_bytes_max = 0});
  EXPECT_TRUE(store->put("key", "").has_value());
  EXPECT_FALSE(store->put("key", "v").has_value());
  EXPECT_EQ(store.value_of("key"), "");
}

// Around each size at which a value is stored in another way.
TEST(Value, ComesBackWhateverItsLength) {
  Store store;
  for (std::size_t bytes = 0; bytes < 600; ++bytes) {
    const std::string value(bytes, static_cast<char>('a' + bytes % 26));
    ASSERT_TRUE(store->put("key", value).has_value());
    ASSERT_EQ(store.value_of("key"), value) << bytes;
  }
  for (std::size_t power = 10; power <= 20; ++power) {
    for (const int step : {-17, -16, -1, 0, 1, 16}) {
      if (power == 20 && step > 0) continue;
      const std::string value((std::size_t{1} << power) + static_cast<std::size_t>(step), 'v');
      ASSERT_TRUE(store->put("key", value).has_value());
      ASSERT_EQ(store.value_of("key"), value) << value.size();
    }
  }
  store.check();
}

TEST(Bytes, OfAnyKindMayStandInKeysAndValues) {
  Store store;
  const std::string nul("\0", 1);
  const std::vector<std::string> keys{nul,     nul + nul, "a",    "a" + nul, "a" + nul + "b",
                                      "a\x01", "ab",      "\x7f", "\x80",    "\xff\xff"};
  for (const auto& key : keys) ASSERT_TRUE(store->put(key, key + nul + "v").has_value());
  for (const auto& key : keys) EXPECT_EQ(store.value_of(key), key + nul + "v");
  auto rows = store->scan().value();
  rows.seek_to_first();
  for (const auto& key : keys) {  // They stand above in the order of their bytes.
    ASSERT_TRUE(rows.is_valid());
    EXPECT_EQ(rows.key(), key);
    EXPECT_EQ(rows.value(), key + nul + "v");
    rows.next();
  }
  EXPECT_FALSE(rows.is_valid());
}

// C1
TEST(BatchLimit, NamesTheOperationAtFaultAndDoesNothing) {
  Store store(kNarrow);
  WriteBatch batch;
  batch.put("first", "value");
  batch.put("second", std::string(21, 'v'));
  const auto result = store->write(batch);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(says(result.error(), {"operation 1", "second", "21", "20"}))
      << result.error().message();
  EXPECT_EQ(store.value_of("first"), "(absent)");
}

TEST(BatchLimit, AllowsNothingAtAll) {
  Store store;
  EXPECT_TRUE(store->write({}).has_value());
  EXPECT_TRUE(store->multi_get({}).value().empty());
}

struct OptionCase {
  Options options;
  bool is_allowed;
  std::string_view name;
  std::string_view given;
};

class OptionLimit : public ::testing::TestWithParam<OptionCase> {};

TEST_P(OptionLimit, IsCheckedWhenADatabaseOpens) {
  const OptionCase& given = GetParam();
#ifdef __SANITIZE_THREAD__
  if (given.is_allowed && given.options.memory_budget_bytes == kMemoryBudgetBytesMax) {
    GTEST_SKIP() << "the thread sanitizer leaves less address space";
  }
#endif
  const auto db = Db::open(given.options);
  ASSERT_EQ(db.has_value(), given.is_allowed) << given.name << ' ' << given.given;
  if (given.is_allowed) return;
  EXPECT_EQ(db.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(says(db.error(), {given.name, given.given})) << db.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    Options, OptionLimit,
    ::testing::Values(
        OptionCase{{.key_bytes_max = 0}, false, "key_bytes_max", "0"},
        OptionCase{{.key_bytes_max = 1}, true, "key_bytes_max", "1"},
        OptionCase{{.key_bytes_max = 65'535}, true, "key_bytes_max", "65535"},
        OptionCase{{.key_bytes_max = 65'536}, false, "key_bytes_max", "65536"},
        OptionCase{{.value_bytes_max = 0}, true, "value_bytes_max", "0"},
        OptionCase{{.value_bytes_max = 536'870'912}, true, "value_bytes_max", "536870912"},
        OptionCase{{.value_bytes_max = 536'870'913}, false, "value_bytes_max", "536870913"},
        OptionCase{{.memory_budget_bytes = 0}, false, "memory_budget_bytes", "0"},
        OptionCase{{.memory_budget_bytes = 4'194'303}, false, "memory_budget_bytes", "4194303"},
        OptionCase{{.memory_budget_bytes = 4'194'304}, true, "memory_budget_bytes", "4194304"},
        OptionCase{{.memory_budget_bytes = 4'194'305}, true, "memory_budget_bytes", "4194305"},
        OptionCase{{.memory_budget_bytes = std::size_t{1} << 40U},
                   true,
                   "memory_budget_bytes",
                   "1099511627776"},
        OptionCase{{.memory_budget_bytes = (std::size_t{1} << 40U) + 1},
                   false,
                   "memory_budget_bytes",
                   "1099511627777"}));

}  // namespace
}  // namespace ashlar::limits
