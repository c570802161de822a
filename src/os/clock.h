/// \file
/// Where time comes from. Everything that asks for the time is given a `Clock` at construction, so
/// that tests own it.
///
/// Invariants:
///   T2  Time never goes back: neither `now_ms` nor the answers of `is_past`.
#pragma once

#include <cstdint>

namespace ashlar::os {

/// A clock in milliseconds since 1970-01-01 UTC.
///
/// Threads: thread-safe.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// The time, exact to the millisecond.
  ///
  /// Cost: one reading of the processor's clock, some 50 ns.
  virtual std::int64_t now_ms() const noexcept = 0;

  /// Whether `deadline_ms` has been reached: the same answer as `deadline_ms <= now_ms()`, mostly
  /// at a tenth of the cost.
  virtual bool is_past(std::int64_t deadline_ms) const noexcept = 0;
};

/// Wall time as it was at construction, carried on by the monotonic clock of the system: setting
/// the clock of the machine neither ends nor revives a key.
class SystemClock final : public Clock {
 public:
  SystemClock() noexcept;
  std::int64_t now_ms() const noexcept override;
  bool is_past(std::int64_t deadline_ms) const noexcept override;

 private:
  std::int64_t offset_ns_;  // From the monotonic clock to wall time.
};

}  // namespace ashlar::os
