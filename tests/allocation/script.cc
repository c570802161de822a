#include "script.h"

#include <gtest/gtest.h>

#include <new>
#include <utility>

#include "base/assert.h"
#include "db/access.h"

namespace ashlar::allocation {
namespace {

Db opened(const Options& options, const os::Clock& clock) {
  auto db = db::Access::open(options, {.clock = &clock, .hash_seed = 5, .has_background = false});
  ASHLAR_ASSERT(db.has_value(), "a database opens");
  return std::move(*db);
}

void expect_out_of_memory(const Error& error, const Step& step) {
  const bool is_right = error.code() == ErrorCode::kOutOfSpace || error.code() == step.other_code;
  EXPECT_TRUE(is_right) << error_code_name(error.code()) << ": " << error.message();
}

/// Runs all steps. Returns: whether an allocation failed
bool run_once(const Script& script, std::uint64_t failing_allocation, FailureMode mode) {
  Stage stage(script.options);
  script.prepare(stage);
  bool has_failed = false;
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    const Step& step = script.steps[i];
    FailureScope failures(has_failed ? 0 : failing_allocation, mode);
    if (has_failed) failures.disarm();
    auto result = step.act(stage);
    failures.disarm();
    has_failed = has_failed || FailureScope::has_fired();
    if (!result) {
      EXPECT_TRUE(has_failed) << result.error().message();
      expect_out_of_memory(result.error(), step);
      stage.expect_intact();
      result = step.act(stage);
      EXPECT_TRUE(result.has_value()) << "again: " << result.error().message();
    }
    step.effect(stage.content);
    // Without a failure in it a step has nothing new to tell.
    if (has_failed && FailureScope::has_fired()) stage.expect_intact();
    if (::testing::Test::HasFailure()) return false;
  }
  stage.expect_intact();
  return has_failed;
}

}  // namespace

Stage::Stage(const Options& options) : db_(opened(options, clock_)) {}

Result<void> Stage::maintain() {
  try {
    db::Access::engine(db_).maintain();
  } catch (const std::bad_alloc&) {
    return std::unexpected(Error::of_literal(ErrorCode::kOutOfSpace, "maintain threw"));
  }
  return {};
}

void Stage::put(const std::string& key, const std::string& value) {
  ASHLAR_ASSERT(db_.put(key, value).has_value(), "a preparation succeeds");
  content[key] = value;
}

void Stage::take_snapshot() {
  snapshot = std::move(db_.snapshot().value());
  content_at_snapshot = content;
}

void Stage::expect_intact() {
  db::Access::engine(db_).check();
  expect_content(content, nullptr);
  if (snapshot) expect_content(content_at_snapshot, &*snapshot);
}

void Stage::expect_content(const Content& expected, const Snapshot* at) {
  for (const auto& [key, value] : expected) {
    const auto got = db_.get(key, at).value();
    if (!got && may_lose_keys) continue;
    ASSERT_TRUE(got.has_value()) << key << " is gone";
    ASSERT_TRUE(got->view() == value) << key << " has another value";
  }
  auto rows = db_.scan({}, at);
  ASSERT_TRUE(rows.has_value() || may_lose_keys);
  if (!rows) return;
  std::size_t row_count = 0;
  for (rows->seek_to_first(); rows->is_valid(); rows->next(), ++row_count) {
    const auto place = expected.find(rows->key());
    ASSERT_NE(place, expected.end()) << rows->key() << " should not be there";
    ASSERT_TRUE(rows->value() == place->second) << rows->key() << " has another value";
  }
  ASSERT_TRUE(row_count == expected.size() || may_lose_keys);
}

void run_for_every_allocation(const Script& script, FailureMode mode) {
  constexpr std::uint64_t kAllocationsMax = 20'000;
  for (std::uint64_t n = 1; n <= kAllocationsMax; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " fails" +
                 (mode == FailureMode::kOnce ? "" : ", and all after it"));
    if (!run_once(script, n, mode)) return;
    if (::testing::Test::HasFailure()) return;
  }
  ADD_FAILURE() << "the script allocates without end";
}

}  // namespace ashlar::allocation
