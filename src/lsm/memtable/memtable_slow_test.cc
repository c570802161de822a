// A memtable of a million keys: through many growths of the index, looked at as it grows.

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "engine/view.h"
#include "lsm/memtable/memtable_rig_test.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::lsm {
namespace {

/// Sixteen random bytes, the same for one index and seed.
std::string key_of(std::uint64_t index) {
  return testing::Random(testing::seed(), index).bytes(16);
}

TEST(MemtableSlow, HoldsAMillionKeys) {
  const std::uint64_t key_count = testing::scaled(1'000'000);
  base::MemoryBudget budget(std::size_t{1} << 30U);
  SpareArenas spares(budget, std::size_t{1} << 30U, 0);
  const auto table = *Memtable::make(spares);
  for (std::uint64_t i = 0; i < key_count; ++i) {
    const std::string key = key_of(i);
    const std::string value = std::to_string(i);
    const engine::Operation operation{.key = key, .value = value};
    ASSERT_TRUE(table->reserve({&operation, 1}).has_value());
    table->insert(operation, base::hash_key(key, 1), i + 1);
    if (i % 100'000 == 77) static_cast<void>(*table->cursor(i + 1));
  }
  table->check();
  for (std::uint64_t i = 0; i < key_count; ++i) {
    const std::string key = key_of(i);
    const auto found = table->get(key, base::hash_key(key, 1), key_count);
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->value, std::to_string(i));
  }
  const auto cursor = *table->cursor(engine::View::kLatestSequence);
  std::uint64_t row_count = 0;
  std::string before;
  for (cursor->seek_to_first(); cursor->is_valid(); cursor->next(), ++row_count) {
    ASSERT_LT(before, cursor->key());
    before = cursor->key();
  }
  EXPECT_EQ(row_count, key_count);
}

}  // namespace
}  // namespace ashlar::lsm
