// What the background owes: memory of what nobody can read any more comes back, and bookkeeping
// stays in proportion to the keys.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/reclaim_log.h"
#include "memory/engine_rig_test.h"
#include "testing/workload_scale.h"

namespace ashlar::memory {
namespace {

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

// C3, M1: versions stay while a snapshot sees them and go after it.
TEST(Reclaim, FreesOldVersionsOnceTheirSnapshotIsReleased) {
  constexpr int kKeys = 1000;
  EngineRig rig;
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(rig.put(key_of(i), std::string(100, 'a')));
  const std::uint64_t bytes_before = rig->stats().record_bytes;
  const engine::View view = rig->acquire_snapshot().value();
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(rig.put(key_of(i), std::string(100, 'b')));
  rig->maintain();
  EXPECT_EQ(rig->stats().kept_version_count, static_cast<std::uint64_t>(kKeys));
  EXPECT_GE(rig->stats().record_bytes, bytes_before * 3 / 2);
  EXPECT_EQ(rig.get(key_of(5), view), std::string(100, 'a'));
  rig->release_snapshot(view.sequence);
  rig->maintain();
  EXPECT_EQ(rig->stats().kept_version_count, 0U);
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(rig.erase(key_of(i)));
  rig.pass(200);
  EXPECT_EQ(rig->stats().record_bytes, 0U);
  rig->check();
}

// C3: of three versions, the one between two snapshots that neither sees goes.
TEST(Reclaim, FreesVersionsBetweenSnapshots) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "1"));
  const engine::View first = rig->acquire_snapshot().value();
  ASSERT_TRUE(rig.put("key", "2"));
  const engine::View middle = rig->acquire_snapshot().value();
  ASSERT_TRUE(rig.put("key", "3"));
  const engine::View last = rig->acquire_snapshot().value();
  ASSERT_TRUE(rig.put("key", "4"));
  rig->release_snapshot(middle.sequence);
  rig->maintain();
  rig->check();
  EXPECT_EQ(rig.get("key", first), "1");
  EXPECT_EQ(rig.get("key", last), "3");
  EXPECT_EQ(rig.get("key"), "4");
  rig->release_snapshot(first.sequence);
  rig->release_snapshot(last.sequence);
}

// C3, M1: an erase under a snapshot leaves a tombstone, which goes with the snapshot.
TEST(Reclaim, RemovesTombstones) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value"));
  const engine::View view = rig->acquire_snapshot().value();
  ASSERT_TRUE(rig.erase("key"));
  rig->maintain();
  EXPECT_EQ(rig.get("key", view), "value");
  EXPECT_EQ(rig->stats().key_count, 0U);
  rig->release_snapshot(view.sequence);
  rig.pass(200);
  EXPECT_EQ(rig->stats().record_bytes, 0U);
  rig->check();
}

// T1: keys go at the first tick after their deadline and the lag stays zero.
TEST(Reclaim, ReclaimsExpiredKeysAtTheirTick) {
  EngineRig rig;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(rig.put(key_of(i), "value", rig.in(16 * i)));
  rig->maintain();
  for (int passed_ms = 0; passed_ms <= 500 * 16; passed_ms += 160) {
    const std::uint64_t due_count = static_cast<std::uint64_t>(passed_ms) / 16;
    ASSERT_GE(rig->stats().expired_count + 2, due_count);
    ASSERT_LE(rig->stats().key_count, 500 - due_count + 1);
    rig.pass(160);
  }
  EXPECT_EQ(rig->stats().key_count, 0U);
  EXPECT_EQ(rig->stats().pending_expiry_count, 0U);
  rig->check();
}

// T1: an expired key stays for the snapshot that sees it, and the background comes to an end.
TEST(Reclaim, KeepsAnExpiredKeyForItsSnapshot) {
  EngineRig rig;
  ASSERT_TRUE(rig.put("key", "value", rig.in(100)));
  const engine::View view = rig->acquire_snapshot().value();
  rig->maintain();
  rig.pass(1000);
  EXPECT_EQ(rig.get("key", view), "value");
  EXPECT_EQ(rig.get("key"), std::nullopt);
  rig->release_snapshot(view.sequence);
  rig.pass(100);
  rig.pass(100);
  EXPECT_EQ(rig->stats().key_count, 0U);
  rig->check();
}

// W1: deadlines more than three levels of the wheel away, as the wheel comes round.
TEST(Reclaim, ComesToAnEndWhenFarDeadlinesComeRound) {
  constexpr engine::TimeMs kRoundMs = (engine::TimeMs{1} << 24U) * 16;
  EngineRig rig;
  rig.pass(2 * kRoundMs - rig.in(0) - 1000);
  ASSERT_TRUE(rig.put("key", "value", rig.in(5 * kRoundMs)));
  rig->maintain();
  rig.pass(2000);
  EXPECT_EQ(rig.get("key"), "value");
  EXPECT_EQ(rig->stats().pending_expiry_count, 1U);
}

// One round a tick, however often keys are erased: a wake for each would cost both threads more
// than the erasing itself.
TEST(Reclaim, AThreadThatGoesOnErasingWakesTheBackgroundOnce) {
  EngineRig rig;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(rig.put(std::to_string(i), "value"));
  int wake_count = 0;
  rig->on_work([](void* count) { ++*static_cast<int*>(count); }, &wake_count);
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(rig.erase(std::to_string(i)));
    rig->maintain();
  }
  EXPECT_EQ(wake_count, 1);
  EXPECT_EQ(rig->maintain(), std::nullopt) << "after a round without news nothing is pending";
  ASSERT_TRUE(rig.erase("500"));
  EXPECT_EQ(wake_count, 2);
}

// P5: the background is woken to have a huge page ready ahead of the keys, and only while there are
// enough of them to need it.
TEST(Reclaim, HasMemoryReadyWhileKeysAreAdded) {
  EngineRig rig(std::size_t{128} << 20U);
  int wake_count = 0;
  rig->on_work([](void* count) { ++*static_cast<int*>(count); }, &wake_count);
  const std::string value(1000, 'v');
  int added_count = 0;
  const auto add = [&](int count) {
    for (const int end = added_count + count; added_count < end; ++added_count) {
      ASSERT_TRUE(rig.put(std::to_string(added_count), value));
    }
  };
  add(1000);
  EXPECT_EQ(wake_count, 0);
  add(2000);
  EXPECT_EQ(wake_count, 1);
  const std::uint64_t before = rig->stats().record_bytes;
  rig->maintain();
  const std::uint64_t after = rig->stats().record_bytes;
  EXPECT_GT(after, before);
  EXPECT_LT(after, before + (std::size_t{3} << 20U)) << "one huge page and what is kept about it";
  EXPECT_EQ(rig->maintain(), std::nullopt);
  EXPECT_EQ(rig->stats().record_bytes, after);
  rig->check();
}

// M1: setting a key over and over leaves one entry in the wheel.
TEST(Reclaim, KeepsOneEntryForAKeyThatIsSetOverAndOver) {
  EngineRig rig;
  const std::uint64_t count = testing::scaled(100'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    ASSERT_TRUE(rig.put("key", "value", rig.in(10'000 + static_cast<engine::TimeMs>(i))));
    if (i % 10'000 == 0) rig->maintain();
  }
  rig->maintain();
  EXPECT_EQ(rig->stats().pending_expiry_count, 1U);
  EXPECT_EQ(rig->stats().expiring_key_count, 1U);
}

// M1: erasing and setting leaves entries behind, which the sweep bounds.
TEST(Reclaim, BoundsTheEntriesOfKeysErasedAndSetAgain) {
  constexpr int kCycles = 70'000;
  EngineRig rig;
  std::uint64_t pending_most = 0;
  for (int i = 0; i < kCycles; ++i) {
    ASSERT_TRUE(rig.put("key", "value", rig.in(100'000)));
    if (i + 1 < kCycles) {
      ASSERT_TRUE(rig.erase("key"));
    }
    if (i % 5000 != 0) continue;
    rig->maintain();
    pending_most = std::max(pending_most, rig->stats().pending_expiry_count);
  }
  rig->maintain();
  EXPECT_GT(pending_most, 10'000U);
  EXPECT_LT(rig->stats().pending_expiry_count, 10'000U);
  rig.pass(100'016);
  EXPECT_EQ(rig->stats().key_count, 0U) << "the sweep keeps the entry of the living key";
}

/// Takes what it is told of, up to a number of keys.
class CountingLog final : public engine::ReclaimLog {
 public:
  bool append(engine::Reclaimed why, std::string_view) noexcept override {
    if (left == 0) return false;
    --left;
    (why == engine::Reclaimed::kExpired ? expired_count : evicted_count) += 1;
    return true;
  }
  bool make_room() noexcept override {
    ++ask_count;
    return false;
  }

  int left = 0;
  int ask_count = 0;
  std::uint64_t expired_count = 0;
  std::uint64_t evicted_count = 0;
};

// J6: what the log does not take stays, beyond sight; checkpoints have it until it is told of.
TEST(Reclaim, KeepsWhatTheLogHasNotHeardOf) {
  constexpr std::uint64_t kKeys = 100;
  CountingLog log;
  EngineRig rig;
  rig->tell_reclaims(log);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    ASSERT_TRUE(rig.put(key_of(static_cast<int>(i)), "value", rig.in(1'000)));
  }
  log.left = 30;
  rig.pass(2'000);
  EXPECT_EQ(log.expired_count, 30U);
  EXPECT_EQ(log.ask_count, 1) << "once in a round, and not for each key";
  EXPECT_EQ(rig->stats().key_count, kKeys - 30);
  rig.pass(1'000);
  EXPECT_GE(rig->stats().expiry_lag_ms, 1'000U);
  EXPECT_GE(*rig->maintain(), 1'000) << "a log that takes nothing is left alone";
  std::uint64_t visited_count = 0;
  const auto visited = rig->visit_all([&](const engine::StorageEngine::Row& row) -> Result<void> {
    EXPECT_FALSE(rig.get(row.key).has_value()) << "T1";
    ++visited_count;
    return {};
  });
  ASSERT_TRUE(visited.has_value());
  EXPECT_EQ(visited_count, kKeys - 30);
  ASSERT_TRUE(rig.put(key_of(0), "again"));
  ASSERT_TRUE(rig.put(key_of(99), "again"));
  log.left = 1'000;
  rig.pass(1'000);
  EXPECT_EQ(rig->stats().key_count, 2U);
  EXPECT_EQ(log.expired_count, rig->stats().expired_count);
  EXPECT_EQ(rig.get(key_of(99)), "again");
  rig->check();
}

}  // namespace
}  // namespace ashlar::memory
