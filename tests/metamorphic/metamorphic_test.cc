// What a user may rely on: no option, no size, no thread and no way of asking changes an answer.
// The same calls are made under many choices of all of them, on both engines, and each call must
// answer what it answers in memory with every default (E1).
//
// ASHLAR_METAMORPHIC_STEPS=… sets how many steps all variants together make.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "compare.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::metamorphic {
namespace {

constexpr std::uint64_t kVariantCount = 64;
constexpr std::uint64_t kStepsPerScript = 500;

// So many different values have to have been chosen, or the run has shown little.
constexpr std::size_t kChosenValuesMin = 60;

std::uint64_t script_count() {
  // Read before any thread of a test starts.
  const char* text = std::getenv("ASHLAR_METAMORPHIC_STEPS");  // NOLINT(concurrency-mt-unsafe)
  constexpr std::uint64_t kStepsOfOne = kVariantCount * kStepsPerScript;
  return std::max<std::uint64_t>(testing::seed_of(text, kStepsOfOne) / kStepsOfOne, 1);
}

// A sanitizer's build has time for fewer. The scripts stay as long as they are: in a short one no
// memtable fills and nothing is compacted.
constexpr std::uint64_t variant_count() {
  return std::max(testing::scaled(kVariantCount), kVariantCount / 4);
}

// E1, C1, C3, T1, M1
TEST(Metamorphic, NoChoiceChangesAnAnswer) {
  ChosenValues chosen;
  std::uint64_t answer_count = 0;
  std::uint64_t compaction_count = 0;
  for (std::uint64_t i = 0; i < script_count(); ++i) {
    const Comparison comparison =
        compare(testing::seed() + i * kVariantCount, kStepsPerScript, variant_count());
    ASSERT_EQ(comparison.difference, "");
    ASSERT_EQ(comparison.variant_count, variant_count());
    chosen.insert(comparison.chosen.begin(), comparison.chosen.end());
    answer_count += comparison.answer_count;
    compaction_count += comparison.compaction_count;
  }
  std::printf("metamorphic: %zu values chosen, %llu answers, %llu compactions\n", chosen.size(),
              static_cast<unsigned long long>(answer_count),
              static_cast<unsigned long long>(compaction_count));
  EXPECT_GE(chosen.size(), kChosenValuesMin);
  EXPECT_GT(compaction_count, 0U);
  EXPECT_TRUE(chosen.contains("engine=0") && chosen.contains("engine=1")) << "E1 was not tried";
}

// Seeds that found something: a key was gone whose deadline only the log knew to be another.
TEST(Metamorphic, WhatWasFoundStaysMended) {
  EXPECT_EQ(compare(7, 700, 15).difference, "");
  EXPECT_EQ(compare(8, 750, 5).difference, "");
}

}  // namespace
}  // namespace ashlar::metamorphic
