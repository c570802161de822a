#include "db/background.h"

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): signal masks of threads are POSIX

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <system_error>

#include "base/assert.h"

namespace ashlar::db {
namespace {

/// After this long `maintain` is called again when it had no memory to work with, in milliseconds.
constexpr engine::TimeMs kRetryMs = 1'000;
/// The longest sleep with something pending; keeps sums of times far from their end.
constexpr engine::TimeMs kSleepMsMax = 3'600'000;

std::optional<engine::TimeMs> maintain(engine::StorageEngine& engine) {
  try {
    return engine.maintain();
  } catch (const std::bad_alloc&) {
    return kRetryMs;
  }
}

/// Blocks all signals for its lifetime, so that a thread started meanwhile is born deaf: a signal
/// meant for the application must not land on a thread that the application does not know of.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    ASHLAR_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before_) == 0, "signals can be blocked");
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

Result<void> Background::start(engine::StorageEngine& engine) {
  const base::MutexLock lock(thread_mutex_);
  ASHLAR_ASSERT(!thread_.joinable(), "a background thread is started once");
  engine.on_work([](void* self) { static_cast<Background*>(self)->wake(); }, this);
  try {
    const SignalsBlocked blocked;
    thread_ = std::jthread([this, &engine](const std::stop_token& stop) { run(stop, engine); });
  } catch (const std::system_error& error) {
    return std::unexpected(
        Error(ErrorCode::kUnavailable, std::string("the background thread: ") + error.what()));
  }
  return {};
}

void Background::stop() noexcept {
  const base::MutexLock lock(thread_mutex_);
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  ASHLAR_ASSERT(!thread_.joinable(), "a stopped thread has ended");
}

void Background::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (is_woken_) return;
    is_woken_ = true;
  }
  wakeup_.notify_one();
}

void Background::run(const std::stop_token& stop, engine::StorageEngine& engine) {
  while (!stop.stop_requested()) {
    const std::optional<engine::TimeMs> due_in_ms = maintain(engine);
    std::unique_lock lock(mutex_);
    const auto is_woken = [this] { return is_woken_; };
    if (due_in_ms) {
      const auto sleep_ms = std::clamp<engine::TimeMs>(*due_in_ms, 0, kSleepMsMax);
      wakeup_.wait_for(lock, stop, std::chrono::milliseconds(sleep_ms), is_woken);
    } else {
      wakeup_.wait(lock, stop, is_woken);
    }
    is_woken_ = false;
  }
}

}  // namespace ashlar::db
