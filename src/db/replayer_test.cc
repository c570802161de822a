// What opening relies on (J2): every commit reaches the engine, in order and by its own time,
// whatever their number and their lengths.

#include "db/replayer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "os/manual_clock.h"
#include "testing/stub_engine.h"

namespace ashlar::db {
namespace {

/// Writes down what it is told, and when.
class RecordingEngine final : public testing::StubEngine {
 public:
  explicit RecordingEngine(const os::Clock& clock) : clock_(clock) {}

  Result<std::size_t> apply(std::span<const engine::Operation> operations,
                            engine::Commit*) override {
    if (refusals_left_ > 0) {
      --refusals_left_;
      return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace, "the budget is used up"));
    }
    std::string line;
    for (const engine::Operation& operation : operations) {
      const bool is_put = operation.kind == engine::OperationKind::kPut;
      line.append(is_put ? "put " : "erase ").append(operation.key).append(" ");
      value_bytes_ += operation.value.size();
    }
    if (!operations.empty()) lines_.push_back(line + "at " + std::to_string(clock_.now_ms()));
    return operations.size();
  }
  Result<std::optional<engine::TimeMs>> expire(std::string_view key, engine::TimeMs deadline_ms,
                                               engine::Commit*) override {
    lines_.push_back("expire " + std::string(key) + " " + std::to_string(deadline_ms));
    return std::nullopt;
  }
  std::optional<engine::TimeMs> maintain() override {
    lines_.emplace_back("maintain");
    return std::nullopt;
  }

  std::vector<std::string> lines_;
  std::size_t value_bytes_ = 0;
  int refusals_left_ = 0;

 private:
  const os::Clock& clock_;
};

class ReplayerTest : public ::testing::Test {
 protected:
  static std::string put_of(const std::string& key, const std::string& value,
                            engine::TimeMs moment_ms) {
    std::string payload;
    engine::PayloadWriter writer(payload, moment_ms);
    writer.add({.key = key, .value = value});
    return payload;
  }

  os::ManualClock real_;
  ReplayClock clock_{real_};
  RecordingEngine engine_{clock_};
  Replayer replayer_{engine_, clock_, "log"};
};

TEST_F(ReplayerTest, AppliesEveryCommitInOrderByItsOwnTime) {
  std::vector<std::string> expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = std::to_string(i);
    ASSERT_TRUE(replayer_.add(put_of(key, "value", 100'000 + i)).has_value());
    expected.push_back("put " + key + " at " + std::to_string(90'000 + i));
  }
  ASSERT_TRUE(replayer_.finish().has_value());
  EXPECT_EQ(engine_.lines_, expected);
}

TEST_F(ReplayerTest, KeepsWhatItWasGivenUntilItIsApplied) {
  std::size_t value_bytes = 0;
  for (const std::size_t bytes : {1UL, 40'000UL, 10UL, 30'000UL, 30'000UL, 32'768UL, 0UL}) {
    std::string payload = put_of("key", std::string(bytes, 'v'), 100'000);
    ASSERT_TRUE(replayer_.add(payload).has_value());
    payload.assign(payload.size(), '#');
    value_bytes += bytes;
  }
  ASSERT_TRUE(replayer_.finish().has_value());
  EXPECT_EQ(engine_.lines_, std::vector<std::string>(7, "put key at 90000"));
  EXPECT_EQ(engine_.value_bytes_, value_bytes);
}

TEST_F(ReplayerTest, KeepsTheOrderInsideACommit) {
  std::string payload;
  engine::PayloadWriter writer(payload, 20'000);
  writer.add({.key = "a", .value = "1"});
  writer.add_expire("a", 77);
  writer.add({.kind = engine::OperationKind::kErase, .key = "b", .value = {}});
  writer.add({.key = "c", .value = "2"});
  ASSERT_TRUE(replayer_.add(payload).has_value());
  ASSERT_TRUE(replayer_.finish().has_value());
  EXPECT_EQ(engine_.lines_,
            (std::vector<std::string>{"put a at 10000", "expire a 77", "erase b put c at 10000"}));
}

TEST_F(ReplayerTest, TakesWhatWasReclaimedForErased) {
  std::string payload;
  engine::PayloadWriter(payload, 20'000).add_reclaimed(engine::Reclaimed::kExpired, "a");
  ASSERT_TRUE(replayer_.add(payload).has_value());
  engine::PayloadWriter(payload, 21'000).add_reclaimed(engine::Reclaimed::kEvicted, "b");
  ASSERT_TRUE(replayer_.add(payload).has_value());
  ASSERT_TRUE(replayer_.finish().has_value());
  EXPECT_EQ(engine_.lines_, (std::vector<std::string>{"erase a at 10000", "erase b at 11000"}));
}

TEST_F(ReplayerTest, MakesRoomOnceAndThenGivesUp) {
  engine_.refusals_left_ = 1;
  ASSERT_TRUE(replayer_.add(put_of("a", "1", 20'000)).has_value());
  ASSERT_TRUE(replayer_.finish().has_value());
  EXPECT_EQ(engine_.lines_, (std::vector<std::string>{"maintain", "put a at 10000"}));

  engine_.refusals_left_ = 2;
  ASSERT_TRUE(replayer_.add(put_of("b", "1", 20'000)).has_value());
  const auto refused = replayer_.finish();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
}

TEST_F(ReplayerTest, RefusesWhatItCannotUnderstandAndNamesTheSource) {
  std::string payload = put_of("key", "value", 0);
  payload.pop_back();
  const auto refused = replayer_.add(payload);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(refused.error().message().starts_with("log: ")) << refused.error().message();
}

}  // namespace
}  // namespace ashlar::db
