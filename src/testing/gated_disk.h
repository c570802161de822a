/// \file
/// A disk whose writes a test holds up: so it decides what happens while one is under way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/assert.h"
#include "testing/forwarding_disk.h"

namespace ashlar::testing {

/// Threads:  thread-safe.
/// Lifetime: the disk below must outlive it.
class GatedDisk final : public ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;

  /// Every write waits from now on, before it reaches the disk below.
  void close_gate() {
    const std::lock_guard lock(mutex_);
    ASHLAR_ASSERT(held_count_ == 0, "no write of an earlier time still waits");
    is_closed_ = true;
  }

  /// Lets those that wait go on, and all later ones pass.
  void open_gate() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = false;
    }
    changed_.notify_all();
  }

  /// Returns once a write waits at the gate.
  void await_held_write() {
    std::unique_lock lock(mutex_);
    ASHLAR_ASSERT(is_closed_, "no write waits at an open gate");
    changed_.wait(lock, [this] { return held_count_ > 0; });
  }

  /// How many writes were made, those that wait included.
  std::uint64_t write_count() const {
    const std::lock_guard lock(mutex_);
    return write_count_;
  }

  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override {
    {
      std::unique_lock lock(mutex_);
      ++write_count_;
      ++held_count_;
      if (is_closed_) changed_.notify_all();
      changed_.wait(lock, [this] { return !is_closed_; });
      --held_count_;
    }
    return ForwardingDisk::write(handle, from, bytes, offset);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;  // This and the counts are guarded by mutex_.
  std::uint64_t held_count_ = 0;
  std::uint64_t write_count_ = 0;
};

}  // namespace ashlar::testing
