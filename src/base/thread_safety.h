/// \file
/// Annotations for clang's analysis of locks, and the mutex that carries them.
#pragma once

#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define ASHLAR_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define ASHLAR_THREAD_ATTRIBUTE(x)
#endif

#define ASHLAR_GUARDED_BY(mutex) ASHLAR_THREAD_ATTRIBUTE(guarded_by(mutex))
#define ASHLAR_REQUIRES(...) ASHLAR_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))

namespace ashlar::base {

/// A mutex that clang's analysis knows.
class ASHLAR_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() noexcept ASHLAR_THREAD_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  bool try_lock() noexcept ASHLAR_THREAD_ATTRIBUTE(try_acquire_capability(true)) {
    return mutex_.try_lock();
  }
  void unlock() noexcept ASHLAR_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds a `Mutex` for a scope.
/// std::lock_guard does the same, but the analysis cannot see that it does.
class ASHLAR_THREAD_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ASHLAR_THREAD_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() ASHLAR_THREAD_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace ashlar::base
