/// \file
/// A word of memory that threads sleep on until it changes (a futex). Cheaper than a condition
/// variable where many are woken at once: they need no mutex to go on.
///
/// Whoever changes what others wait for calls a `wake_…` after it; whoever waits takes `ticket`
/// first, looks whether it has to wait, and then waits with that ticket. A wake between the two is
/// not missed, since it spends the ticket.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace ashlar::os {

/// Threads: thread-safe.
class WaitWord {
 public:
  using Ticket = std::uint32_t;

  WaitWord() noexcept = default;
  WaitWord(const WaitWord&) = delete;
  WaitWord& operator=(const WaitWord&) = delete;

  // Acquire: partner of the release in `wake_…`.
  Ticket ticket() const noexcept { return word_.load(std::memory_order_acquire); }

  /// Sleeps until a wake after `ticket` was taken, without spinning. May return before it.
  void wait(Ticket ticket) noexcept;

  /// The same for about so long at most.
  void wait_for(Ticket ticket, std::chrono::microseconds most) noexcept;

  /// Spends all tickets; then wakes one of those who sleep, or all.
  void wake_one() noexcept { wake(1); }
  void wake_all() noexcept { wake(INT32_MAX); }

 private:
  void sleep(Ticket ticket, std::chrono::microseconds most) noexcept;
  void wake(std::int32_t count_max) noexcept;

  std::atomic<std::uint32_t> word_{0};
  std::atomic<std::uint32_t> sleeper_count_{0};
};

}  // namespace ashlar::os
