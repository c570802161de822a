// What a checkpoint relies on: a walk over all keys misses none that stays, whatever happens beside
// it.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>

#include "memory/engine_rig_test.h"
#include "testing/workload_scale.h"

namespace ashlar::memory {
namespace {

using Rows = std::map<std::string, std::string>;

Rows visit_all(EngineRig& rig) {
  Rows rows;
  const auto done = rig->visit_all([&](const engine::StorageEngine::Row& row) -> Result<void> {
    rows[std::string(row.key)] = row.value;
    return {};
  });
  EXPECT_TRUE(done.has_value());
  return rows;
}

TEST(VisitAll, SeesWhatIsThere) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("a", "1"));
  ASSERT_TRUE(rig.put("b", ""));
  ASSERT_TRUE(rig.put("later", "3", rig.in(100)));
  ASSERT_TRUE(rig.put("expired", "4", rig.in(10)));
  ASSERT_TRUE(rig.put("erased", "5"));
  const auto view = rig->acquire_snapshot();
  ASSERT_TRUE(rig.erase("erased"));
  rig.clock().advance(50);
  EXPECT_EQ(visit_all(rig), (Rows{{"a", "1"}, {"b", ""}, {"later", "3"}}));
  rig->release_snapshot(view->sequence);
}

TEST(VisitAll, EndsWithTheErrorOfItsVisitor) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("a", "1"));
  const auto done = rig->visit_all([](const engine::StorageEngine::Row&) -> Result<void> {
    return std::unexpected(Error::of_literal(ErrorCode::kIo, "no more"));
  });
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().message(), "no more");
}

// Keys come and go while the walk goes on, so that the index splits and wants to merge.
TEST(VisitAll, MissesNothingThatStays) {
  const int key_count = static_cast<int>(testing::scaled(20'000));
  EngineRig rig;
  for (int i = 0; i < key_count; ++i) ASSERT_TRUE(rig.put("stays:" + std::to_string(i), "x"));
  std::jthread writer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (int i = 0; i < key_count; ++i) rig.put("comes:" + std::to_string(i), "x");
      for (int i = 0; i < key_count; ++i) rig.erase("comes:" + std::to_string(i));
    }
  });
  for (int round = 0; round < 10; ++round) {
    const Rows rows = visit_all(rig);
    for (int i = 0; i < key_count; ++i) ASSERT_TRUE(rows.contains("stays:" + std::to_string(i)));
  }
}

}  // namespace
}  // namespace ashlar::memory
