// What writers rely on: a list takes effect whole, in its order, or not at all.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

using engine::Operation;
using engine::OperationKind;

/// Keys of one bucket of the smallest index, in the order in which a list locks and installs them.
std::vector<std::string> keys_of_one_bucket(std::size_t count) {
  const auto hash_of = [](const std::string& key) {
    return base::hash_key(key, EngineRig::kHashSeed);
  };
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < count; ++i) {
    std::string key = "key:" + std::to_string(i);
    if (hash_of(key) % 512 == 0) keys.push_back(std::move(key));
  }
  std::sort(keys.begin(), keys.end(), [&](const std::string& left, const std::string& right) {
    return hash_of(left) < hash_of(right);
  });
  return keys;
}

// C1: the last of several operations on one key decides.
TEST(Write, LetsTheLastOperationOnAKeyWin) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("c", "there"));
  const std::vector<Operation> list = {
      {.key = "a", .value = "1"},
      {.key = "b", .value = "1"},
      {.key = "a", .value = "2"},
      {.kind = OperationKind::kErase, .key = "b", .value = {}},
      {.kind = OperationKind::kErase, .key = "c", .value = {}},
      {.key = "c", .value = "3"},
  };
  ASSERT_TRUE(rig->apply(list).has_value());
  EXPECT_EQ(rig.get("a"), "2");
  EXPECT_EQ(rig.get("b"), std::nullopt);
  EXPECT_EQ(rig.get("c"), "3");
  EXPECT_EQ(rig->stats().key_count, 2U);
  rig->check();
}

TEST(Write, TellsHowManyKeysWereThere) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("a", "1"));
  ASSERT_TRUE(rig.put("expired", "1", rig.in(10)));
  rig.clock().advance(10);
  const std::vector<Operation> list = {
      {.key = "a", .value = "2"},
      {.kind = OperationKind::kErase, .key = "absent", .value = {}},
      {.kind = OperationKind::kErase, .key = "expired", .value = {}},
      {.key = "new", .value = "1"},
  };
  EXPECT_EQ(rig->apply(list).value(), 1U);
  EXPECT_EQ(rig->apply({}).value(), 0U);
}

// T1: a put whose deadline has passed leaves no key.
TEST(Write, ErasesByAPutThatIsPastItsDeadline) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("a", "1"));
  ASSERT_TRUE(rig.put("a", "2", rig.in(0)));
  EXPECT_EQ(rig.get("a"), std::nullopt);
  EXPECT_EQ(rig->stats().key_count, 0U);
  rig->check();
}

// C1, M1: a list that does not fit changes nothing; erasing still works.
TEST(Write, ChangesNothingWhenAListDoesNotFit) {
  EngineRig rig(kMemoryBudgetBytesMin);
  const std::string value(100'000, 'v');
  ASSERT_TRUE(rig.put("first", "old"));
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key:" + std::to_string(i));
  std::vector<Operation> list = {{.key = "first", .value = "new"}};
  for (const std::string& key : keys) list.push_back({.key = key, .value = value});
  const auto refused = rig->apply(list);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(rig.get("first"), "old");
  EXPECT_EQ(rig->stats().key_count, 1U);
  EXPECT_EQ(rig->stats().refused_write_count, 1U);
  EXPECT_LT(rig->memory_bytes(), 300'000U) << "what was prepared is given back";
  EXPECT_TRUE(rig.erase("first"));
  rig->check();
}

// H2: a list that erases and adds in one full chain has an overflow bucket for what it adds, though
// the erased slot has freed one.
TEST(Write, ErasesAndAddsInOneChain) {
  const std::vector<std::string> keys = keys_of_one_bucket(9);
  EngineRig rig;
  for (std::size_t i = 0; i < 8; ++i) ASSERT_TRUE(rig.put(keys[i], "1"));
  const std::vector<Operation> list = {
      {.kind = OperationKind::kErase, .key = keys[0], .value = {}},
      {.key = keys[8], .value = "1"},
  };
  ASSERT_TRUE(rig->apply(list).has_value());
  rig->check();
  EXPECT_EQ(rig.get(keys[0]), std::nullopt);
  for (std::size_t i = 1; i < 9; ++i) EXPECT_EQ(rig.get(keys[i]), "1");
}

// H2: a list that adds several buckets' worth to one chain.
TEST(Write, AddsManyKeysToOneChain) {
  const std::vector<std::string> keys = keys_of_one_bucket(30);
  EngineRig rig;
  std::vector<Operation> list;
  for (const std::string& key : keys) list.push_back({.key = key, .value = key});
  ASSERT_TRUE(rig->apply(list).has_value());
  rig->check();
  for (const std::string& key : keys) EXPECT_EQ(rig.get(key), key);
  for (Operation& operation : list) operation.kind = OperationKind::kErase;
  EXPECT_EQ(rig->apply(list).value(), keys.size());
  rig->check();
}

}  // namespace
}  // namespace ashlar::memory
