// What the database above relies on when it opens, starts and ends an engine. Random sequences of
// operations are the affair of tests/model, crashes that of tests/crash.

#include "lsm/engine/engine_core.h"

#include <gtest/gtest.h>

#include <string>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

// V30: what was flushed is there in the next opening, whatever seed that brings.
TEST(DiskEngineCore, HasItsTablesAfterAnOpening) {
  DiskEngineRig rig;
  rig.open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.put(key_of(i), "value").has_value());
  ASSERT_TRUE(rig.erase(key_of(7)).value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  ASSERT_TRUE(rig.put("in memory only", "lost without the log").has_value());
  const Sequence sequence = rig.engine->stats().sequence;
  rig.open();
  EXPECT_EQ(rig.get(key_of(5)), "value");
  EXPECT_EQ(rig.get(key_of(7)), std::nullopt);
  EXPECT_EQ(rig.get("in memory only"), std::nullopt);
  EXPECT_EQ(rig.engine->stats().sequence, sequence - 1) << "C3: commits in tables are counted on";
  EXPECT_EQ(rig.engine->flushed_place().position, 100U);
}

// V31, V13: files go when no snapshot needs them.
TEST(DiskEngineCore, KeepsTheFilesThatASnapshotSees) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "old").has_value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  const engine::View view = rig.engine->acquire_snapshot().value();
  ASSERT_TRUE(rig.put("key", "new").has_value());
  ASSERT_TRUE(rig.engine->compact().has_value());
  EXPECT_EQ(rig.get("key"), "new");
  EXPECT_EQ(rig.get("key", view), "old");
  EXPECT_EQ(rig.table_file_count(), 2U);
  rig.engine->release_snapshot(view.sequence);
  rig.engine->maintain();
  EXPECT_EQ(rig.table_file_count(), 1U);
  EXPECT_EQ(rig.engine->stats().table_count, 1U);
}

// What is erased or has expired takes no space once everything has been compacted.
TEST(DiskEngineCore, LetsGoOfWhatNobodyCanSee) {
  DiskEngineRig rig;
  rig.open();
  for (int i = 0; i < 500; ++i) {
    const engine::TimeMs deadline_ms = i % 2 == 0 ? rig.clock.now_ms() + 10 : engine::kNever;
    ASSERT_TRUE(rig.put(key_of(i), std::string(100, 'v'), deadline_ms).has_value());
  }
  ASSERT_TRUE(rig.engine->flush().has_value());
  for (int i = 1; i < 500; i += 2) ASSERT_TRUE(rig.erase(key_of(i)).value());
  rig.clock.advance(20);
  ASSERT_TRUE(rig.engine->compact().has_value());
  rig.engine->maintain();
  EXPECT_EQ(rig.engine->stats().table_count, 0U);
  EXPECT_EQ(rig.table_file_count(), 0U);
}

// What it says of itself is what has been done.
TEST(DiskEngineCore, TellsOfTablesAndOfWork) {
  DiskEngineRig rig;
  rig.open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(rig.put(key_of(i), std::string(100, 'v')).has_value());
  ASSERT_TRUE(rig.erase(key_of(3)).value());
  Stats stats = rig.engine->stats();
  EXPECT_EQ(stats.table_count, 0U);
  EXPECT_EQ(stats.put_count, 50U);
  EXPECT_EQ(stats.erase_count, 1U);
  EXPECT_GE(stats.memtable_bytes, 50U * 100U);
  EXPECT_EQ(stats.memory_budget_bytes, std::size_t{64} << 20U);
  ASSERT_TRUE(rig.engine->flush().has_value());
  stats = rig.engine->stats();
  EXPECT_EQ(stats.flush_count, 1U);
  EXPECT_EQ(stats.level0_table_count, 1U);
  EXPECT_EQ(stats.flushed_bytes, stats.table_bytes);
  ASSERT_TRUE(rig.put(key_of(3), "again").has_value());
  ASSERT_TRUE(rig.engine->compact().has_value());
  stats = rig.engine->stats();
  EXPECT_EQ(stats.key_count, 50U);
  EXPECT_EQ(stats.level0_table_count, 0U);
  EXPECT_GE(stats.compaction_count, 1U);
  EXPECT_GT(stats.compaction_read_bytes, 0U);
  EXPECT_GE(stats.compaction_written_bytes, stats.table_bytes);
  EXPECT_LE(stats.memory_bytes, stats.memory_budget_bytes);
  rig.engine->check();
}

// V30, V31: an opening that fails at any call of the disk takes nothing away.
TEST(DiskEngineCore, FailsToOpenWithoutLoss) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  ASSERT_TRUE(rig.engine->compact().has_value());
  rig.engine.reset();
  std::uint64_t failed_count = 0;
  bool has_failed = true;
  for (std::uint64_t nth = 0; has_failed; ++nth) {
    const std::uint64_t first = rig.faulty.call_count(os::CallKind::kAny);
    rig.faulty.fail(os::CallKind::kAny, first + nth, os::Fault::kEio, os::FaultSpan::kOnce);
    const auto opened = rig.try_open();
    has_failed = rig.faulty.call_count(os::CallKind::kAny) > first + nth;
    if (!opened) ++failed_count;
    rig.faulty.heal();
    rig.open();
    ASSERT_EQ(rig.get("key"), "value") << "call " << nth;
    rig.engine.reset();
  }
  EXPECT_GT(failed_count, 5U);
}

}  // namespace
}  // namespace ashlar::lsm
