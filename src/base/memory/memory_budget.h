/// \file
/// The one count of the bytes that a database holds.
///
/// Invariants:
///   M1  What has been taken and not given back never exceeds the limit.
///   M2  Nobody is refused what a spare holds.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/assert.h"

namespace ashlar::base {

/// Memory that was taken before it is needed, and goes when somebody else needs it.
class Spare {
 public:
  Spare() = default;
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  /// Gives back to the budget what is kept, before it returns, also where another thread is just
  /// doing so. Called by any thread, whatever locks it holds.
  virtual void drop() noexcept = 0;

 protected:
  ~Spare() = default;
};

/// Bytes are taken in steps of 4 KiB to 2 MiB by the structures that hold memory, never per record,
/// so that the shared count is touched once in some hundred writes.
///
/// Threads: thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit_bytes) noexcept : limit_bytes_(limit_bytes) {}

  /// Returns: false, and takes nothing, when `bytes` would exceed the limit
  [[nodiscard]] bool try_take(std::size_t bytes) noexcept {
    if (try_take_unused(bytes)) [[likely]]
      return true;
    if (spare_ == nullptr) return false;
    spare_->drop();
    return try_take_unused(bytes);
  }

  /// What is asked to give way when the limit is reached (M2); null for nobody. No other thread may
  /// use the budget meanwhile.
  void set_spare(Spare* spare) noexcept { spare_ = spare; }

  void give_back(std::size_t bytes) noexcept {
    const std::size_t before = used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    ASHLAR_ASSERT(before >= bytes, "only what was taken is given back");
  }

  std::size_t used_bytes() const noexcept { return used_bytes_.load(std::memory_order_relaxed); }
  std::size_t limit_bytes() const noexcept { return limit_bytes_; }

 private:
  bool try_take_unused(std::size_t bytes) noexcept {
    // A plain count: it orders no other memory.
    std::size_t used = used_bytes_.load(std::memory_order_relaxed);
    do {
      // `used` never exceeds the limit, so the difference does not wrap (M1).
      if (bytes > limit_bytes_ - used) return false;
    } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }

  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
  Spare* spare_ = nullptr;
};

}  // namespace ashlar::base
