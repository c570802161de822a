// What a workload promises: the same seed and thread plan the same, values and keys never come
// again, and the shape is kept.

#include "testing/isolation/workload.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "testing/isolation/history_text.h"
#include "testing/seed.h"

namespace ashlar::testing {
namespace {

std::string text_of(Workload& workload, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    for (const Operation& operation : workload.next()) append_operation_line(operation, text);
    text += '\n';
  }
  return text;
}

std::string text_of(const WorkloadThread& thread, int count) {
  Workload workload({}, thread);
  return text_of(workload, count);
}

TEST(Workload, PlansTheSameFromTheSameSeedAndThread) {
  const WorkloadThread thread{.seed = seed(), .thread = 1, .thread_count = 3};
  WorkloadThread other = thread;

  EXPECT_EQ(text_of(thread, 100), text_of(thread, 100));
  other.thread = 2;
  EXPECT_NE(text_of(thread, 100), text_of(other, 100));
  other = thread;
  other.seed += 1;
  EXPECT_NE(text_of(thread, 100), text_of(other, 100));
}

TEST(Workload, NeverWritesAValueTwice) {
  std::set<std::uint64_t> values;
  for (const std::uint64_t first : {0U, 500U}) {
    for (std::uint32_t thread = 0; thread < 3; ++thread) {
      Workload workload(
          {}, {.seed = 5, .thread = thread, .thread_count = 3, .first_transaction = first});
      for (int i = 0; i < 500; ++i) {
        for (const Operation& operation : workload.next()) {
          if (operation.value == kAbsent) continue;
          EXPECT_TRUE(values.insert(operation.value).second);
        }
      }
    }
  }
  EXPECT_GT(values.size(), 1'000U);
}

TEST(Workload, GoesOnToNewKeys) {
  const WorkloadShape shape{.transactions_a_generation = 10};
  Workload workload(shape, {.seed = seed()});
  std::map<std::string, int> last_use;
  for (int i = 0; i < 100; ++i) {
    for (const Operation& operation : workload.next()) {
      const auto [at, is_new] = last_use.try_emplace(operation.key, i);
      EXPECT_EQ(at->second / 10, i / 10) << operation.key;
    }
  }
}

TEST(Workload, KeepsToItsShape) {
  const WorkloadShape shape{.list_count = 3,
                            .register_count = 5,
                            .operations = 4,
                            .list_share = 50,
                            .range_share = 50,
                            .read_only_share = 0,
                            .read_first_share = 100};
  Workload workload(shape, {.seed = seed()});
  std::map<OperationKind, int> counts;
  for (int i = 0; i < 300; ++i) {
    const auto planned = workload.next();
    EXPECT_GE(planned.size(), 1U);
    EXPECT_LE(planned.size(), 2 * shape.operations);
    for (std::size_t j = 0; j < planned.size(); ++j) {
      ++counts[planned[j].kind];
      if (planned[j].kind == OperationKind::kReadRange) {
        EXPECT_LT(planned[j].key, planned[j].last);
      }
      if (planned[j].kind != OperationKind::kAppend) continue;
      ASSERT_GT(j, 0U);
      EXPECT_EQ(planned[j - 1].kind, OperationKind::kReadList);
      EXPECT_EQ(planned[j - 1].key, planned[j].key);
    }
  }
  EXPECT_EQ(counts.size(), 3U);  // Appends, reads of lists, reads of ranges.
}

TEST(Workload, OnlyReadsWhereItIsToldSo) {
  Workload workload({.read_only_share = 100}, {.seed = seed()});
  for (int i = 0; i < 300; ++i) {
    for (const Operation& operation : workload.next()) {
      EXPECT_TRUE(operation.kind == OperationKind::kReadList ||
                  operation.kind == OperationKind::kRead ||
                  operation.kind == OperationKind::kReadRange);
    }
  }
}

TEST(Workload, HotKeysAreUsedMoreOften) {
  const WorkloadShape shape{.list_count = 50,
                            .hot_count = 1,
                            .hot_share = 90,
                            .list_share = 100,
                            .range_share = 0,
                            .transactions_a_generation = 1'000'000};
  Workload workload(shape, {.seed = seed()});
  std::map<std::string, int> uses;
  int total = 0;
  for (int i = 0; i < 500; ++i) {
    for (const Operation& operation : workload.next()) ++uses[operation.key], ++total;
  }
  EXPECT_GT(uses["l00000000.00000"], total / 2);
  EXPECT_GT(uses.size(), 5U);
}

TEST(Workload, ErasesOnlyEveryEighthRegister) {
  Workload workload({.list_share = 0, .range_share = 0}, {.seed = seed()});
  int erased_count = 0;
  for (int i = 0; i < 2'000; ++i) {
    for (const Operation& operation : workload.next()) {
      if (operation.kind != OperationKind::kErase) continue;
      ++erased_count;
      const std::string index = operation.key.substr(operation.key.size() - 5);
      EXPECT_EQ(std::stoul(index) % 8, 7U) << operation.key;
    }
  }
  EXPECT_GT(erased_count, 0);
}

}  // namespace
}  // namespace ashlar::testing
