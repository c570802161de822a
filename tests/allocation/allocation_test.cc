// What a caller may rely on when memory runs out: whichever allocation fails, once or from then on,
// the call reports kOutOfSpace or succeeds, nothing is half-done, and the same call succeeds once
// there is memory again. No exception leaves the library and nothing aborts.

#include <gtest/gtest.h>

#include <array>

#include "ashlar/atomic.h"
#include "ashlar/transaction.h"
#include "script.h"
#include "testing/workload_scale.h"

namespace ashlar::allocation {
namespace {

// Longer than what lies inside a string or a Value, and than what lies in a page beside others.
const std::string kSmall = "small";
const std::string kMiddle(500, 'm');
const std::string kLarge(100'000, 'L');
const std::string kKey = "a key that is too long to lie inside a string";

class Allocation : public ::testing::TestWithParam<FailureMode> {
 protected:
  static void run(const Script& script) { run_for_every_allocation(script, GetParam()); }

  static void fill(Stage& stage, int count) {
    for (int i = 0; i < count; ++i) stage.put("key" + std::to_string(i), kSmall);
    stage.put(kKey, kMiddle);
    stage.put("large", kLarge);
  }
};

Step put_step(const std::string& key, const std::string& value) {
  return {.act = [key, value](Stage& stage) { return stage.db().put(key, value); },
          .effect = [key, value](Content& content) { content[key] = value; }};
}

Result<void> without_answer(const Result<bool>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

Step erase_step(const std::string& key) {
  return {.act = [key](Stage& stage) { return without_answer(stage.db().erase(key)); },
          .effect = [key](Content& content) { content.erase(key); }};
}

Step maintain_step() {
  return {.act = [](Stage& stage) { return stage.maintain(); }};
}

/// Fails the step when what was read is not what should be there.
Result<void> must_equal(const Result<std::optional<Value>>& got, const std::string& expected) {
  if (!got) return std::unexpected(got.error());
  EXPECT_TRUE(got->has_value() && (*got)->view() == expected);
  return {};
}

TEST_P(Allocation, MayFailWhileADatabaseOpens) {
  constexpr std::uint64_t kAllocationsMax = 10'000;
  for (std::uint64_t n = 1; n < kAllocationsMax; ++n) {
    FailureScope failures(n, GetParam());
    auto db = Db::open({.memory_budget_bytes = kMemoryBudgetBytesMin});
    failures.disarm();
    if (db) {
      EXPECT_TRUE(db->put(kKey, kMiddle).has_value());
    } else {
      EXPECT_EQ(db.error().code(), ErrorCode::kOutOfSpace) << db.error().message();
    }
    if (!FailureScope::has_fired()) return;
  }
  FAIL() << "opening allocates without end";
}

TEST_P(Allocation, MayFailInPut) {
  run({.prepare = [](Stage& stage) { fill(stage, 10); },
       .steps = {put_step("new", kSmall), put_step("new", kMiddle), put_step("new", kLarge),
                 put_step("large", kSmall), put_step(kKey, kLarge), put_step(kKey, "")}});
}

TEST_P(Allocation, MayFailInPutUnderASnapshot) {
  run({.prepare =
           [](Stage& stage) {
             fill(stage, 10);
             stage.take_snapshot();
           },
       .steps = {put_step("key0", kMiddle), put_step("new", kSmall), put_step("large", kSmall),
                 put_step("key0", kLarge), erase_step("key1"), erase_step("new"),
                 put_step("key1", kSmall), maintain_step()}});
}

TEST_P(Allocation, MayFailInEraseAndMaintenance) {
  run({.prepare = [](Stage& stage) { fill(stage, 200); },
       .steps = {erase_step("key0"), erase_step("large"), erase_step(kKey), maintain_step(),
                 erase_step("absent"), erase_step("key1")}});
}

TEST_P(Allocation, MayFailInReads) {
  const auto key = std::string_view(kKey);
  run({.prepare = [](Stage& stage) { fill(stage, 100); },
       .steps = {
           {.act = [](Stage& stage) { return must_equal(stage.db().get("key0"), kSmall); }},
           {.act = [](Stage& stage) { return must_equal(stage.db().get("large"), kLarge); }},
           {.act = [key](Stage& stage) { return must_equal(stage.db().get(key), kMiddle); }},
           {.act = [](Stage& stage) { return without_answer(stage.db().exists("key1")); }},
           {.act = [](Stage& stage) -> Result<void> {
             ASHLAR_TRY(stage.db().expiry_of("key1"));
             ASHLAR_TRY(stage.db().time_to_live("key1"));
             ASHLAR_TRY(stage.db().stats());
             return {};
           }},
       }});
}

TEST_P(Allocation, MayFailInMultiGet) {
  static constexpr std::array<std::string_view, 5> kKeys{"key0", "large", "absent", "key99",
                                                         "large"};
  run({.prepare = [](Stage& stage) { fill(stage, 100); },
       .steps = {{.act = [](Stage& stage) -> Result<void> {
         ASHLAR_TRY_ASSIGN(const auto values, stage.db().multi_get(kKeys));
         EXPECT_TRUE(values[0]->view() == kSmall && values[1]->view() == kLarge);
         EXPECT_FALSE(values[2].has_value());
         EXPECT_TRUE(values[3]->view() == kSmall && values[4]->view() == kLarge);
         return {};
       }}}});
}

// T1
TEST_P(Allocation, MayFailInAllThatHasToDoWithDeadlines) {
  const auto soon = Expiry::in(std::chrono::milliseconds(10));
  const auto late = Expiry::in(std::chrono::hours(1000));
  const auto expire = [](std::string_view key, Expiry expiry) {
    return [key, expiry](Stage& stage) { return without_answer(stage.db().expire(key, expiry)); };
  };
  run({.prepare = [](Stage& stage) { fill(stage, 20); },
       .steps = {{.act = expire("key0", late)},
                 {.act = expire("key0", Expiry::in(std::chrono::hours(1)))},
                 {.act = [](Stage& stage) { return without_answer(stage.db().persist("key0")); }},
                 {.act = [soon](Stage& stage) { return stage.db().put("brief", kMiddle, soon); },
                  .effect = [](Content& content) { content["brief"] = kMiddle; }},
                 {.act = expire("large", soon)},
                 {.act = [](Stage& stage) -> Result<void> {
                    if (stage.db().exists("brief").value_or(false)) stage.clock().advance(5000);
                    return stage.maintain();
                  },
                  .effect =
                      [](Content& content) {
                        content.erase("brief");
                        content.erase("large");
                      }},
                 maintain_step(),
                 {.act = expire("key1", Expiry::at_ms(0)),
                  .effect = [](Content& content) { content.erase("key1"); }}}});
}

TEST_P(Allocation, MayFailInWhatIsDoneInOneStep) {
  const auto sets = [](const std::string& key, const std::string& value) {
    return [key, value](Content& content) { content[key] = value; };
  };
  const auto must_hold = [](const Result<bool>& result) -> Result<void> {
    EXPECT_TRUE(!result || *result);
    return without_answer(result);
  };
  run({.prepare =
           [](Stage& stage) {
             fill(stage, 10);
             stage.put("number", "41");
           },
       .steps = {{.act =
                      [must_hold](Stage& stage) {
                        return must_hold(put_if_absent(stage.db(), "new", kMiddle));
                      },
                  .effect = sets("new", kMiddle)},
                 {.act =
                      [must_hold](Stage& stage) {
                        return must_hold(compare_and_set(stage.db(), "large", kLarge, kMiddle));
                      },
                  .effect = sets("large", kMiddle)},
                 {.act = [](Stage& stage) -> Result<void> {
                    ASHLAR_TRY(increment(stage.db(), "number"));
                    return {};
                  },
                  .effect = sets("number", "42")},
                 {.act = [](Stage& stage) -> Result<void> {
                    ASHLAR_TRY(append(stage.db(), "large", kLarge));
                    return {};
                  },
                  .effect = sets("large", kMiddle + kLarge)}}});
}

// Whoever waits for a lock may lack memory as well as who gets it at once.
TEST_P(Allocation, MayFailInTransactionsWithLocks) {
  run({.prepare = [](Stage& stage) { fill(stage, 10); },
       .steps = {{.act = [](Stage& stage) -> Result<void> {
                    ASHLAR_TRY_ASSIGN(Transaction holder, stage.db().begin());
                    ASHLAR_TRY(holder.lock(kKey));
                    ASHLAR_TRY_ASSIGN(Transaction other, stage.db().begin());
                    const auto waited = other.lock(kKey, std::chrono::milliseconds(1));
                    const bool is_busy = waited.error().code() == ErrorCode::kBusy;
                    if (!is_busy) return waited;
                    ASHLAR_TRY(holder.put(kKey, kLarge));
                    return holder.commit();
                  },
                  .effect = [](Content& content) { content[kKey] = kLarge; }}}});
}

// C1
TEST_P(Allocation, MayFailWhileABatchIsBuiltAndWritten) {
  const auto act = [](Stage& stage) -> Result<void> {
    static constexpr std::array<std::string_view, 20> kKeys{
        "key0", "key1", "key2", "key3", "b1", "b2", "b3", "b4", "b5", "b6",
        "b7",   "b8",   "b9",   "c1",   "c2", "c3", "c4", "c5", "c6", "c7"};
    WriteBatch batch;
    for (const auto key : kKeys) batch.put(key, kMiddle);
    batch.put("key0", kLarge);
    batch.erase("key1");
    batch.erase("large");
    return stage.db().write(batch);
  };
  const auto effect = [](Content& content) {
    for (const char* key : {"key2", "key3", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9",
                            "c1", "c2", "c3", "c4", "c5", "c6", "c7"}) {
      content[key] = kMiddle;
    }
    content["key0"] = kLarge;
    content.erase("key1");
    content.erase("large");
  };
  const Step step{.act = act, .effect = effect, .other_code = ErrorCode::kInvalidArgument};
  run({.prepare = [](Stage& stage) { fill(stage, 10); }, .steps = {step}});
  run({.prepare =
           [](Stage& stage) {
             fill(stage, 10);
             stage.take_snapshot();
           },
       .steps = {step, step, maintain_step()}});
}

TEST_P(Allocation, MayFailWhileASnapshotIsTakenReadAndReleased) {
  const Step step{.act = [](Stage& stage) -> Result<void> {
    ASHLAR_TRY_ASSIGN(const auto first, stage.db().snapshot());
    ASHLAR_TRY_ASSIGN(const auto second, stage.db().snapshot());
    return must_equal(stage.db().get("large", &first), kLarge);
  }};
  run({.prepare = [](Stage& stage) { fill(stage, 10); },
       .steps = {step, put_step("key0", kMiddle), step, erase_step("key0"), maintain_step()}});
}

/// Walks over all rows, both ways. Returns: an error when the walk failed
Result<void> walk(Stage& stage, const Range& range, std::size_t expected_count) {
  ASHLAR_TRY_ASSIGN(auto rows, stage.db().scan(range));
  std::size_t count = 0;
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) ++count;
  ASHLAR_TRY(rows.status());
  EXPECT_EQ(count, expected_count);
  for (rows.seek_to_last(); rows.is_valid(); rows.previous()) --count;
  ASHLAR_TRY(rows.status());
  EXPECT_EQ(count, 0U);
  rows.seek("key1");
  ASHLAR_TRY(rows.status());
  EXPECT_TRUE(rows.is_valid());
  return {};
}

TEST_P(Allocation, MayFailWhileTheOrderedSideIsBuiltAndWalked) {
  const Range all;
  const Range some = Range::prefix("key");
  run({.prepare = [](Stage& stage) { fill(stage, 100); },
       .steps = {{.act = [&all](Stage& stage) { return walk(stage, all, 102); }},
                 {.act = [&some](Stage& stage) { return walk(stage, some, 100); }}}});
}

// A set-up ordered side is kept up by writers.
TEST_P(Allocation, MayFailWhileWritersKeepTheOrderedSideUp) {
  const Range all;
  std::vector<Step> steps;
  steps.push_back({.act = [&all](Stage& stage) { return walk(stage, all, 52); }});
  for (int i = 0; i < 60; ++i) steps.push_back(put_step("new" + std::to_string(i), kSmall));
  for (int i = 0; i < 30; ++i) steps.push_back(erase_step("key" + std::to_string(i)));
  steps.push_back({.act = [&all](Stage& stage) { return walk(stage, all, 82); }});
  run({.prepare = [](Stage& stage) { fill(stage, 50); }, .steps = std::move(steps)});
}

TEST_P(Allocation, MayFailWhileTheTableGrows) {
  std::vector<Step> steps;
  for (int i = 0; i < 2000; ++i) steps.push_back(put_step("grow" + std::to_string(i), kSmall));
  for (int i = 0; i < 1900; ++i) steps.push_back(erase_step("grow" + std::to_string(i)));
  steps.push_back(maintain_step());
  run({.steps = std::move(steps)});
}

TEST_P(Allocation, MayFailWhileKeysMakeRoom) {
  std::vector<Step> steps;
  for (int i = 0; i < 300; ++i) steps.push_back(put_step("new" + std::to_string(i), kMiddle));
  steps.push_back(put_step("big", kLarge));
  steps.push_back(maintain_step());
  run({.options = {.memory_budget_bytes = kMemoryBudgetBytesMin,
                   .memory_policy = MemoryPolicy::kEvict},
       .prepare =
           [](Stage& stage) {
             stage.may_lose_keys = true;
             for (int i = 0; i < 9000; ++i) stage.put("key" + std::to_string(i), kMiddle);
           },
       .steps = std::move(steps)});
}

// Messages of errors need memory as well: a call that was wrong from the start still says so.
TEST_P(Allocation, MayFailWhileAnErrorIsReported) {
  Stage stage({.key_bytes_max = 10, .memory_budget_bytes = kMemoryBudgetBytesMin});
  for (std::uint64_t n = 1; n < 100; ++n) {
    FailureScope failures(n, GetParam());
    const auto result = stage.db().put(kKey, kSmall);
    failures.disarm();
    ASSERT_FALSE(result.has_value());
    EXPECT_TRUE(result.error().code() == ErrorCode::kInvalidArgument ||
                result.error().code() == ErrorCode::kOutOfSpace);
    EXPECT_FALSE(result.error().message().empty());
    if (!FailureScope::has_fired()) return;
  }
  FAIL() << "an error allocates without end";
}

INSTANTIATE_TEST_SUITE_P(Modes, Allocation,
                         ::testing::Values(FailureMode::kOnce, FailureMode::kFromThen));

}  // namespace
}  // namespace ashlar::allocation
