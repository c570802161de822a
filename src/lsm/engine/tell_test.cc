// What expires is kept until the log was told of it, and told of once: at the row that is the
// newest of its key, wherever that is.

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "engine/reclaim_log.h"
#include "lsm/engine/disk_engine_rig_test.h"

namespace ashlar::lsm {
namespace {

/// Writes down what it is told of, as long as it takes something.
class NotedLog final : public engine::ReclaimLog {
 public:
  bool append(engine::Reclaimed why, std::string_view key) noexcept override {
    EXPECT_EQ(why, engine::Reclaimed::kExpired);
    if (keys_left == 0) return false;
    --keys_left;
    keys.emplace_back(key);
    return true;
  }
  bool make_room() noexcept override {
    ++ask_count;
    return keys_left > 0;
  }

  std::vector<std::string> keys;
  int keys_left = 1'000'000;
  int ask_count = 0;
};

using Keys = std::vector<std::string>;

class TellTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    rig_.open();
    rig_.engine->tell_reclaims(log_);
  }
  void put(const std::string& key, engine::TimeMs for_ms) {
    ASSERT_TRUE(rig_.put(key, "value", rig_.clock.now_ms() + for_ms).has_value());
  }

  NotedLog log_;
  DiskEngineRig rig_;
};

TEST_F(TellTest, TellsOfRowsInMemoryAndInTables) {
  put("a", 1'000);
  put("b", 1'000);
  ASSERT_TRUE(rig_.engine->flush().has_value());
  put("b", 3'000);
  put("c", 1'000);
  ASSERT_TRUE(rig_.put("d", "value").has_value());
  rig_.clock.advance(2'000);
  rig_.engine->maintain();
  EXPECT_EQ(log_.keys, (Keys{"c", "a"}));
  rig_.engine->maintain();
  EXPECT_EQ(log_.keys.size(), 2U);
  rig_.clock.advance(2'000);
  rig_.engine->maintain();
  EXPECT_EQ(log_.keys, (Keys{"c", "a", "b"}));
  EXPECT_EQ(rig_.engine->stats().expired_count, 3U);
  EXPECT_EQ(rig_.engine->stats().expiry_lag_ms, 0U);
  EXPECT_EQ(rig_.engine->stats().expiry_lag_ms_max, 1'000U);
  EXPECT_EQ(rig_.get("d"), "value");
  rig_.engine->check();
}

// V50: neither a flush nor a compaction lets a row go that the log has not heard of.
TEST_F(TellTest, KeepsWhatTheLogDoesNotTake) {
  put("a", 1'000);
  put("b", 1'000);
  log_.keys_left = 1;
  rig_.clock.advance(5'000'000);
  ASSERT_TRUE(rig_.engine->compact().has_value());
  EXPECT_EQ(log_.keys, Keys{"a"});
  EXPECT_EQ(log_.ask_count, 1);
  EXPECT_EQ(rig_.engine->stats().key_count, 1U);
  EXPECT_FALSE(rig_.get("b").has_value()) << "T1: it is gone all the same";
  EXPECT_GE(*rig_.engine->maintain(), 1'000) << "a log that takes nothing is left alone";
  EXPECT_EQ(log_.ask_count, 2);
  EXPECT_GE(rig_.engine->stats().expiry_lag_ms, 4'000'000U);
  log_.keys_left = 10;
  ASSERT_TRUE(rig_.engine->compact().has_value());
  EXPECT_EQ(log_.keys, (Keys{"a", "b"}));
  EXPECT_EQ(rig_.engine->stats().key_count, 0U);
  EXPECT_EQ(rig_.table_file_count(), 0U);
  EXPECT_FALSE(rig_.engine->maintain().has_value()) << "nothing is pending";
}

// V50: what has been looked at in one table must not make a compaction forget another.
TEST_F(TellTest, LooksAtEveryTableBeforeRowsGo) {
  for (int i = 0; i < 200; ++i) {
    put("key" + std::to_string(i), 1'000 + 10 * i);
    if (i % 20 == 0) {
      ASSERT_TRUE(rig_.engine->flush().has_value());
    }
    rig_.clock.advance(3);
    if (i % 7 == 0) rig_.engine->maintain();
  }
  rig_.clock.advance(10'000'000);
  while (rig_.engine->maintain().has_value()) {
  }
  ASSERT_TRUE(rig_.engine->compact().has_value());
  Keys told = log_.keys;
  std::ranges::sort(told);
  EXPECT_EQ(std::ranges::unique(told).size(), 0U) << "each is told of once";
  EXPECT_EQ(log_.keys.size(), 200U);
  EXPECT_EQ(rig_.engine->stats().key_count, 0U);
}

// What a table was looked at for is forgotten with the process, and found done.
TEST_F(TellTest, TellsNothingTwiceAfterAnOpening) {
  put("a", 1'000);
  put("b", 1'000);
  put("c", 9'000);
  ASSERT_TRUE(rig_.engine->flush().has_value());
  rig_.clock.advance(2'000);
  rig_.engine->maintain();
  ASSERT_TRUE(rig_.engine->flush().has_value());
  open();
  rig_.engine->maintain();
  EXPECT_EQ(log_.keys, (Keys{"a", "b"}));
  rig_.clock.advance(9'000);
  ASSERT_TRUE(rig_.engine->compact().has_value());
  EXPECT_EQ(log_.keys, (Keys{"a", "b", "c"}));
}

TEST_F(TellTest, ComesBackWhenADeadlineIsDue) {
  int wake_count = 0;
  rig_.engine->on_work([](void* count) { ++*static_cast<int*>(count); }, &wake_count);
  EXPECT_FALSE(rig_.engine->maintain().has_value());
  put("a", 60'000);
  EXPECT_EQ(wake_count, 1);
  EXPECT_EQ(rig_.engine->maintain(), 60'000);
  put("b", 70'000);
  EXPECT_EQ(wake_count, 1) << "it comes earlier anyway";
  put("c", 100);
  put("d", 50);
  EXPECT_EQ(wake_count, 2) << "it comes soon";
  const auto next_ms = rig_.engine->maintain();
  ASSERT_TRUE(next_ms.has_value());
  EXPECT_GE(*next_ms, 1'000) << "and not for each key";
  EXPECT_LT(*next_ms, 60'000);
}

}  // namespace
}  // namespace ashlar::lsm
