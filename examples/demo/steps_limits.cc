#include <utility>

#include "steps.h"

namespace demo {
namespace {

/// Prints the refusal of `result`, which must have `code`.
ashlar::Result<void> expect_refusal(const Stage& stage, std::string_view name,
                                    const ashlar::Result<void>& result, ashlar::ErrorCode code) {
  if (result) return wrong(std::string(name) + ": was taken");
  if (result.error().code() != code) return std::unexpected(result.error());
  stage.terminal.figure(name, {ashlar::error_code_name(code), ": ", result.error().message()});
  return {};
}

std::string key_of(std::size_t index) {
  return "filler:" + std::to_string(index);
}

/// Stores `value` under new keys until the database takes no more.
///
/// Returns: how many were taken, and the refusal
std::pair<std::size_t, ashlar::Result<void>> fill(ashlar::Db& db, std::string_view value) {
  for (std::size_t count = 0;; ++count) {
    if (auto stored = db.put(key_of(count), value); !stored) return {count, std::move(stored)};
  }
}

/// A second database, so small that it is soon full.
ashlar::Result<void> exceed_budget(const Stage& stage) {
  ASHLAR_TRY_ASSIGN(auto small,
                    ashlar::Db::open({.memory_budget_bytes = ashlar::kMemoryBudgetBytesMin}));
  const std::string value(1000, 'x');
  const auto [taken_count, refusal] = fill(small, value);
  stage.terminal.figure("a budget of 4 MiB",
                        {"takes ", grouped(taken_count), " values of 1,000 bytes"});
  ASHLAR_TRY(expect_refusal(stage, "one more", refusal, ashlar::ErrorCode::kOutOfSpace));

  for (std::size_t index = 0; index < taken_count; ++index) {
    ASHLAR_TRY_ASSIGN(const auto kept, small.get(key_of(index)));
    if (!kept || *kept != value) return wrong(key_of(index) + ": was harmed by the refusal");
  }
  ASHLAR_TRY_ASSIGN(const bool is_half_there, small.exists(key_of(taken_count)));
  if (is_half_there) return wrong(key_of(taken_count) + ": was refused, yet it is there");

  for (std::size_t index = 0; index < taken_count / 2; ++index) {
    ASHLAR_TRY(small.erase(key_of(index)));
  }
  ASHLAR_TRY(small.put("after erasing half", value));
  stage.terminal.good({"nothing was harmed, and erasing made room again"});
  return small.close();
}

}  // namespace

ashlar::Result<void> exceed_limits(const Stage& stage) {
  stage.terminal.heading("Limits: what is too much is refused, whole");
  const ashlar::Options options = demo_options({});

  const std::string long_key(options.key_bytes_max + 1, 'k');
  ASHLAR_TRY(expect_refusal(stage, "key too long", stage.db.put(long_key, "value"),
                            ashlar::ErrorCode::kInvalidArgument));
  const std::string long_value(options.value_bytes_max + 1, 'v');
  ASHLAR_TRY(expect_refusal(stage, "value too long", stage.db.put("key", long_value),
                            ashlar::ErrorCode::kInvalidArgument));
  return exceed_budget(stage);
}

}  // namespace demo
