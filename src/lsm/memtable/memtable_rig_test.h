/// \file
/// A memtable beside an ordered map of all versions, which says what it must answer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/memory/memory_budget.h"
#include "lsm/memtable/memtable.h"
#include "testing/random.h"

namespace ashlar::lsm {

inline constexpr std::size_t kRigBudgetBytes = std::size_t{256} << 20U;

/// What a key is at some sequence.
struct Row {
  engine::OperationKind kind = engine::OperationKind::kPut;
  engine::TimeMs deadline_ms = engine::kNever;
  std::string value;

  bool operator==(const Row&) const = default;
};

using Rows = std::map<std::string, Row>;

/// How keys are hashed: as they should be, or so that all of them collide.
enum class Hashing : std::uint8_t { kGood, kConstant };

struct MemtableRig {
  explicit MemtableRig(Hashing chosen = Hashing::kGood, std::size_t budget_bytes = kRigBudgetBytes,
                       std::size_t address_bytes = kRigBudgetBytes)
      : hashing(chosen),
        budget(budget_bytes),
        spares(budget, address_bytes, 0),
        table(*Memtable::make(spares)) {}

  std::uint64_t hash(std::string_view key) const {
    return hashing == Hashing::kGood ? base::hash_key(key, 42) : 0x1234'5678'0000'0000U;
  }

  /// Inserts a commit under the next sequence, into both.
  void commit(const std::vector<engine::Operation>& operations) {
    ASSERT_TRUE(table->reserve(operations).has_value());
    ++sequence;
    for (const auto& operation : operations) {
      table->insert(operation, hash(operation.key), sequence);
      versions[std::string(operation.key)][sequence] = {.kind = operation.kind,
                                                        .deadline_ms = operation.deadline_ms,
                                                        .value = std::string(operation.value)};
    }
  }

  void put(std::string_view key, std::string_view value,
           engine::TimeMs deadline_ms = engine::kNever) {
    commit({{.key = key, .value = value, .deadline_ms = deadline_ms}});
  }
  void erase(std::string_view key) {
    commit({{.kind = engine::OperationKind::kErase, .key = key, .value = {}}});
  }

  /// Commits of a few random operations on `keys`.
  void commit_random(testing::Random& random, const std::vector<std::string>& keys, int count) {
    for (int i = 0; i < count; ++i) {
      std::vector<std::string> values;
      std::vector<engine::Operation> operations;
      const auto operation_count = random.between(1, 4);
      values.reserve(operation_count);
      for (std::uint64_t j = 0; j < operation_count; ++j) {
        const std::string& key = keys[random.below(keys.size())];
        if (random.chance(20)) {
          operations.push_back({.kind = engine::OperationKind::kErase, .key = key, .value = {}});
          continue;
        }
        values.push_back(random.bytes(random.below(40)));
        const auto deadline = static_cast<engine::TimeMs>(random.below(1'000'000));
        operations.push_back({.key = key,
                              .value = values.back(),
                              .deadline_ms = random.chance(30) ? deadline : engine::kNever});
      }
      commit(operations);
    }
  }

  /// What a reader at `at` must see.
  Rows rows_at(Sequence at) const {
    Rows rows;
    for (const auto& [key, chain] : versions) {
      const auto after = chain.upper_bound(at);
      if (after != chain.begin()) rows[key] = std::prev(after)->second;
    }
    return rows;
  }

  const Hashing hashing;
  base::MemoryBudget budget;
  SpareArenas spares;
  std::unique_ptr<Memtable> table;
  Sequence sequence = 0;
  std::map<std::string, std::map<Sequence, Row>> versions;
};

inline Row row_of(const Memtable::Found& found) {
  return {.kind = found.kind, .deadline_ms = found.deadline_ms, .value = std::string(found.value)};
}

inline Row row_of(const engine::RowCursor& cursor) {
  return {.kind = cursor.kind(),
          .deadline_ms = cursor.deadline_ms(),
          .value = std::string(cursor.value())};
}

/// Keys of the kinds that an order of heads could get wrong: shared prefixes of all lengths, keys
/// that are the beginning of others, zero bytes at their ends, one byte and very many.
inline std::vector<std::string> awkward_keys(testing::Random& random, std::size_t count) {
  std::vector<std::string> keys{std::string(1, '\0'), "a", std::string("a\0", 2),
                                std::string("a\0\0", 3), std::string(65535, 'x')};
  while (keys.size() < count) {
    const std::string& base = keys[random.below(std::min<std::size_t>(keys.size(), 200))];
    std::string key = base.size() > 300 ? std::string(300, 'x') : base;
    switch (random.below(4)) {
      case 0:
        key += std::string(random.between(1, 10), '\0');
        break;
      case 1:
        key += random.bytes(random.between(1, 3));
        break;
      case 2:
        key = "a shared prefix of some length/" + random.bytes(random.between(1, 6));
        break;
      default:
        key = random.bytes(random.between(1, 20));
        break;
    }
    keys.push_back(std::move(key));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (std::size_t i = keys.size(); i > 1; --i) std::swap(keys[i - 1], keys[random.below(i)]);
  return keys;
}

}  // namespace ashlar::lsm
