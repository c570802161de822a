// What a binding may rely on: the C face says the same as the C++ one, ends each message within its
// buffer, and frees what it handed out when a call fails half way. tests/api uses it from C.

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "ashlar/backup.h"
#include "ashlar/c.h"
#include "ashlar/options.h"
#include "ashlar/result.h"
#include "testing/temporary_directory.h"

namespace ashlar {
namespace {

class CApiTest : public ::testing::Test {
 protected:
  CApiTest() { EXPECT_EQ(ashlar_open(nullptr, &db_, nullptr), ASHLAR_OK); }
  ~CApiTest() override { EXPECT_EQ(ashlar_close(db_, nullptr), ASHLAR_OK); }

  ashlar_db* db_ = nullptr;
  ashlar_error error_{};
};

TEST(CApi, CodesHaveTheNamesOfTheErrorCodes) {
  EXPECT_STREQ(ashlar_code_name(ASHLAR_OK), "Ok");
  EXPECT_EQ(ashlar_code_name(ASHLAR_BUSY), error_code_name(ErrorCode::kBusy));
  EXPECT_EQ(ashlar_code_name(ASHLAR_CORRUPTION), error_code_name(ErrorCode::kCorruption));
}

TEST(CApi, OptionsStartWithTheDefaults) {
  ashlar_options options;
  ashlar_options_init(&options);
  EXPECT_EQ(options.key_bytes_max, Options().key_bytes_max);
  EXPECT_EQ(options.value_bytes_max, Options().value_bytes_max);
  EXPECT_EQ(options.memory_budget_bytes, Options().memory_budget_bytes);
  EXPECT_EQ(options.memory_policy, ASHLAR_REFUSE);
}

TEST(CApi, OpeningWithABadOptionLeavesNoHandle) {
  ashlar_options options;
  ashlar_options_init(&options);
  options.key_bytes_max = 0;
  ashlar_error error;
  ashlar_db* db = nullptr;
  EXPECT_EQ(ashlar_open(&options, &db, &error), ASHLAR_INVALID_ARGUMENT);
  EXPECT_EQ(db, nullptr);
  EXPECT_EQ(error.code, ASHLAR_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "option key_bytes_max is 0, 1 to 65535 allowed");
}

TEST(CApi, FreeingNothingIsAllowed) {
  EXPECT_EQ(ashlar_close(nullptr, nullptr), ASHLAR_OK);
  ashlar_value_free(nullptr);
  ashlar_batch_free(nullptr);
  ashlar_snapshot_release(nullptr);
  ashlar_iterator_free(nullptr);
}

TEST(CApi, ADirectoryKeepsWhatWasWritten) {
  const testing::TemporaryDirectory directory;
  const std::string path = (directory.path() / "db").string();
  ashlar_options options;
  ashlar_options_init(&options);
  options.directory = path.c_str();
  ashlar_db* db = nullptr;
  ASSERT_EQ(ashlar_open(&options, &db, nullptr), ASHLAR_OK);
  ashlar_error error;
  ashlar_db* other = nullptr;
  EXPECT_EQ(ashlar_open(&options, &other, &error), ASHLAR_UNAVAILABLE);
  EXPECT_NE(std::strstr(error.message, path.c_str()), nullptr) << error.message;
  for (const auto durability : {ASHLAR_DURABLE_NONE, ASHLAR_DURABLE_PROCESS, ASHLAR_DURABLE_DISK}) {
    const std::string key = "key " + std::to_string(durability);
    EXPECT_EQ(ashlar_put(db, ashlar_text(key.c_str()), ashlar_text("v"), ASHLAR_NEVER, durability,
                         nullptr),
              ASHLAR_OK);
  }
  EXPECT_EQ(ashlar_checkpoint(db, nullptr), ASHLAR_OK);
  const std::string copy = (directory.path() / "copy").string();
  EXPECT_EQ(ashlar_backup(db, copy.c_str(), nullptr), ASHLAR_OK);
  EXPECT_TRUE(ashlar::verify_backup(copy)->is_sound());
  EXPECT_EQ(ashlar_backup(db, nullptr, &error), ASHLAR_INVALID_ARGUMENT);
  bool is_found = false;
  EXPECT_EQ(ashlar_erase(db, ashlar_text("key 0"), &is_found, ASHLAR_DURABLE_PROCESS, nullptr),
            ASHLAR_OK);
  ASSERT_EQ(ashlar_close(db, nullptr), ASHLAR_OK);

  ASSERT_EQ(ashlar_open(&options, &db, nullptr), ASHLAR_OK);
  int number = 0;
  for (const bool expected : {false, true, true}) {
    const std::string key = "key " + std::to_string(number++);
    EXPECT_EQ(ashlar_exists(db, ashlar_text(key.c_str()), nullptr, &is_found, nullptr), ASHLAR_OK);
    EXPECT_EQ(is_found, expected) << key;
  }
  EXPECT_EQ(ashlar_close(db, nullptr), ASHLAR_OK);
}

TEST_F(CApiTest, RefusesADurabilityWithoutAName) {
  const auto odd = static_cast<ashlar_durability>(3);
  EXPECT_EQ(ashlar_put(db_, ashlar_text("k"), ashlar_text("v"), ASHLAR_NEVER, odd, &error_),
            ASHLAR_INVALID_ARGUMENT);
  EXPECT_STREQ(error_.message, "the durability is not one of its three names");
  bool is_found = true;
  EXPECT_EQ(ashlar_exists(db_, ashlar_text("k"), nullptr, &is_found, nullptr), ASHLAR_OK);
  EXPECT_FALSE(is_found);
}

TEST_F(CApiTest, AbsentAndEmptyValuesDiffer) {
  ASSERT_EQ(ashlar_put(db_, ashlar_text("empty"), {}, ASHLAR_NEVER, ASHLAR_DURABLE_DISK, nullptr),
            ASHLAR_OK);
  ashlar_value value;
  ASSERT_EQ(ashlar_get(db_, ashlar_text("empty"), nullptr, &value, nullptr), ASHLAR_OK);
  EXPECT_NE(value.data, nullptr);
  EXPECT_EQ(value.size, 0U);
  ashlar_value_free(&value);
  EXPECT_EQ(value.data, nullptr);
  ASSERT_EQ(ashlar_get(db_, ashlar_text("absent"), nullptr, &value, nullptr), ASHLAR_OK);
  EXPECT_EQ(value.data, nullptr);
  ashlar_value_free(&value);
}

TEST_F(CApiTest, AMessageEndsWithinItsBuffer) {
  const std::string key(100'000, '\1');  // Each byte takes four to print.
  std::memset(error_.message, 'x', sizeof(error_.message));
  EXPECT_EQ(ashlar_erase(db_, {.data = key.data(), .size = key.size()}, nullptr,
                         ASHLAR_DURABLE_DISK, &error_),
            ASHLAR_INVALID_ARGUMENT);
  EXPECT_LT(std::strlen(error_.message), sizeof(error_.message));
  EXPECT_NE(std::string(error_.message).find("\\x01"), std::string::npos);
}

TEST_F(CApiTest, AFailedMultiGetHandsOutNothing) {
  ASSERT_EQ(ashlar_put(db_, ashlar_text("k"), ashlar_text("v"), ASHLAR_NEVER, ASHLAR_DURABLE_DISK,
                       nullptr),
            ASHLAR_OK);
  const ashlar_bytes keys[] = {ashlar_text("k"), {}};
  ashlar_value values[2];
  EXPECT_EQ(ashlar_multi_get(db_, keys, 2, nullptr, values, &error_), ASHLAR_INVALID_ARGUMENT);
  EXPECT_EQ(values[0].data, nullptr);
  EXPECT_EQ(values[1].data, nullptr);
}

TEST_F(CApiTest, TheClockIsThatOfTheDatabase) {
  const std::int64_t before_ms = ashlar_now_ms(db_);
  ashlar_snapshot* snapshot = nullptr;
  ASSERT_EQ(ashlar_snapshot_take(db_, &snapshot, nullptr), ASHLAR_OK);
  EXPECT_GE(ashlar_snapshot_taken_at_ms(snapshot), before_ms);
  EXPECT_LE(ashlar_snapshot_taken_at_ms(snapshot), ashlar_now_ms(db_));
  EXPECT_EQ(ashlar_close(db_, &error_), ASHLAR_BUSY);
  EXPECT_STREQ(error_.message, "1 snapshots or iterators are held");
  ashlar_snapshot_release(snapshot);
}

}  // namespace
}  // namespace ashlar
