// That an engine reclaims a key gets into the log as a commit of its own; what a replay lets go is
// told when the log is whole, unless a commit behind it has written the key.

#include "db/changes/reclaim_teller.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ashlar/options.h"
#include "engine/operation_codec.h"
#include "log/local_log.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"

namespace ashlar::db {
namespace {

using engine::Reclaimed;

class ReclaimTellerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log::LocalLogOptions options;
    options.segment_bytes = std::size_t{256} << 10U;
    options.ring_bytes = std::size_t{256} << 10U;
    options.has_thread = false;
    log::LogReport report;
    auto opened = log::LocalLog::open(
        disk_, "/log", options, {}, [](const log::Frame&) { return Result<void>(); }, report);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    log_ = std::move(*opened);
  }

  /// All that is in the log, as words.
  std::vector<std::string> told() {
    std::vector<std::string> words;
    EXPECT_TRUE(log_->durable(log_->end().position).has_value());
    const auto read = log_->read_from({}, [&](const log::Frame& frame) -> Result<void> {
      engine::PayloadReader reader(frame.payload);
      while (const auto stored = reader.next()) {
        const bool is_expired = stored->kind == engine::StoredKind::kExpired;
        EXPECT_TRUE(is_expired || stored->kind == engine::StoredKind::kEvicted);
        words.push_back((is_expired ? "expired " : "evicted ") + std::string(stored->key));
        EXPECT_EQ(reader.moment_ms(), clock_.now_ms());
      }
      EXPECT_TRUE(reader.is_good());
      return {};
    });
    EXPECT_TRUE(read.has_value()) << read.error().message();
    return words;
  }

  os::SimulatedDisk disk_;
  os::ManualClock clock_;
  std::unique_ptr<log::LocalLog> log_;
  ReclaimTeller teller_{clock_};
};

TEST_F(ReclaimTellerTest, AppendsACommitForEachKey) {
  ASSERT_TRUE(teller_.go_live(*log_).has_value());
  std::string longest(kKeyBytesHardMax, 'k');
  EXPECT_TRUE(teller_.append(Reclaimed::kExpired, "a"));
  EXPECT_TRUE(teller_.append(Reclaimed::kEvicted, "b"));
  EXPECT_TRUE(teller_.append(Reclaimed::kExpired, longest));
  EXPECT_EQ(told(), (std::vector<std::string>{"expired a", "evicted b", "expired " + longest}));
  EXPECT_EQ(log_->end().commit, 3U);
}

// J6: once for each time that a key went, and behind what it ends.
TEST_F(ReclaimTellerTest, TellsAfterTheReplayWhatNoCommitBehindItHasWritten) {
  EXPECT_TRUE(teller_.append(Reclaimed::kExpired, "a"));
  EXPECT_TRUE(teller_.append(Reclaimed::kEvicted, "b"));
  EXPECT_TRUE(teller_.append(Reclaimed::kEvicted, "c"));
  teller_.forget("b");
  teller_.forget("never there");
  EXPECT_FALSE(teller_.make_room()) << "there is no log yet that could have any";
  EXPECT_EQ(told(), std::vector<std::string>{});
  ASSERT_TRUE(teller_.go_live(*log_).has_value());
  EXPECT_EQ(told(), (std::vector<std::string>{"expired a", "evicted c"}));
}

TEST_F(ReclaimTellerTest, SaysNoToALogWithoutRoomAndMakesSome) {
  ASSERT_TRUE(teller_.go_live(*log_).has_value());
  const std::string key(60'000, 'k');
  int taken_count = 0;
  while (teller_.append(Reclaimed::kExpired, key)) ++taken_count;
  EXPECT_GT(taken_count, 0);
  EXPECT_FALSE(teller_.append(Reclaimed::kExpired, key));
  EXPECT_TRUE(teller_.make_room());
  EXPECT_TRUE(teller_.append(Reclaimed::kExpired, key));
  EXPECT_EQ(log_->end().commit, static_cast<std::uint64_t>(taken_count) + 1);
}

}  // namespace
}  // namespace ashlar::db
