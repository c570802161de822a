// What a user may rely on: whatever is called in whatever order, the database answers as an ordered
// map with deadlines and versions would. At the memory budget a write is refused whole, or other
// keys make room; no answer is ever wrong.
//
// ASHLAR_MODEL_OPERATIONS=… sets how many operations all cases together make.

#include <gtest/gtest.h>

#include <cstdlib>

#include "run.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::model {
namespace {

constexpr std::uint64_t kCases = 6;

// Each operation on disk takes some twenty times as long.
constexpr std::uint64_t kDiskShare = 20;

constexpr Options on_disk() {
  return {.directory = "/data",
          .engine = Engine::kDisk,
          .memory_budget_bytes = std::size_t{256} << 20U};
}

std::uint64_t operations_per_case() {
  // Read before any thread of a test starts.
  const char* text = std::getenv("ASHLAR_MODEL_OPERATIONS");  // NOLINT(concurrency-mt-unsafe)
  const std::uint64_t all = testing::seed_of(text, testing::scaled(10'200'000));
  return all / kCases;
}

void run(Workload workload) {
  workload.operation_count = operations_per_case();
  if (workload.is_on_disk()) workload.operation_count /= kDiskShare;
  Run(workload, testing::seed()).go();
}

// C1, C3, T1
TEST(Model, AnswersAsAMapDoesForFewKeysOverwrittenAgainAndAgain) {
  run({.key_count = 50});
}

// C1, C3, T1
TEST(Model, AnswersAsAMapDoesWhileItGrowsAndShrinks) {
  run({.key_count = 150'000,
       .has_tides = true,
       .large_value_bytes = 10'000,
       .audit_interval = 100'000});
}

// C1, C3, T1
TEST(Model, AnswersAsAMapDoesForHostileKeys) {
  run({.key_shape = KeyShape::kHostile, .key_count = 3000});
}

// C1, C3, T1
TEST(Model, AnswersAsAMapDoesForAFewThousandKeysThatComeAndGo) {
  run({.key_count = 4000, .has_tides = true});
}

// C1, C3, T1, E1
TEST(Model, AnswersAsAMapDoesForFewKeysOnDisk) {
  run({.options = on_disk(), .key_count = 50, .reopen_interval = 30'000});
}

// C1, C3, T1, E1
TEST(Model, AnswersAsAMapDoesOnDiskWhileItGrowsAndShrinks) {
  run({.options = on_disk(),
       .key_count = 20'000,
       .has_tides = true,
       .large_value_bytes = 10'000,
       .reopen_interval = 50'000});
}

// C1, C3, T1, E1
TEST(Model, AnswersAsAMapDoesForHostileKeysOnDisk) {
  run({.options = on_disk(),
       .key_shape = KeyShape::kHostile,
       .key_count = 3000,
       .reopen_interval = 40'000});
}

// M1, C1
TEST(Model, RefusesWritesWholeAtTheBudget) {
  run({.options = {.memory_budget_bytes = kMemoryBudgetBytesMin},
       .key_count = 20'000,
       .has_tides = true,
       .is_tight = true});
}

// M1, T1
TEST(Model, LosesKeysButNeverLiesWhenKeysMakeRoom) {
  run({.options = {.memory_budget_bytes = kMemoryBudgetBytesMin,
                   .memory_policy = MemoryPolicy::kEvict},
       .key_count = 20'000,
       .is_tight = true});
}

}  // namespace
}  // namespace ashlar::model
