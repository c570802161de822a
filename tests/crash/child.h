/// \file
/// A process that a campaign has forked and will kill.
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <cerrno>
#include <optional>

namespace ashlar::crash {

/// Whether `status` is that of a process that was killed, and did not abort before.
inline bool was_killed(int status) noexcept {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// Once its end has been learned, its number may be that of anybody: nothing is sent there any
/// more. One that was not waited for is killed at the end.
///
/// Threads: externally synchronised.
class Child {
 public:
  /// Takes what `fork` has answered to the parent.
  explicit Child(pid_t pid) noexcept : pid_(pid) {}
  ~Child() {
    (void)signal(SIGKILL);
    (void)wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Whether it has ended, by itself or by a signal.
  bool has_ended() noexcept {
    if (!status_) reap(WNOHANG);
    return status_.has_value();
  }

  /// Returns: false when it had ended, or cannot be reached; then nothing was sent
  bool signal(int number) noexcept { return !has_ended() && ::kill(pid_, number) == 0; }

  /// Waits for its end. Returns: its status, as waitpid gives it
  int wait() noexcept {
    while (!status_) reap(0);
    return *status_;
  }

 private:
  void reap(int options) noexcept {
    int status = 0;
    const pid_t answer = ::waitpid(pid_, &status, options);
    if (answer == pid_) status_ = status;
    // It is not ours, so there is nothing to wait for: as one that ended by itself.
    if (answer < 0 && errno != EINTR) status_ = 0;
  }

  const pid_t pid_;
  std::optional<int> status_;
};

}  // namespace ashlar::crash
