// What a cache relies on: at the budget cold keys make room and hot ones stay.

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "engine/reclaim_log.h"
#include "memory/engine_rig_test.h"
#include "testing/workload_scale.h"

namespace ashlar::memory {
namespace {

// S3-FIFO, M1: a scan of keys that nobody reads does not push out those that are read.
TEST(Evict, KeepsHotKeysOverAScanOfColdOnes) {
  constexpr int kHot = 100;
  EngineRig rig(kMemoryBudgetBytesMin, MemoryPolicy::kEvict);
  const std::string value(1000, 'v');
  const auto hot_key = [](int i) { return "hot:" + std::to_string(i); };
  for (int i = 0; i < kHot; ++i) ASSERT_TRUE(rig.put(hot_key(i), value));
  const int cold_count = static_cast<int>(testing::scaled(12'000));
  for (int i = 0; i < cold_count; ++i) {
    ASSERT_TRUE(rig.put("cold:" + std::to_string(i), value)) << "cold key " << i;
    if (i % 4 == 0) (void)rig.get(hot_key(i / 4 % kHot));
  }
  int left = 0;
  for (int i = 0; i < kHot; ++i) left += rig.get(hot_key(i)).has_value() ? 1 : 0;
  EXPECT_GE(left, kHot * 9 / 10);
  EXPECT_LE(rig->memory_bytes(), kMemoryBudgetBytesMin);
  EXPECT_EQ(rig->stats().key_count + rig->stats().evicted_count,
            static_cast<std::uint64_t>(kHot + cold_count));
  rig->check();
}

// C3: what a snapshot sees is not evicted.
TEST(Evict, SparesWhatASnapshotSees) {
  EngineRig rig(kMemoryBudgetBytesMin, MemoryPolicy::kEvict);
  ASSERT_TRUE(rig.put("seen", "value"));
  const engine::View view = rig->acquire_snapshot().value();
  const std::string value(1000, 'v');
  for (int i = 0; i < 6000; ++i) (void)rig.put("cold:" + std::to_string(i), value);
  EXPECT_EQ(rig.get("seen", view), "value");
  EXPECT_GT(rig->stats().evicted_count, 0U);
  rig->release_snapshot(view.sequence);
  rig->check();
}

// M1: keys with deadlines are taken in at the budget as well, with the background at work.
TEST(Evict, MakesRoomForKeysWithDeadlines) {
  EngineRig rig(kMemoryBudgetBytesMin, MemoryPolicy::kEvict);
  int refused_count = 0;
  for (int i = 0; i < 40'000; ++i) {
    if (!rig.put("key:" + std::to_string(i), std::string(100, 'v'), rig.in(1'000'000))) {
      ++refused_count;
    }
    if (i % 1000 == 0) rig->maintain();
  }
  EXPECT_EQ(refused_count, 0);
  rig->check();
}

/// Takes what it is told of as long as it is willing.
class WillingLog final : public engine::ReclaimLog {
 public:
  bool append(engine::Reclaimed why, std::string_view) noexcept override {
    if (is_willing && why == engine::Reclaimed::kEvicted) ++evicted_count;
    return is_willing;
  }
  bool make_room() noexcept override {
    ++ask_count;
    return false;
  }

  bool is_willing = true;
  int ask_count = 0;
  std::uint64_t evicted_count = 0;
};

// J6: a key that the log has not heard of makes no room; the write that wanted it is refused.
TEST(Evict, AsksTheLogThatIsToHearOfIt) {
  WillingLog log;
  EngineRig rig(kMemoryBudgetBytesMin, MemoryPolicy::kEvict);
  rig->tell_reclaims(log);
  const std::string value(1000, 'v');
  for (int i = 0; i < 6000; ++i) ASSERT_TRUE(rig.put("cold:" + std::to_string(i), value));
  EXPECT_GT(log.evicted_count, 0U);
  EXPECT_EQ(log.evicted_count, rig->stats().evicted_count);
  EXPECT_EQ(log.evicted_count + rig->stats().key_count, 6000U);
  log.is_willing = false;
  bool is_taken = true;
  for (int i = 0; i < 1000 && is_taken; ++i) is_taken = rig.put("new:" + std::to_string(i), value);
  EXPECT_FALSE(is_taken);
  EXPECT_EQ(log.ask_count, 1) << "one refusal is enough";
  EXPECT_EQ(log.evicted_count, rig->stats().evicted_count);
  log.is_willing = true;
  EXPECT_TRUE(rig.put("new", value));
  rig->check();
}

}  // namespace
}  // namespace ashlar::memory
