/// \file
/// The one count of the bytes that a database holds.
///
/// Invariants:
///   M1  What has been taken and not given back never exceeds the limit.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/assert.h"

namespace ashlar::base {

/// Bytes are taken in steps of 4 KiB to 2 MiB by the structures that hold memory, never per record,
/// so that the shared count is touched once in some hundred writes.
///
/// Threads: thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit_bytes) noexcept : limit_bytes_(limit_bytes) {}

  /// Returns: false, and takes nothing, when `bytes` would exceed the limit
  [[nodiscard]] bool try_take(std::size_t bytes) noexcept {
    // A plain count: it orders no other memory.
    std::size_t used = used_bytes_.load(std::memory_order_relaxed);
    do {
      // `used` never exceeds the limit, so the difference does not wrap (M1).
      if (bytes > limit_bytes_ - used) return false;
    } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }

  void give_back(std::size_t bytes) noexcept {
    const std::size_t before = used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    ASHLAR_ASSERT(before >= bytes, "only what was taken is given back");
  }

  std::size_t used_bytes() const noexcept { return used_bytes_.load(std::memory_order_relaxed); }
  std::size_t limit_bytes() const noexcept { return limit_bytes_; }

 private:
  const std::size_t limit_bytes_;
  std::atomic<std::size_t> used_bytes_{0};
};

}  // namespace ashlar::base
