/// \file
/// Allocation functions that fail on demand. Linking failing_new.cc replaces those of the process.
#pragma once

#include <cstdint>

namespace ashlar::allocation {

enum class FailureMode : std::uint8_t {
  kOnce,      ///< The n-th allocation fails, those after it work again.
  kFromThen,  ///< The n-th fails and all after it.
};

/// While it lives, the allocations of the thread that made it are counted from 1 and fail as asked;
/// other threads notice nothing.
///
/// Threads: confined to the thread that made it; one at a time in a thread.
class FailureScope {
 public:
  FailureScope(std::uint64_t failing_allocation, FailureMode mode) noexcept;
  FailureScope(const FailureScope&) = delete;
  FailureScope& operator=(const FailureScope&) = delete;
  ~FailureScope() { disarm(); }

  void disarm() noexcept;

  /// Whether an allocation has failed.
  static bool has_fired() noexcept;
};

}  // namespace ashlar::allocation
