/// \file
/// One side of a row, and the rounds that let the sides take turns.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report.h"

namespace ashlar::bench {

/// How long to measure.
struct Settings {
  int rounds = 5;
  double seconds = 0.8;  ///< A round of one side; rows of a fixed number of operations ignore it.
};

/// What an operation took, in nanoseconds.
struct Figure {
  double wall = 0;
  double processor = 0;  ///< Of the thread that ran it: what others on the machine do not add to.
};

/// Times operations of the thread that made it.
///
/// Threads: confined.
class Stopwatch {
 public:
  Stopwatch() noexcept : processor_begin_(processor_ns()), begin_(Clock::now()) {}

  bool is_past(double seconds) const noexcept {
    return Clock::now() - begin_ >= std::chrono::duration<double>(seconds);
  }

  /// The figure of each of `count` operations that began with the watch and end now.
  Figure each_of(std::uint64_t count) const noexcept {
    const std::chrono::duration<double, std::nano> wall = Clock::now() - begin_;
    const auto divisor = static_cast<double>(count);
    return {.wall = wall.count() / divisor,
            .processor = (processor_ns() - processor_begin_) / divisor};
  }

 private:
  using Clock = std::chrono::steady_clock;

  static double processor_ns() noexcept {
    timespec time = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
  }

  double processor_begin_;
  Clock::time_point begin_;
};

/// Runs `operation` for about `seconds` and reads the clock once in `block` operations only: a
/// reading costs as much as a cached read of a store.
template <std::invocable Operation>
Figure time_operations(double seconds, int block, Operation operation) {
  const Stopwatch watch;
  std::uint64_t count = 0;
  do {
    for (int i = 0; i < block; ++i) operation();
    count += static_cast<std::uint64_t>(block);
  } while (!watch.is_past(seconds));
  return watch.each_of(count);
}

/// A back-end in the loop of one row, loaded and ready.
///
/// Threads: confined; a loop may start threads of its own and waits for them.
class Contender {
 public:
  explicit Contender(std::string_view name) : name_(name) {}
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;
  virtual ~Contender() = default;

  /// Brings the store into the state in which every round begins. Not timed.
  virtual void prepare() {}

  /// Runs one round of about `seconds`.
  virtual Figure run(double seconds) = 0;

  std::string_view name() const noexcept { return name_; }

  /// What else is to be said of the rounds so far; empty for nothing.
  virtual std::string note() const { return {}; }

  /// Whether something besides the time makes the row miss its bounds.
  virtual bool has_failed_besides() const { return false; }

  /// Answers that were wrong so far, and writes that failed.
  std::uint64_t wrong_count() const noexcept { return wrong_count_; }

 protected:
  void expect(bool is_right) noexcept { wrong_count_ += is_right ? 0U : 1U; }
  void add_wrong(std::uint64_t count) noexcept { wrong_count_ += count; }

 private:
  std::string_view name_;
  std::uint64_t wrong_count_ = 0;
};

using Contenders = std::vector<std::unique_ptr<Contender>>;

/// What came out of the rounds.
struct RoundsOutcome {
  std::vector<Spread> spreads;       ///< Of the contenders, in their order.
  std::vector<double> processor_ns;  ///< Medians, in the same order.
  int turn_count = 0;
  int disturbed_turn_count = 0;  ///< Others had more than `kDisturbedShare` of the machine.
};

/// Lets the contenders take turns, round after round, so that what else happens on the machine
/// hits all of them alike. Disturbed turns are left out of a contender that has enough others.
RoundsOutcome run_rounds(const Settings& settings,
                         std::span<const std::unique_ptr<Contender>> contenders);

/// A turn in which others had more of the machine than this is disturbed.
inline constexpr double kDisturbedShare = 0.10;
/// What a median needs to be kept without the disturbed turns.
inline constexpr std::size_t kQuietTurnsMin = 3;

/// Operations between two readings of the clock, and batches or scans.
inline constexpr int kBlock = 2048;
inline constexpr int kSlowBlock = 128;

}  // namespace ashlar::bench
