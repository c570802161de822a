// A new thread inherits the mask of signals of the one that starts it: it is set for that instant.

#include "os/thread.h"

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): signal masks of threads are POSIX

#include <string>
#include <system_error>
#include <utility>

#include "base/assert.h"

namespace ashlar::os {
namespace {

/// Blocks all signals for its lifetime, so that a thread started meanwhile is born deaf. Only not
/// those that tell a thread of its own faults: the system ends a process that blocks them.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGBUS, SIGSEGV, SIGFPE, SIGILL}) sigdelset(&all, fault);
    ASHLAR_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before_) == 0, "signals can be blocked");
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

Result<std::jthread> start_thread(std::string_view name,
                                  std::function<void(const std::stop_token&)> work) {
  try {
    const SignalsBlocked blocked;
    return std::jthread(std::move(work));
  } catch (const std::system_error& error) {
    return std::unexpected(Error(ErrorCode::kUnavailable,
                                 "the thread \"" + std::string(name) + "\": " + error.what()));
  }
}

}  // namespace ashlar::os
