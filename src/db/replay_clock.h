/// \file
/// The clock of a database that has a directory: while the log is replayed it tells when the
/// commits were made, so that what was decided then is decided the same way again.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "os/clock.h"

namespace ashlar::db {

/// Threads: thread-safe; `replay_at` and `go_live` belong to the one that opens the database.
class ReplayClock final : public os::Clock {
 public:
  /// Lifetime: `real` must outlive this clock.
  explicit ReplayClock(const os::Clock& real) noexcept : real_(real) {}

  /// Time moves on to `moment_ms`, unless it is there already.
  void replay_at(std::int64_t moment_ms) noexcept {
    const std::int64_t before = replayed_ms_.load(std::memory_order_relaxed);
    replayed_ms_.store(std::max(before, moment_ms), std::memory_order_relaxed);
  }

  /// From now on this is the real clock.
  void go_live() noexcept { is_live_.store(true, std::memory_order_release); }

  std::int64_t now_ms() const noexcept override {
    return is_live() ? real_.now_ms() : replayed_ms_.load(std::memory_order_relaxed);
  }
  bool is_past(std::int64_t deadline_ms) const noexcept override {
    return is_live() ? real_.is_past(deadline_ms) : deadline_ms <= now_ms();
  }

 private:
  bool is_live() const noexcept { return is_live_.load(std::memory_order_acquire); }

  const os::Clock& real_;
  std::atomic<bool> is_live_{false};
  std::atomic<std::int64_t> replayed_ms_{0};
};

}  // namespace ashlar::db
