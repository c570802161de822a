// A walk is over all parts of one state: each key once, in order, both ways.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs rest_of(engine::Cursor& rows) {
  Pairs pairs;
  for (; rows.is_valid(); rows.next()) pairs.emplace_back(rows.key(), rows.value());
  EXPECT_TRUE(rows.status().has_value());
  return pairs;
}

Pairs forward(DiskEngine& engine, const Range& range, const engine::View& view = engine::kLatest) {
  const auto rows = engine.scan(range, view).value();
  rows->seek_to_first();
  return rest_of(*rows);
}

Pairs backward(DiskEngine& engine, const Range& range) {
  Pairs pairs;
  const auto rows = engine.scan(range, engine::kLatest).value();
  for (rows->seek_to_last(); rows->is_valid(); rows->previous()) {
    pairs.emplace_back(rows->key(), rows->value());
  }
  EXPECT_TRUE(rows->status().has_value());
  return pairs;
}

/// "a" lies at the bottom, "b" was erased above it, "c" is newer in level 0, "d" in the memtable;
/// "e" expires.
void fill(DiskEngineRig& rig) {
  rig.open();
  for (const std::string_view key : {"a", "b", "c", "d"}) {
    ASSERT_TRUE(rig.put(key, "old").has_value());
  }
  ASSERT_TRUE(rig.put("e", "short", rig.clock.now_ms() + 10).has_value());
  ASSERT_TRUE(rig.engine->compact().has_value());
  ASSERT_TRUE(rig.erase("b").value());
  ASSERT_TRUE(rig.put("c", "new").has_value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  ASSERT_TRUE(rig.put("d", "new").has_value());
}

TEST(DiskEngineScan, MergesAllPartsBothWays) {
  DiskEngineRig rig;
  fill(rig);
  Pairs expected = {{"a", "old"}, {"c", "new"}, {"d", "new"}, {"e", "short"}};
  EXPECT_EQ(forward(*rig.engine, {}), expected);
  std::ranges::reverse(expected);
  EXPECT_EQ(backward(*rig.engine, {}), expected);
  EXPECT_EQ(forward(*rig.engine, {.from = "b", .to = "d"}), (Pairs{{"c", "new"}}));
  EXPECT_EQ(backward(*rig.engine, {.from = "b", .to = "d"}), (Pairs{{"c", "new"}}));
}

// T1: a walk stays at its moment, whatever is written, flushed and compacted meanwhile.
TEST(DiskEngineScan, StaysAtItsMoment) {
  DiskEngineRig rig;
  fill(rig);
  const Pairs before = forward(*rig.engine, {});
  const engine::View view = rig.engine->acquire_snapshot().value();
  const auto rows = rig.engine->scan({}, engine::kLatest).value();
  for (const std::string_view key : {"a", "b", "c", "d", "f"}) {
    ASSERT_TRUE(rig.put(key, "newest").has_value());
  }
  rig.clock.advance(20);
  ASSERT_TRUE(rig.engine->compact().has_value());
  rows->seek_to_first();
  EXPECT_EQ(rest_of(*rows), before);
  EXPECT_EQ(forward(*rig.engine, {}, view), before);
  EXPECT_EQ(forward(*rig.engine, {}).size(), 5U) << "e has expired";
  rig.engine->release_snapshot(view.sequence);
}

// What is copied elsewhere is what a reader would see, with its deadlines.
TEST(DiskEngineScan, VisitsWhatIsThereWithItsDeadline) {
  DiskEngineRig rig;
  fill(rig);
  using Row = engine::StorageEngine::Row;
  Pairs seen;
  std::size_t expiring_count = 0;
  const auto visit = [&](const Row& row) -> Result<void> {
    seen.emplace_back(row.key, row.value);
    if (row.deadline_ms != engine::kNever) ++expiring_count;
    return {};
  };
  ASSERT_TRUE(rig.engine->visit_all(visit).has_value());
  EXPECT_EQ(seen, forward(*rig.engine, {}));
  EXPECT_EQ(expiring_count, 1U);
  const auto refuse = [](const Row&) -> Result<void> {
    return std::unexpected(Error::of_literal(ErrorCode::kIo, "enough"));
  };
  EXPECT_EQ(rig.engine->visit_all(refuse).error().message(), "enough");
}

}  // namespace
}  // namespace ashlar::lsm
