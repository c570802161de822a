#include "store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "db/access.h"

namespace ashlar::limits {
namespace {

Db opened(db::EngineRig& rig, const Options& options, const os::Clock& clock) {
  auto db = rig.open(options, {.clock = &clock, .hash_seed = 3, .has_background = false});
  ASHLAR_ASSERT(db.has_value(), "a database opens");
  return std::move(*db);
}

}  // namespace

Store::Store(const Options& options) : db_(opened(rig_, options, clock_)) {}

void Store::settle(std::int64_t by_ms) {
  clock_.advance(by_ms);
  constexpr int kRoundsMax = 1'000'000;
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto next_ms = db::Access::engine(db_).maintain();
    if (!next_ms || *next_ms > 0) return;
  }
  ADD_FAILURE() << "maintain does not come to an end";
}

void Store::check() {
  db::Access::engine(db_).check();
}

std::string Store::value_of(std::string_view key) {
  const auto value = db_.get(key);
  EXPECT_TRUE(value.has_value());
  if (!value || !*value) return "(absent)";
  return std::string((*value)->view());
}

std::uint64_t Store::fill(std::string_view prefix, std::size_t value_bytes) {
  const std::string value(value_bytes, 'v');
  const std::uint64_t budget = stats().memory_budget_bytes;
  for (std::uint64_t count = 0;; ++count) {
    const auto result = db_.put(key_of(prefix, count), value);
    const bool is_within = db_.approximate_memory() <= budget;
    EXPECT_TRUE(is_within) << "M1 after " << count << " keys";
    if (result && is_within) continue;
    EXPECT_TRUE(result || result.error().code() == ErrorCode::kOutOfSpace);
    return count;
  }
}

void Store::drain(std::string_view prefix, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto was_there = db_.erase(key_of(prefix, i));
    ASSERT_TRUE(was_there.has_value()) << was_there.error().message();
    ASSERT_TRUE(*was_there) << prefix << i;
  }
}

bool says(const Error& error, std::initializer_list<std::string_view> parts) {
  return std::ranges::all_of(parts, [&error](std::string_view part) {
    return error.message().find(part) != std::string_view::npos;
  });
}

}  // namespace ashlar::limits
