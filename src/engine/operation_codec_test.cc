// What replaying relies on: operations come back as they were, and no bytes make the reader
// stumble.

#include "engine/operation_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::engine {
namespace {

TEST(OperationCodec, BringsOperationsBack) {
  const std::string key("k\0y", 3);
  const std::string value(300, 'v');
  std::string payload = "old content";
  PayloadWriter writer(payload, 123);
  writer.add({.key = key, .value = value});
  writer.add({.key = "d", .value = {}, .deadline_ms = 99});
  writer.add({.kind = OperationKind::kErase, .key = "e", .value = {}});
  writer.add_expire("x", kNever);

  PayloadReader reader(payload);
  EXPECT_EQ(reader.moment_ms(), 123);
  const auto put = reader.next();
  ASSERT_TRUE(put.has_value());
  EXPECT_EQ(put->kind, StoredKind::kPut);
  EXPECT_EQ(put->key, key);
  EXPECT_EQ(put->value, value);
  EXPECT_EQ(put->deadline_ms, kNever);
  const auto with_deadline = reader.next();
  ASSERT_TRUE(with_deadline.has_value());
  EXPECT_EQ(with_deadline->kind, StoredKind::kPutWithDeadline);
  EXPECT_EQ(with_deadline->deadline_ms, 99);
  EXPECT_EQ(with_deadline->value, "");
  const auto erase = reader.next();
  ASSERT_TRUE(erase.has_value());
  EXPECT_EQ(erase->kind, StoredKind::kErase);
  const auto expire = reader.next();
  ASSERT_TRUE(expire.has_value());
  EXPECT_EQ(expire->kind, StoredKind::kExpire);
  EXPECT_EQ(expire->key, "x");
  EXPECT_EQ(expire->deadline_ms, kNever);
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_TRUE(reader.is_good());
}

TEST(OperationCodec, TellsOfKeysThatWereReclaimed) {
  const std::string longest(kKeyBytesHardMax, 'k');
  std::string payload;
  PayloadWriter(payload, 7).add_reclaimed(Reclaimed::kExpired, longest);
  EXPECT_EQ(payload.size(), kReclaimedPayloadBytesMax);
  PayloadWriter writer(payload, 7);
  writer.add_reclaimed(Reclaimed::kExpired, "a");
  writer.add_reclaimed(Reclaimed::kEvicted, "b");
  EXPECT_EQ(payload.substr(sizeof(TimeMs)),
            "\x05\x01"
            "a"
            "\x06\x01"
            "b");
  PayloadReader reader(payload);
  const auto expired = reader.next();
  ASSERT_TRUE(expired.has_value());
  EXPECT_EQ(expired->kind, StoredKind::kExpired);
  EXPECT_EQ(expired->key, "a");
  EXPECT_EQ(expired->value, "");
  EXPECT_EQ(expired->deadline_ms, kNever);
  const auto evicted = reader.next();
  ASSERT_TRUE(evicted.has_value());
  EXPECT_EQ(evicted->kind, StoredKind::kEvicted);
  EXPECT_EQ(evicted->key, "b");
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_TRUE(reader.is_good());
}

TEST(OperationCodec, TellsWhereValuesStand) {
  const std::string key(200, 'k');
  const std::vector<Operation> operations{
      {.key = "k", .value = "first"},
      {.kind = OperationKind::kErase, .key = key, .value = {}},
      {.key = key, .value = {}, .deadline_ms = 7},
      {.key = key, .value = std::string_view(key), .deadline_ms = 7},
      {.key = "last", .value = "last"}};
  std::string payload;
  PayloadWriter writer(payload, 1);
  for (const Operation& operation : operations) writer.add(operation);
  PayloadLayout layout;
  PayloadReader reader(payload);
  for (const Operation& operation : operations) {
    const std::uint64_t offset = layout.pass(operation);
    EXPECT_EQ(payload.substr(offset, operation.value.size()), operation.value);
    ASSERT_TRUE(reader.next().has_value());
    EXPECT_EQ(payload.size() - reader.rest_bytes(), offset + operation.value.size());
  }
}

TEST(OperationCodec, RefusesWhatEndsEarly) {
  std::string payload;
  PayloadWriter writer(payload, 1);
  writer.add({.key = "key", .value = "value", .deadline_ms = 5});
  for (std::size_t size = 0; size < payload.size(); ++size) {
    PayloadReader reader(std::string_view(payload).substr(0, size));
    const bool is_empty = size == 8;  // A moment and nothing else.
    EXPECT_FALSE(reader.next().has_value()) << size;
    EXPECT_EQ(reader.is_good(), is_empty) << size;
  }
}

TEST(OperationCodec, SurvivesNoise) {
  testing::Random random(testing::seed());
  for (int i = 0; i < 20'000; ++i) {
    std::string noise(random.below(64), '\0');
    for (char& byte : noise) byte = static_cast<char>(random.below(random.chance(50) ? 6 : 256));
    PayloadReader reader(noise);
    while (const auto stored = reader.next()) {
      EXPECT_FALSE(stored->key.empty());
      EXPECT_LE(stored->key.size() + stored->value.size(), noise.size());
    }
  }
}

// What was there before stands behind all operations, where none of them moves for it.
TEST(OperationCodec, BringsBackOldValues) {
  std::string payload;
  PayloadWriter writer(payload, 5);
  writer.add({.key = "a", .value = "1"});
  writer.add({.kind = OperationKind::kErase, .key = "b", .value = {}});
  writer.add({.key = "c", .value = ""});
  const std::string without = payload;
  const std::vector<std::optional<Value>> old_values{Value("old"), std::nullopt, Value("")};
  writer.add_old_values(old_values);
  EXPECT_TRUE(payload.starts_with(without));
  PayloadReader reader(payload);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(reader.next().has_value());
  EXPECT_FALSE(reader.next().has_value());
  EXPECT_TRUE(reader.is_good());
  EXPECT_EQ(reader.next_old_value().value(), "old");
  EXPECT_EQ(reader.next_old_value().value(), std::nullopt);
  EXPECT_EQ(reader.next_old_value().value(), "");
  EXPECT_FALSE(reader.next_old_value().has_value());
}

TEST(OperationCodec, RefusesOldValuesThatMakeNoSense) {
  std::string payload;
  PayloadWriter writer(payload, 5);
  writer.add({.key = "a", .value = "1"});
  const std::vector<std::optional<Value>> old_values{Value("old")};
  writer.add_old_values(old_values);
  const auto is_good = [](std::string_view bytes) {
    PayloadReader reader(bytes);
    while (reader.next()) {
    }
    return reader.is_good();
  };
  EXPECT_TRUE(is_good(payload));
  EXPECT_FALSE(is_good(payload + "x")) << "more than one for each operation";
  for (std::size_t cut = 1; cut <= 4; ++cut) {
    EXPECT_FALSE(is_good(std::string_view(payload).substr(0, payload.size() - cut))) << cut;
  }
  std::string none;
  PayloadWriter(none, 5).add_old_values({});
  EXPECT_FALSE(is_good(none)) << "of no operation";
}

}  // namespace
}  // namespace ashlar::engine
