// What the database above relies on: rows go from memory to tables and on from level to level and
// stay what they are, through failures of the disk as well. Random sequences of operations are the
// affair of tests/model, crashes that of tests/crash.

#include "lsm/disk_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

// V30: what was flushed is there in the next opening, whatever seed that brings.
TEST(DiskEngine, HasItsTablesAfterAnOpening) {
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

// V33
TEST(DiskEngine, MakesTheLogDurableBeforeTheManifestAndGivesItUpAfter) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  std::vector<std::string> steps;
  rig.log.on_durable = [&](const engine::LogPlace& place) -> Result<void> {
    EXPECT_EQ(place.position, 1U);
    EXPECT_EQ(rig.engine->flushed_place().position, 0U);
    steps.emplace_back("durable");
    return {};
  };
  rig.log.on_release = [&](const engine::LogPlace& place) {
    EXPECT_EQ(place.position, 1U);
    EXPECT_EQ(rig.engine->flushed_place().position, 1U);
    steps.emplace_back("release");
  };
  ASSERT_TRUE(rig.engine->flush().has_value());
  EXPECT_EQ(steps, (std::vector<std::string>{"durable", "release"}));
}

// V33, V31: without the log no manifest, and no file is left of the attempt.
TEST(DiskEngine, InstallsNothingWhenTheLogIsNotDurable) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  rig.log.on_durable = [](const engine::LogPlace&) -> Result<void> {
    return std::unexpected(Error::of_literal(ErrorCode::kUnavailable, "the log is poisoned"));
  };
  EXPECT_EQ(rig.engine->flush().error().message(), "the log is poisoned");
  EXPECT_EQ(rig.engine->flushed_place().position, 0U);
  EXPECT_EQ(rig.table_file_count(), 0U);
  EXPECT_EQ(rig.get("key"), "value");
  rig.log.on_durable = {};
  EXPECT_TRUE(rig.engine->flush().has_value());
  EXPECT_EQ(rig.get("key"), "value");
  EXPECT_EQ(rig.table_file_count(), 1U);
}

// V31, V13: files go when no snapshot needs them.
TEST(DiskEngine, KeepsTheFilesThatASnapshotSees) {
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
TEST(DiskEngine, LetsGoOfWhatNobodyCanSee) {
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

// V34: writers learn why they cannot go on, readers go on, and all is well when the disk is.
TEST(DiskEngine, TellsWritersThatTheDiskIsFull) {
  DiskEngineRig rig;
  rig.open(engine::Background::kThreads);
  rig.disk.set_space_limit(std::size_t{256} << 10U);
  Result<void> last;
  int count = 0;
  while (last && count < 100'000) last = rig.put(key_of(count++), std::string(400, 'v'));
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code(), ErrorCode::kOutOfSpace) << last.error().message();
  for (int i = 0; i + 1 < count; ++i) ASSERT_TRUE(rig.get(key_of(i)).has_value()) << i;
  EXPECT_EQ(rig.get(key_of(count - 1)), std::nullopt) << "nothing happened";
  rig.disk.set_space_limit(std::size_t{64} << 20U);
  const Result<void> flushed = rig.engine->flush();
  ASSERT_TRUE(flushed.has_value()) << flushed.error().message();
  EXPECT_TRUE(rig.put("again", "value").has_value());
  for (int i = 0; i + 1 < count; ++i) ASSERT_TRUE(rig.get(key_of(i)).has_value()) << i;
}

// A damaged block is an answer, never an absent key.
TEST(DiskEngine, RefusesToReadADamagedBlock) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("key", "value").has_value());
  ASSERT_TRUE(rig.engine->flush().has_value());
  const std::string path = "/tables/0000000001.table";
  {
    auto file = os::File::open(rig.disk, path, os::OpenMode::kReadWrite).value();
    char byte = 0;
    ASSERT_TRUE(file->read(10, {&byte, 1}).has_value());
    byte = static_cast<char>(byte ^ 1);
    ASSERT_TRUE(file->write(10, {&byte, 1}).has_value());
  }
  const auto found = rig.engine->get("key", engine::kLatest, nullptr, nullptr);
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(found.error().message().find("0000000001.table at 0"), std::string_view::npos)
      << found.error().message();
  EXPECT_FALSE(rig.erase("key").has_value());
  EXPECT_FALSE(rig.engine->expire("key", 5, nullptr).has_value());
  const std::string_view keys[] = {"other", "key"};
  std::vector<std::optional<Value>> values(2);
  EXPECT_FALSE(rig.engine->multi_get(keys, engine::kLatest, values).has_value());
  auto rows = rig.engine->scan({}, engine::kLatest).value();
  rows->seek_to_first();
  EXPECT_FALSE(rows->is_valid());
  EXPECT_EQ(rows->status().error().code(), ErrorCode::kCorruption);
}

// C1: a batch that is larger than any memtable is one commit all the same.
TEST(DiskEngine, TakesABatchLargerThanAMemtable) {
  DiskEngineRig rig;
  rig.open();
  ASSERT_TRUE(rig.put("before", "value").has_value());
  const std::string value(1000, 'v');
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(key_of(i));
  std::vector<engine::Operation> batch;
  for (const std::string& key : keys) batch.push_back({.key = key, .value = value});
  ASSERT_TRUE(rig.engine->apply(batch, nullptr).has_value());
  for (const std::string& key : keys) ASSERT_EQ(rig.get(key), value);
  ASSERT_TRUE(rig.engine->compact().has_value());
  for (const std::string& key : keys) ASSERT_EQ(rig.get(key), value);
  EXPECT_EQ(rig.get("before"), "value");
  rig.engine->check();
}

// M1: what a snapshot holds in memory is in the budget; writers are refused with its name.
TEST(DiskEngine, RefusesWritesWhenTheBudgetIsUsedUp) {
  DiskEngineRig rig;
  rig.open();
  std::vector<engine::View> views;
  Result<void> last;
  for (int i = 0; last && i < 5000; ++i) {
    last = rig.put(key_of(i % 50), std::string(2000, 'v'));
    if (i % 40 == 0) views.push_back(rig.engine->acquire_snapshot().value());
  }
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(last.error().message(), "memory budget of 67108864 bytes is used up");
  EXPECT_LE(rig.engine->memory_bytes(), std::size_t{64} << 20U);
  for (const engine::View& view : views) rig.engine->release_snapshot(view.sequence);
  EXPECT_TRUE(rig.put("again", "value").has_value());
  EXPECT_EQ(rig.engine->stats().refused_write_count, 1U);
}

}  // namespace
}  // namespace ashlar::lsm
