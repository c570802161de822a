// Full memtables become tables in the right order of steps, and nobody waits in vain.

#include "lsm/upkeep/upkeep.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

// V33
TEST(Upkeep, MakesTheLogDurableBeforeTheManifestAndGivesItUpAfter) {
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
TEST(Upkeep, InstallsNothingWhenTheLogIsNotDurable) {
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

// V45
TEST(Upkeep, TellsHowFarACompactionOfAllIs) {
  DiskEngineRig rig;
  rig.open();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3'000; ++i) {
      ASSERT_TRUE(rig.put(key_of(i), std::string(60, 'v')).has_value());
    }
    ASSERT_TRUE(rig.engine->flush().has_value());
  }
  EXPECT_EQ(rig.engine->stats().compact_total_bytes, 0U) << "nobody has asked for one";
  std::atomic<bool> is_over{false};
  std::thread asker([&] {
    Stats before;
    while (!is_over) {
      const Stats now = rig.engine->stats();
      EXPECT_LE(now.compact_done_bytes, now.compact_total_bytes);
      EXPECT_GE(now.compact_done_bytes, before.compact_done_bytes);
      EXPECT_GE(now.compact_total_bytes, before.compact_total_bytes);
      before = now;
    }
  });
  EXPECT_TRUE(rig.engine->compact().has_value());
  is_over = true;
  asker.join();
  const Stats stats = rig.engine->stats();
  EXPECT_GT(stats.compact_total_bytes, 0U);
  EXPECT_EQ(stats.compact_done_bytes, stats.compact_total_bytes);
  ASSERT_TRUE(rig.engine->compact().has_value());
  EXPECT_EQ(rig.engine->stats().compact_total_bytes, 0U) << "the second had nothing to do";
}

// V45: what has failed is not told to be done.
TEST(Upkeep, TellsOfNoProgressThatWasNotMade) {
  DiskEngineRig rig;
  rig.open();
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(rig.put("key", "value").has_value());
    ASSERT_TRUE(rig.engine->flush().has_value());
  }
  rig.faulty.fail(os::CallKind::kRead, rig.faulty.call_count(os::CallKind::kRead) + 1,
                  os::Fault::kEio, os::FaultSpan::kForEver);
  EXPECT_FALSE(rig.engine->compact().has_value());
  const Stats stats = rig.engine->stats();
  EXPECT_GT(stats.compact_total_bytes, 0U);
  EXPECT_EQ(stats.compact_done_bytes, 0U);
}

// V34: writers learn why they cannot go on, readers go on, and all is well when the disk is.
TEST(Upkeep, TellsWritersThatTheDiskIsFull) {
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

// V34: writers learn why memory does not become free, and that the database is being closed.
TEST(Upkeep, EndsTheWaitOfWriters) {
  DiskEngineRig rig;
  rig.open(engine::Background::kThreads);
  rig.log.on_durable = [](const engine::LogPlace&) -> Result<void> {
    return std::unexpected(Error::of_literal(ErrorCode::kUnavailable, "the log is poisoned"));
  };
  Result<void> last;
  int count = 0;
  while (last && count < 100'000) last = rig.put(key_of(count++), std::string(400, 'v'));
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code(), ErrorCode::kUnavailable);
  rig.engine->stop();
  last = rig.put("small", "value");
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code(), ErrorCode::kClosed) << last.error().message();
  for (int i = 0; i + 1 < count; ++i) ASSERT_TRUE(rig.get(key_of(i)).has_value()) << i;
}

// V33: the log is told after each flush how much of it has been flushed.
TEST(Upkeep, GivesUpTheLogFlushByFlush) {
  DiskEngineRig rig;
  rig.open();
  std::vector<std::uint64_t> released;
  rig.log.on_release = [&](const engine::LogPlace& place) { released.push_back(place.position); };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(rig.put(key_of(i), "value").has_value());
    ASSERT_TRUE(rig.engine->flush().has_value());
  }
  EXPECT_EQ(released, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(rig.engine->stats().flush_count, 3U);
}

// Writers that outrun compactions are held up until level 0 has room again.
TEST(Upkeep, KeepsLevel0AsSmallAsItShouldBe) {
  DiskEngineRig rig;
  rig.open(engine::Background::kThreads);
  for (int i = 0; i < 4000; ++i) {
    ASSERT_TRUE(rig.put(key_of(i * 7919 % 1000), std::string(200, 'v')).has_value());
    // Six, and those that had become full when there were so many.
    if (i % 50 == 0) {
      EXPECT_LE(rig.engine->stats().level0_table_count, 8U);
    }
  }
  ASSERT_TRUE(rig.engine->compact().has_value());
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(rig.get(key_of(i)).has_value()) << i;
  EXPECT_GT(rig.engine->stats().compaction_count, 0U);
}

}  // namespace
}  // namespace ashlar::lsm
