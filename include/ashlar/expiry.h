/// \file
/// When a key ceases to exist.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace ashlar {

/// A moment in whole milliseconds since 1970-01-01 UTC, or never.
///
/// A key is there strictly before its deadline and gone from the deadline on. A deadline in the
/// past is allowed: the key is then gone at once. The last representable moment means never.
///
/// Threads: immutable.
class Expiry {
 public:
  /// The deadline of a key that does not expire.
  static constexpr Expiry never() noexcept { return Expiry(kNeverMs); }

  /// The key is gone from `time` on, on the clock of the database: wall time as it was when the
  /// database was opened, carried on by a clock that never jumps.
  static Expiry at(std::chrono::system_clock::time_point time) noexcept {
    const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    return Expiry(since.count());
  }

  /// As `at`, with the moment in milliseconds since 1970-01-01 UTC. Any value is allowed.
  static constexpr Expiry at_ms(std::int64_t unix_ms) noexcept { return Expiry(unix_ms); }

  /// The key is gone `delay` after the call that stores it. Zero or less: gone at once. A sum
  /// beyond the end of time means never.
  static constexpr Expiry in(std::chrono::milliseconds delay) noexcept {
    return Expiry(delay.count(), true);
  }

  constexpr bool is_never() const noexcept { return ms_ == kNeverMs && !is_relative_; }

  /// The deadline in milliseconds since 1970-01-01 UTC, for a call made at `now_ms`.
  constexpr std::int64_t resolve_ms(std::int64_t now_ms) const noexcept {
    if (!is_relative_) return ms_;
    if (ms_ > 0 && now_ms > kNeverMs - ms_) return kNeverMs;
    if (ms_ < 0 && now_ms < std::numeric_limits<std::int64_t>::min() - ms_) return 0;
    return now_ms + ms_;
  }

  /// The number that stands for never.
  static constexpr std::int64_t kNeverMs = std::numeric_limits<std::int64_t>::max();

 private:
  constexpr explicit Expiry(std::int64_t ms, bool is_relative = false) noexcept
      : ms_(ms), is_relative_(is_relative) {}

  std::int64_t ms_;
  bool is_relative_;
};

}  // namespace ashlar
