// What the background relies on: it is woken when there is work before it would look by itself, and
// not each time that there is some.

#include <gtest/gtest.h>

#include <string>

#include "memory/engine_rig_test.h"

namespace ashlar::memory {
namespace {

/// An engine whose wakes are counted. The background has looked once, so that it knows the engine.
class Announce : public ::testing::Test {
 protected:
  Announce() {
    rig_->on_work([](void* count) { ++*static_cast<int*>(count); }, &wake_count_);
    rig_->maintain();
  }

  /// Lets the background look until it has nothing left to do: a busy round has one more after it.
  void settle() {
    rig_.pass(100);
    rig_.pass(100);
  }

  EngineRig rig_;
  int wake_count_ = 0;
};

TEST_F(Announce, ADeadlineWakesOnlyWhenItIsTheNext) {
  ASSERT_TRUE(rig_.put("a", "1", rig_.in(10'000)));
  EXPECT_EQ(wake_count_, 1);
  settle();
  ASSERT_TRUE(rig_.put("b", "1", rig_.in(20'000)));
  EXPECT_EQ(wake_count_, 1);
  ASSERT_TRUE(rig_.put("c", "1", rig_.in(5'000)));
  EXPECT_EQ(wake_count_, 2);
}

TEST_F(Announce, AFullInboxWakesAtOnce) {
  constexpr int kEntriesMax = 16'384 / 2;
  const engine::TimeMs deadline_ms = rig_.in(1'000'000);
  for (int i = 0; i < kEntriesMax - 1; ++i) {
    ASSERT_TRUE(rig_.put("key:" + std::to_string(i), "1", deadline_ms));
  }
  EXPECT_EQ(wake_count_, 1) << "for the first deadline";
  ASSERT_TRUE(rig_.put("last", "1", deadline_ms));
  EXPECT_EQ(wake_count_, 2);
}

TEST_F(Announce, ErasesWakeOnceARound) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(rig_.put("key:" + std::to_string(i), "1"));
  EXPECT_EQ(wake_count_, 0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(rig_.erase("key:" + std::to_string(i)));
  EXPECT_EQ(wake_count_, 1);
  settle();
  for (int i = 5; i < 10; ++i) ASSERT_TRUE(rig_.erase("key:" + std::to_string(i)));
  EXPECT_EQ(wake_count_, 2);
}

TEST_F(Announce, ManyNotesForTheOrderedSideWakeAtOnce) {
  constexpr int kNotesMax = 4'096;
  ASSERT_TRUE(rig_.put("first", "1"));
  const engine::View view = rig_->acquire_snapshot().value();
  auto rows = rig_->scan({}, view);
  ASSERT_TRUE(rows.has_value());
  settle();
  wake_count_ = 0;
  for (int i = 0; i < kNotesMax - 1; ++i) {
    ASSERT_TRUE(rig_.put("key:" + std::to_string(i), "1"));
  }
  EXPECT_EQ(wake_count_, 0);
  ASSERT_TRUE(rig_.put("last", "1"));
  EXPECT_EQ(wake_count_, 1);
  rows->reset();
  rig_->release_snapshot(view.sequence);
}

}  // namespace
}  // namespace ashlar::memory
