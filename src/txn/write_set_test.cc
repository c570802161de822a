// X4: going back gives what was there, whatever came between.

#include "txn/write_set.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::txn {
namespace {

using Model = std::map<std::string, std::string>;  // "-" for an erase.

Model content(const WriteSet& writes) {
  Model model;
  for (const engine::Operation& operation : writes.operations()) {
    model[std::string(operation.key)] =
        operation.kind == engine::OperationKind::kErase ? "-" : std::string(operation.value);
  }
  return model;
}

TEST(WriteSet, HasTheLastWriteOfEachKeyInOrder) {
  WriteSet writes;
  writes.add({.key = "b", .value = "1"});
  writes.add({.key = "a", .value = "2", .deadline_ms = 9});
  writes.add({.kind = engine::OperationKind::kErase, .key = "b", .value = {}});
  const auto operations = writes.operations();
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(operations[0].key, "a");
  EXPECT_EQ(operations[0].deadline_ms, 9);
  EXPECT_EQ(operations[1].kind, engine::OperationKind::kErase);
  EXPECT_EQ(writes.find("a")->value, "2");
  EXPECT_EQ(writes.find("c"), nullptr);
}

TEST(WriteSet, GoesBackToAnyMark) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 100; ++round) {
    WriteSet writes;
    Model model;
    std::vector<std::pair<WriteSet::Mark, Model>> marks{{0, {}}};
    for (int step = 0; step < 60; ++step) {
      const std::string key = "k" + std::to_string(random.below(10));
      if (random.chance(20)) {
        const std::size_t at = random.below(marks.size());
        ASSERT_TRUE(writes.has(marks[at].first));
        writes.undo_to(marks[at].first);
        model = marks[at].second;
        marks.resize(at + 1);
      } else if (random.chance(20)) {
        marks.emplace_back(writes.mark(), model);
      } else if (random.chance(30)) {
        writes.add({.kind = engine::OperationKind::kErase, .key = key, .value = {}});
        model[key] = "-";
      } else {
        model[key] = std::string(random.below(20), 'v');
        writes.add({.key = key, .value = model[key]});
      }
      ASSERT_EQ(content(writes), model);
    }
    writes.undo_to(0);
    EXPECT_TRUE(writes.rows().empty());
    EXPECT_EQ(writes.bytes(), 0U) << "what was counted in was counted out";
  }
}

}  // namespace
}  // namespace ashlar::txn
