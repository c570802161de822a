/// \file
/// How fast writers may go while compactions are behind, so that none of them ever has to stand
/// still for one.
///
/// Level 0 fills with what writers write and drains as fast as it is compacted. Up to half of what
/// it may hold writers go as they like; from there on they are held to what drains, and to less the
/// nearer the end is:
///
///     share of the drain   1 ┤────╮
///                          ½ ┤     ╲
///                         ¼ ┤       ╰──
///                            └────┬─────┬── tables in level 0
///                               half   stop
///
/// Invariants:
///   V36  Below half of the stop nobody is delayed; a delay is never longer than kDelayMax.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace ashlar::lsm {

/// Threads: externally synchronised.
class Pace {
 public:
  using Duration = std::chrono::nanoseconds;

  /// The longest delay of one write.
  static constexpr Duration kDelayMax = std::chrono::milliseconds(20);

  explicit Pace(std::uint64_t level0_count_stop) noexcept : stop_(level0_count_stop) {}

  /// A compaction has taken `bytes` out of level 0 in `time`.
  void note_drain(std::uint64_t bytes, Duration time) noexcept {
    const double seconds = std::max(std::chrono::duration<double>(time).count(), 1e-3);
    const double rate = static_cast<double>(bytes) / seconds;
    // Half of what was known: two or three compactions tell what the disk does now.
    bytes_per_second_ = (bytes_per_second_ + rate) / 2;
  }

  /// How long a writer of `bytes` is to wait. Delays too short to sleep for are saved up.
  Duration delay_of(std::uint64_t bytes, std::uint64_t level0_count) noexcept {
    constexpr Duration kWorthSleeping = std::chrono::milliseconds(1);
    if (2 * level0_count < stop_) {
      owed_ = {};
      return {};
    }
    const double seconds = static_cast<double>(bytes) / (bytes_per_second_ * share(level0_count));
    owed_ += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
    owed_ = std::min(owed_, kDelayMax);
    return owed_ < kWorthSleeping ? Duration{} : std::exchange(owed_, {});
  }

 private:
  /// Of what drains, how much may come in.
  double share(std::uint64_t level0_count) const noexcept {
    const double half = static_cast<double>(stop_) / 2;
    const double beyond = static_cast<double>(std::min(level0_count, stop_)) - half;
    return 1.0 - 0.75 * beyond / half;
  }

  const std::uint64_t stop_;
  double bytes_per_second_ = 100e6;  // What is measured takes its place.
  Duration owed_{};
};

}  // namespace ashlar::lsm
