/// \file
/// A clock that stands still until it is told to move.
#pragma once

#include <atomic>

#include "base/assert.h"
#include "os/clock.h"

namespace ashlar::os {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now_ms = 1'000'000) noexcept : now_ms_(now_ms) {}

  std::int64_t now_ms() const noexcept override { return now_ms_.load(std::memory_order_acquire); }
  bool is_past(std::int64_t deadline_ms) const noexcept override { return deadline_ms <= now_ms(); }

  /// Moves on by `by_ms`, which must not be negative (T2).
  void advance(std::int64_t by_ms) noexcept {
    ASHLAR_ASSERT(by_ms >= 0, "time never goes back");
    now_ms_.fetch_add(by_ms, std::memory_order_acq_rel);
  }

 private:
  std::atomic<std::int64_t> now_ms_;
};

}  // namespace ashlar::os
