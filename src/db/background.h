/// \file
/// The one thread of a database: it calls `StorageEngine::maintain` when that is due, and sleeps
/// otherwise.
///
/// Invariants:
///   B1  A wake is never lost: one that comes while `maintain` runs is answered by another call.
///   B2  No lock is held while `maintain` runs.
///   B3  After `stop` returned, `maintain` is not called again.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "ashlar/result.h"
#include "base/thread_safety.h"
#include "engine/storage_engine.h"

namespace ashlar::db {

/// Threads:  thread-safe, except the destructor.
/// Lifetime: the engine holds on to this object from `start` on, so it must outlive the engine, and
///           be stopped before the engine goes.
class Background {
 public:
  Background() = default;
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { stop(); }

  /// Starts the thread on `engine`. Called once at most.
  ///
  /// Errors: kUnavailable  the system refuses a thread
  Result<void> start(engine::StorageEngine& engine);

  /// Ends the thread and waits for it; at most as long as one call of `maintain` takes. Nothing
  /// happens when it does not run.
  void stop() noexcept;

  /// Makes the thread call `maintain` now.
  ///
  /// Cost: one short lock.
  void wake() noexcept;

 private:
  void run(const std::stop_token& stop, engine::StorageEngine& engine);

  // Guarded by `mutex_`; the analysis cannot see through the wait.
  std::mutex mutex_;
  bool is_woken_ = false;

  // Safe by themselves.
  std::condition_variable_any wakeup_;

  base::Mutex thread_mutex_;  // Never taken by the thread itself, so `stop` may join under it.
  std::jthread thread_ ASHLAR_GUARDED_BY(thread_mutex_);
};

}  // namespace ashlar::db
