#include "db/background.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <optional>

#include "base/assert.h"
#include "os/thread.h"

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

}  // namespace

Result<void> Background::start(engine::StorageEngine& engine) {
  const base::MutexLock lock(thread_mutex_);
  ASHLAR_ASSERT(!thread_.joinable(), "a background thread is started once");
  engine.on_work([](void* self) { static_cast<Background*>(self)->wake(); }, this);
  ASHLAR_TRY_ASSIGN(thread_,
                    os::start_thread("background", [this, &engine](const std::stop_token& stop) {
                      run(stop, engine);
                    }));
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
