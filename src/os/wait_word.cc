// The futex. The system compares the word with the ticket and puts the thread to sleep in one step,
// so a wake between our look at the word and the sleep is not missed.

#include "os/wait_word.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

namespace ashlar::os {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "the system reads the word itself");

void WaitWord::wait(Ticket ticket) noexcept {
  sleep(ticket, std::chrono::microseconds::max());
}

void WaitWord::wait_for(Ticket ticket, std::chrono::microseconds most) noexcept {
  sleep(ticket, most);
}

void WaitWord::sleep(Ticket ticket, std::chrono::microseconds most) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(most);
  const timespec relative{.tv_sec = seconds.count(),
                          .tv_nsec = std::chrono::nanoseconds(most - seconds).count()};
  const bool is_bounded = most != std::chrono::microseconds::max();
  // Sequentially consistent, as in `wake`: either the wake sees the sleeper, or the sleeper sees
  // that its ticket is spent.
  sleeper_count_.fetch_add(1, std::memory_order_seq_cst);
  if (word_.load(std::memory_order_seq_cst) == ticket) {
    ::syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, ticket, is_bounded ? &relative : nullptr,
              nullptr, 0);
  }
  sleeper_count_.fetch_sub(1, std::memory_order_relaxed);
}

void WaitWord::wake(std::int32_t count_max) noexcept {
  word_.fetch_add(1, std::memory_order_seq_cst);
  if (sleeper_count_.load(std::memory_order_seq_cst) == 0) return;
  ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, count_max, nullptr, nullptr, 0);
}

}  // namespace ashlar::os
