/// \file
/// A database at its limits, and what the tests there ask of it again and again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ashlar/db.h"
#include "db/engine_rig_test.h"
#include "os/manual_clock.h"

namespace ashlar::limits {

/// A database on a clock that the test moves, without a thread of its own.
class Store {
 public:
  explicit Store(const Options& options = {});
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() = default;

  Db& db() noexcept { return db_; }
  Db* operator->() noexcept { return &db_; }
  os::ManualClock& clock() noexcept { return clock_; }

  /// Moves time and does what is due, until nothing is.
  void settle(std::int64_t by_ms = 0);
  void check();
  Stats stats() { return db_.stats().value(); }

  /// The value of `key`, or "(absent)".
  std::string value_of(std::string_view key);

  /// Puts `value_bytes` long values under "prefix0", "prefix1", … until one is refused for want of
  /// memory. Memory stays within the budget meanwhile (M1). Returns: how many were stored
  std::uint64_t fill(std::string_view prefix, std::size_t value_bytes);

  /// Erases what `fill` stored. Each key must be there.
  void drain(std::string_view prefix, std::uint64_t count);

 private:
  os::ManualClock clock_;
  db::EngineRig rig_;
  Db db_;  // Uses what stands above, so it goes first.
};

/// Whether the message of `error` contains all of `parts`.
bool says(const Error& error, std::initializer_list<std::string_view> parts);

inline std::string key_of(std::string_view prefix, std::uint64_t number) {
  return std::string(prefix) + std::to_string(number);
}

}  // namespace ashlar::limits
