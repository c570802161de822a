// Nobody sets the monotonic clock. What is asked for is wall time, so the difference between the
// two at the start is added to it for good (T2).

#include "os/clock.h"

#include <ctime>

namespace ashlar::os {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

// The coarse clock is a value that the kernel stores at each of its ticks, 1 to 10 ms apart. This
// is how far behind it may be before a deadline is judged by the exact clock.
constexpr std::int64_t kCoarseLagMsMax = 100;

std::int64_t read_ns(clockid_t id) noexcept {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

SystemClock::SystemClock() noexcept
    : offset_ns_(read_ns(CLOCK_REALTIME) - read_ns(CLOCK_MONOTONIC)) {}

std::int64_t SystemClock::now_ms() const noexcept {
  return (read_ns(CLOCK_MONOTONIC) + offset_ns_) / kNsPerMs;
}

// The coarse clock is behind and never ahead, so what is past by it is past, and what is far off by
// it is to come. Only in between the exact one is asked.
bool SystemClock::is_past(std::int64_t deadline_ms) const noexcept {
  const std::int64_t behind_ms = (read_ns(CLOCK_MONOTONIC_COARSE) + offset_ns_) / kNsPerMs;
  if (deadline_ms <= behind_ms) return true;
  if (deadline_ms - behind_ms > kCoarseLagMsMax) return false;
  return deadline_ms <= now_ms();
}

}  // namespace ashlar::os
