// What many threads may rely on at once: a row that is found is whole and right for as long as the
// guard is open, while others evict, grow and shrink.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/hash.h"
#include "table/rows/row_cache.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::table {
namespace {

constexpr std::uint64_t kKeyCount = 20'000;
constexpr std::size_t kThreadCount = 4;

std::string value_of(std::uint64_t number) {
  return std::string(60 + number % 60, static_cast<char>('a' + number % 26));
}

// W18, W20
TEST(RowCacheRace, ReadersSeeWholeRowsWhileOthersMakeRoom) {
  base::MemoryBudget budget(std::size_t{16} << 20U);
  base::EpochDomain domain;
  const auto rows = *RowCache::make(budget, domain);
  rows->set_capacity(1);
  rows->note_table(0);
  std::atomic<std::uint64_t> wrong_count{0};
  const auto work = [&](std::uint64_t seed) {
    testing::Random random(seed);
    for (std::uint64_t i = 0; i < 40'000 / testing::kWorkDivisor; ++i) {
      const std::uint64_t number = random.below(random.chance(60) ? 1'000 : kKeyCount);
      const std::string key = std::to_string(number);
      const RowKey wanted{.table = 0, .key = key, .hash = base::hash_key(key, 7)};
      const base::EpochGuard guard(domain);
      if (const auto row = rows->find(wanted)) {
        // Twice: others are at work meanwhile.
        if (row->value != value_of(number) || row->value != value_of(number)) ++wrong_count;
        continue;
      }
      rows->offer(wanted, {.kind = engine::OperationKind::kPut,
                           .deadline_ms = engine::kNever,
                           .value = value_of(number)});
    }
  };
  std::atomic<bool> is_over{false};
  std::thread changer([&] {
    testing::Random random(testing::seed());
    while (!is_over) {
      rows->set_capacity(random.below(4));
      rows->reclaim();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreadCount; ++i) threads.emplace_back(work, testing::seed() + i);
  for (std::thread& thread : threads) thread.join();
  is_over = true;
  changer.join();
  EXPECT_EQ(wrong_count.load(), 0U);
  rows->check();
  EXPECT_LE(budget.used_bytes(), budget.limit_bytes());
}

}  // namespace
}  // namespace ashlar::table
