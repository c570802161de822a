// What the engine relies on: a memtable answers as an ordered map of all versions does, refuses
// before anything has happened or not at all, and costs exactly what it says.

#include "lsm/memtable/memtable.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/view.h"
#include "lsm/memtable/memtable_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kStep = Arena::kStepBytes;

std::optional<Row> get(const MemtableRig& rig, const std::string& key, Sequence sequence) {
  const auto found = rig.table->get(key, rig.hash(key), sequence);
  return found ? std::optional(row_of(*found)) : std::nullopt;
}

/// C1, N1 to N3: every key at every kind of sequence, one at a time and many together.
void expect_answers_as_a_map(Hashing hashing, std::uint64_t stream) {
  testing::Random random(testing::seed(), stream);
  MemtableRig rig(hashing);
  const auto keys = awkward_keys(random, 300);
  std::vector<Memtable::Lookup> lookups;
  for (const auto& key : keys) lookups.push_back({.key = key, .hash = rig.hash(key)});
  std::vector<std::optional<Memtable::Found>> found(keys.size());
  for (int round = 0; round < 20; ++round) {
    rig.commit_random(random, keys, 30);
    const Sequence at = random.chance(50) ? random.between(0, rig.sequence) : rig.sequence;
    const Rows rows = rig.rows_at(at);
    rig.table->get_many(lookups, at, found);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto row = rows.find(keys[i]);
      const auto expected = row == rows.end() ? std::nullopt : std::optional(row->second);
      rig.table->prefetch(lookups[i].hash);
      ASSERT_EQ(get(rig, keys[i], at), expected);
      ASSERT_EQ(found[i] ? std::optional(row_of(*found[i])) : std::nullopt, expected);
    }
  }
  EXPECT_EQ(rig.table->row_count(), rig.versions.size());
  rig.table->check();
}

TEST(Memtable, AnswersAsAMapDoes) {
  expect_answers_as_a_map(Hashing::kGood, 1);
}

TEST(Memtable, AnswersAsAMapDoesWhereAllHashesCollide) {
  expect_answers_as_a_map(Hashing::kConstant, 2);
}

// N2: the later of two operations of one commit on one key.
TEST(Memtable, KeepsTheLaterOfOneCommit) {
  MemtableRig rig;
  rig.commit({{.key = "k", .value = "first"},
              {.key = "k", .value = "second"},
              {.kind = engine::OperationKind::kErase, .key = "gone", .value = {}},
              {.key = "gone", .value = "back"}});
  EXPECT_EQ(get(rig, "k", 1)->value, "second");
  EXPECT_EQ(get(rig, "gone", 1)->value, "back");
  EXPECT_EQ(rig.table->row_count(), 2U);
}

// Views of values stay good while the memtable grows.
TEST(Memtable, KeepsValuesWhereTheyAre) {
  MemtableRig rig;
  rig.put("k", "the value");
  const auto found = rig.table->get("k", rig.hash("k"), 1);
  for (int i = 0; i < 20'000; ++i) rig.put(std::to_string(i), std::string(100, 'x'));
  rig.put("k", "another");
  EXPECT_EQ(found->value, "the value");
}

TEST(Memtable, TellsItsFigures) {
  MemtableRig rig;
  EXPECT_EQ(rig.table->first_sequence(), 0U);
  EXPECT_EQ(rig.table->bytes(), 0U);
  rig.sequence = 9;
  rig.put("a", "1");
  EXPECT_FALSE(rig.table->has_deadlines());
  rig.put("a", "2", 77);
  rig.erase("a");
  rig.erase("b");
  EXPECT_EQ(rig.table->row_count(), 2U);
  EXPECT_EQ(rig.table->erase_count(), 2U);
  EXPECT_TRUE(rig.table->has_deadlines());
  EXPECT_EQ(rig.table->first_sequence(), 10U);
  EXPECT_EQ(rig.table->last_sequence(), 13U);
  EXPECT_GT(rig.table->bytes(), 2 * sizeof(RunEntry));
  EXPECT_LE(rig.table->bytes(), rig.table->taken_bytes());
  EXPECT_EQ(rig.budget.used_bytes(), rig.table->taken_bytes());
}

// M1: nothing before the first commit, and everything back with the table, merged runs included.
TEST(Memtable, GivesItsBudgetBackExactly) {
  testing::Random random(testing::seed());
  MemtableRig rig;
  EXPECT_EQ(rig.budget.used_bytes(), 0U);
  const auto keys = awkward_keys(random, 1000);
  for (int i = 0; i < 20; ++i) {
    rig.commit_random(random, keys, 50);
    static_cast<void>(*rig.table->cursor(rig.sequence));
  }
  EXPECT_GE(rig.budget.used_bytes(), rig.table->taken_bytes());
  rig.table.reset();
  EXPECT_EQ(rig.budget.used_bytes(), 0U);
}

// N10, M1: wherever the budget ends, a refusal names it and changes nothing; smaller commits go on
// until it is used up to the last step, and a flush then needs nothing more.
TEST(Memtable, RefusesWithoutAnyChange) {
  for (std::size_t steps = 0; steps < 5; ++steps) {
    MemtableRig rig(Hashing::kGood, steps * kStep);
    const std::string value(10'000, 'v');
    for (int i = 0;; ++i) {
      const std::string key = std::to_string(i);
      const engine::Operation operation{.key = key, .value = value};
      if (!rig.table->reserve({&operation, 1})) break;
      rig.put(key, value);
    }
    const std::size_t used = rig.budget.used_bytes();
    const std::size_t bytes = rig.table->bytes();
    EXPECT_EQ(used, steps < 2 ? 0 : steps * kStep);
    const engine::Operation operation{.key = "one more", .value = value};
    const auto refused = rig.table->reserve({&operation, 1});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
    EXPECT_NE(refused.error().message().find("memory budget of " + std::to_string(steps * kStep)),
              std::string::npos);
    EXPECT_EQ(rig.budget.used_bytes(), used);
    EXPECT_EQ(rig.table->bytes(), bytes);
    EXPECT_EQ(rig.table->row_count(), rig.versions.size());

    const auto cursor = *rig.table->cursor(engine::View::kLatestSequence);
    std::size_t row_count = 0;
    for (cursor->seek_to_first(); cursor->is_valid(); cursor->next()) ++row_count;
    EXPECT_EQ(row_count, rig.versions.size());
    rig.table->check();
  }
}

// N10: a commit that fits no memtable is told so, whatever the budget has.
TEST(Memtable, RefusesWhatDoesNotFitItsAddresses) {
  MemtableRig rig(Hashing::kGood, kRigBudgetBytes, kStep);
  const std::string value(kStep, 'v');
  const engine::Operation operation{.key = "k", .value = value};
  const auto refused = rig.table->reserve({&operation, 1});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_NE(refused.error().message().find("does not fit a memtable"), std::string::npos);
  rig.put("k", "a short one");
  EXPECT_EQ(get(rig, "k", 1)->value, "a short one");
}

// N10: what was reserved and not inserted is room for the next.
TEST(Memtable, TakesNothingForAnAbandonedCommit) {
  MemtableRig rig;
  const std::string value(1000, 'v');
  const engine::Operation operation{.key = "k", .value = value};
  ASSERT_TRUE(rig.table->reserve({&operation, 1}).has_value());
  const std::size_t used = rig.budget.used_bytes();
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(rig.table->reserve({&operation, 1}).has_value());
  EXPECT_EQ(rig.budget.used_bytes(), used);
  EXPECT_EQ(get(rig, "k", 1), std::nullopt);
}

// N4, N10: one commit of more keys than the index has had places for, several times.
TEST(Memtable, TakesCommitsOfManyKeys) {
  MemtableRig rig;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> keys;
    for (int i = 0; i < 20'000 * (round + 1); ++i) {
      keys.push_back(std::to_string(round) + "/" + std::to_string(i));
    }
    std::vector<engine::Operation> operations;
    for (const auto& key : keys) operations.push_back({.key = key, .value = key});
    rig.commit(operations);
    for (const auto& key : keys) ASSERT_EQ(get(rig, key, rig.sequence)->value, key);
  }
  rig.table->check();
}

TEST(MemtableDeathTest, RefusesCommitsOutOfOrder) {
  MemtableRig rig;
  rig.sequence = 9;
  rig.put("a", "1");
  const engine::Operation operation{.key = "b", .value = "2"};
  ASSERT_TRUE(rig.table->reserve({&operation, 1}).has_value());
  EXPECT_DEATH(rig.table->insert(operation, rig.hash("b"), 9), "N2");
}

TEST(MemtableDeathTest, RefusesWhatWasNotReserved) {
  MemtableRig rig;
  const engine::Operation operation{.key = "b", .value = "2"};
  EXPECT_DEATH(rig.table->insert(operation, rig.hash("b"), 1), "Q3");
}

}  // namespace
}  // namespace ashlar::lsm
