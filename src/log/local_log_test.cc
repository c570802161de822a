// What a database relies on: what was appended comes back after the process has gone, what was
// durable after anything, in order and whole.

#include "log/local_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "log/log_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::log {
namespace {

// C2: process durability, over many rounds of ring and segments, reopened at random.
TEST(LocalLog, BringsBackWhatWasAppended) {
  testing::Random random(testing::seed());
  LogRig rig;
  std::vector<std::string> appended;
  ASSERT_TRUE(rig.open().has_value());
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t i = random.below(60); i > 0; --i) {
      appended.emplace_back(random.below(1500), static_cast<char>('a' + random.below(26)));
      const Position end = rig.append(appended.back());
      if (random.chance(20)) {
        ASSERT_TRUE(rig.log_->durable(end).has_value());
      }
    }
    if (random.chance(50)) {
      ASSERT_TRUE(rig.log_->close().has_value());
    }
    rig.crash();
    const auto opened = rig.open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    ASSERT_EQ(rig.replayed_, appended);
    EXPECT_EQ(rig.report_.torn_bytes, 0U);
  }
}

// L5: frames longer than half the ring, than the ring, and than a segment.
TEST(LocalLog, TakesFramesOfAnyLength) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  std::vector<std::string> appended;
  for (const std::size_t bytes :
       {std::size_t{0}, LogRig::kRingBytes / 2 - 32, LogRig::kRingBytes / 2, LogRig::kRingBytes + 1,
        3 * LogRig::kSegmentBytes, std::size_t{5}}) {
    appended.emplace_back(bytes, 'x');
    rig.append(appended.back());
    rig.crash();
    ASSERT_TRUE(rig.open().has_value());
    ASSERT_EQ(rig.replayed_, appended) << bytes;
  }
}

// A log that was closed in order says so, and only then.
TEST(LocalLog, TellsWhetherItWasClosed) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  rig.append("one");
  ASSERT_TRUE(rig.log_->close().has_value());
  rig.crash();
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_TRUE(rig.report_.was_closed);
  rig.append("two");
  rig.crash();
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_FALSE(rig.report_.was_closed);
  EXPECT_EQ(rig.replayed_, (std::vector<std::string>{"one", "two"}));
}

// L7, F10: the ring's file is cut short behind our back. The process lives, the log takes nothing
// more and says why, and nobody is told that anything later was durable.
TEST(LocalLog, ALostRingPoisonsIt) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  const Position durable = rig.append("durable");
  ASSERT_TRUE(rig.log_->durable(durable).has_value());
  std::filesystem::resize_file(rig.path() + "/ring", 0);
  const Entry entry("lost");
  ASSERT_TRUE(rig.log_->make_room(entry).has_value());
  Position end = 0;
  EXPECT_EQ(rig.log_->try_append(entry, end), Appended::kNever);
  ASSERT_NE(rig.log_->poison(), nullptr);
  EXPECT_NE(rig.log_->poison()->message().find("ring: the mapped file"), std::string_view::npos)
      << rig.log_->poison()->message();
  EXPECT_FALSE(rig.log_->durable(durable + 1).has_value());
  EXPECT_FALSE(rig.log_->close().has_value());
  rig.crash();
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_EQ(rig.replayed_, std::vector<std::string>{"durable"});
}

// L7: what was in the ring and not durable when its file went cannot become durable any more.
TEST(LocalLog, NothingOfALostRingBecomesDurable) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  const Position end = rig.append(std::string(os::kBlockBytes, 'x'));
  std::filesystem::resize_file(rig.path() + "/ring", 0);
  const auto durable = rig.log_->durable(end);
  ASSERT_FALSE(durable.has_value());
  EXPECT_EQ(durable.error().code(), ErrorCode::kUnavailable);
}

// C3: many writers, group commit and the thread of the log: every commit once, those of a writer in
// its order.
TEST(LocalLog, OrdersManyWriters) {
  constexpr int kWriters = 4;
  constexpr int kCommits = 300;
  LogRig rig(/*has_thread=*/true);
  ASSERT_TRUE(rig.open().has_value());
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&rig, writer] {
        for (int i = 0; i < kCommits; ++i) {
          const Position end = rig.append(std::to_string(writer) + ":" + std::to_string(1'000 + i) +
                                          ":" + std::string(static_cast<std::size_t>(i), 'x'));
          if (i % 10 != 0) continue;
          EXPECT_TRUE(rig.log_->durable(end).has_value());
        }
      });
    }
  }
  rig.crash();
  ASSERT_TRUE(rig.open().has_value());
  EXPECT_EQ(rig.replayed_.size(), static_cast<std::size_t>(kWriters * kCommits));
  std::vector<int> next(kWriters, 1'000);
  for (const std::string& payload : rig.replayed_) {
    const auto writer = static_cast<std::size_t>(payload[0] - '0');
    ASSERT_EQ(payload.substr(2, 4), std::to_string(next[writer]++));
  }
}

// A frame that is longer than the ring is durable in parts while it is appended: whoever reads
// beside finds an end between two frames.
TEST(LocalLog, ReadsBesideLongFrames) {
  LogRig rig;
  ASSERT_TRUE(rig.open().has_value());
  std::atomic<bool> is_over{false};
  std::jthread writer([&] {
    for (int i = 0; i < 100; ++i) rig.append(std::string(9 * LogRig::kRingBytes, 'l'));
    is_over = true;
  });
  Start at;
  while (!is_over) {
    const auto read = rig.log_->read_from(at, [](const Frame&) { return Result<void>(); });
    ASSERT_TRUE(read.has_value()) << read.error().message();
    at = *read;
  }
}

}  // namespace
}  // namespace ashlar::log
