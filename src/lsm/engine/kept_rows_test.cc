// Rows that are kept by themselves are never older, younger or longer-lived than those of the
// tables: whatever is written, flushed, compacted or expires, at latest and at any snapshot.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lsm/engine/disk_engine_rig_test.h"
#include "testing/model.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::uint64_t kKeyCount = 600;

class KeptRows : public ::testing::Test {
 protected:
  KeptRows() {
    rig_.row_chunk_count = 1;
    rig_.open();
  }

  std::string draw_key() { return "key" + std::to_string(random_.below(kKeyCount)); }

  void write() {
    const std::string key = draw_key();
    const std::int64_t deadline_ms =
        random_.chance(30) ? model_.now_ms() + 1 + static_cast<std::int64_t>(random_.below(400))
                           : testing::Model::kNever;
    const std::uint64_t kind = random_.below(10);
    if (kind < 6) {
      const std::string value = random_.bytes(random_.below(200));
      ASSERT_TRUE(rig_.put(key, value, deadline_ms).has_value());
      model_.put(key, value, deadline_ms);
    } else if (kind < 8) {
      EXPECT_EQ(rig_.erase(key).value(), model_.erase(key));
    } else {
      EXPECT_EQ(rig_.engine->expire(key, deadline_ms, nullptr).value().has_value(),
                model_.expire(key, deadline_ms));
    }
  }

  void compare(const engine::View& view, const testing::Moment& moment) {
    const std::string key = draw_key();
    const testing::Model::Entry* const entry = model_.find(key, moment);
    const std::optional<std::string> found = rig_.get(key, view);
    ASSERT_EQ(found.has_value(), entry != nullptr) << key;
    if (found) {
      EXPECT_EQ(*found, entry->value);
    }
    const std::string other = draw_key();
    const std::vector<std::string_view> keys = {key, other};
    std::vector<std::optional<Value>> values(keys.size());
    ASSERT_TRUE(rig_.engine->multi_get(keys, view, values).has_value());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const testing::Model::Entry* const wanted = model_.find(keys[i], moment);
      ASSERT_EQ(values[i].has_value(), wanted != nullptr) << keys[i];
      if (wanted != nullptr) {
        EXPECT_EQ(values[i]->view(), wanted->value);
      }
    }
  }

  void change_something_else() {
    switch (random_.below(8)) {
      case 0:
        ASSERT_TRUE(rig_.engine->compact().has_value());
        return;
      case 1:
      case 2:
        ASSERT_TRUE(rig_.engine->flush().has_value());
        return;
      case 3: {
        const auto step_ms = static_cast<std::int64_t>(random_.below(100));
        rig_.clock.advance(step_ms);
        return model_.advance(step_ms);
      }
      case 4:
        if (snapshots_.size() < 4) {
          snapshots_.emplace_back(*rig_.engine->acquire_snapshot(), model_.hold());
        }
        return;
      case 5:
        if (!snapshots_.empty()) {
          rig_.engine->release_snapshot(snapshots_.back().first.sequence);
          model_.release(snapshots_.back().second);
          snapshots_.pop_back();
        }
        return;
      default:
        rig_.engine->maintain();
        return;
    }
  }

  testing::Random random_{testing::seed()};
  DiskEngineRig rig_;
  testing::Model model_{rig_.clock.now_ms()};
  std::vector<std::pair<engine::View, testing::Moment>> snapshots_;
};

// W18, V32, T1, C3
TEST_F(KeptRows, AnswerAsTheTablesDo) {
  for (int step = 0; step < 12'000; ++step) {
    if (random_.chance(40)) write();
    compare(engine::kLatest, model_.latest());
    for (const auto& [view, moment] : snapshots_) compare(view, moment);
    if (random_.below(60) == 0) change_something_else();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(rig_.engine->stats().row_cache_hit_count, 500U) << "or nothing was tried";
  rig_.engine->check();
  while (!snapshots_.empty()) {
    rig_.engine->release_snapshot(snapshots_.back().first.sequence);
    snapshots_.pop_back();
  }
}

// T1: the deadline of a row is judged when it is read, not when it came.
TEST_F(KeptRows, ExpireLikeAnyOther) {
  ASSERT_TRUE(rig_.put("key", "value", rig_.clock.now_ms() + 100).has_value());
  ASSERT_TRUE(rig_.engine->flush().has_value());
  EXPECT_EQ(rig_.get("key"), "value");
  EXPECT_EQ(rig_.get("key"), "value");
  EXPECT_EQ(rig_.engine->stats().row_cache_hit_count, 1U);
  rig_.clock.advance(100);
  EXPECT_EQ(rig_.get("key"), std::nullopt);
}

// M1
TEST_F(KeptRows, AreInTheBudget) {
  EXPECT_EQ(rig_.engine->stats().row_cache_bytes, 0U);
  const std::uint64_t before = rig_.engine->stats().memory_bytes;
  ASSERT_TRUE(rig_.put("key", "value").has_value());
  ASSERT_TRUE(rig_.engine->flush().has_value());
  EXPECT_EQ(rig_.get("key"), "value");
  const Stats stats = rig_.engine->stats();
  EXPECT_GE(stats.row_cache_bytes, table::RowRing::kChunkBytes);
  EXPECT_GE(stats.memory_bytes, before + stats.row_cache_bytes);
  EXPECT_EQ(stats.row_cache_miss_count, 1U);
}

}  // namespace
}  // namespace ashlar::lsm
