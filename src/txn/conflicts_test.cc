// M1, X3: what transactions have in common is in the budget, and nobody tells without being asked.

#include "txn/conflicts.h"

#include <gtest/gtest.h>

#include <optional>

#include "testing/stub_engine.h"

namespace ashlar::txn {
namespace {

/// Counts what is taken of a budget.
class CountingEngine final : public testing::StubEngine {
 public:
  explicit CountingEngine(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  bool take_memory(std::size_t bytes) override {
    if (used_bytes + bytes > limit_bytes_) return false;
    used_bytes += bytes;
    return true;
  }
  void give_back_memory(std::size_t bytes) noexcept override { used_bytes -= bytes; }

  std::size_t used_bytes = 0;

 private:
  const std::size_t limit_bytes_;
};

constexpr std::size_t kBudgetBytes = std::size_t{64} << 20U;

TEST(Conflicts, TakesItsTablesOnceAndGivesThemBack) {
  CountingEngine engine(kBudgetBytes);
  {
    Conflicts conflicts(engine, kBudgetBytes, 7);
    EXPECT_EQ(engine.used_bytes, 0U) << "nobody has begun";
    const auto first = conflicts.enter();
    ASSERT_TRUE(first.has_value());
    const std::size_t used_bytes = engine.used_bytes;
    EXPECT_GT(used_bytes, 0U);
    EXPECT_LE(used_bytes, kBudgetBytes / 20);
    const auto second = conflicts.enter();
    EXPECT_NE(second->owner, first->owner);
    EXPECT_EQ(engine.used_bytes, used_bytes);
    conflicts.leave();
    conflicts.leave();
  }
  EXPECT_EQ(engine.used_bytes, 0U);
}

TEST(Conflicts, RefusesWhereTheBudgetHasNoRoom) {
  CountingEngine engine(1000);
  Conflicts conflicts(engine, kBudgetBytes, 7);
  const auto refused = conflicts.enter();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kOutOfSpace);
  EXPECT_NE(refused.error().message().find("67108864"), std::string_view::npos)
      << refused.error().message();
}

/// Writes a key while it is waited for, as a commit may that was on its way.
class WaitedForEngine final : public testing::StubEngine {
 public:
  void wait_for_commits() override {
    ++wait_count;
    const engine::Operation put{.key = "key", .value = {}};
    conflicts->announce({&put, 1}, 15);
  }
  Conflicts* conflicts = nullptr;
  int wait_count = 0;
};

// X1: whoever begins first waits out those who have found nobody to tell; by then all others tell.
TEST(Conflicts, WaitsForCommitsThatHadNobodyToTell) {
  WaitedForEngine engine;
  Conflicts conflicts(engine, kBudgetBytes, 7);
  engine.conflicts = &conflicts;
  const auto first = *conflicts.enter();
  EXPECT_EQ(engine.wait_count, 1);
  EXPECT_EQ(first.tables->ring.head(), 1U) << "it told";
  (void)*conflicts.enter();
  EXPECT_EQ(engine.wait_count, 1) << "all tell already";
  conflicts.leave();
  conflicts.leave();
  const engine::Operation put{.key = "key", .value = {}};
  for (int i = 0; i < 10'000; ++i) conflicts.announce({&put, 1}, 15);
  (void)*conflicts.enter();
  EXPECT_EQ(engine.wait_count, 2) << "nobody told for a while";
  conflicts.leave();
}

TEST(Conflicts, StopsTellingWhenEverybodyHasLeft) {
  CountingEngine engine(kBudgetBytes);
  Conflicts conflicts(engine, kBudgetBytes, 7);
  const auto entered = *conflicts.enter();
  const engine::Operation put{.key = "key", .value = {}};
  for (int i = 0; i < 10'000; ++i) conflicts.announce({&put, 1}, 15);
  EXPECT_EQ(entered.tables->ring.head(), 10'000U) << "somebody has to be told";
  EXPECT_TRUE(conflicts.is_told_all(entered));
  conflicts.leave();
  for (int i = 0; i < 10'000; ++i) conflicts.announce({&put, 1}, 15);
  EXPECT_LT(entered.tables->ring.head(), 15'000U);
  EXPECT_FALSE(conflicts.is_told_all(entered));
}

}  // namespace
}  // namespace ashlar::txn
