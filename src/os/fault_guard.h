/// \file
/// Stores to a mapped file whose bytes the disk cannot bring: the system sends SIGBUS, which would
/// end the application. A guard takes it instead, lets the store go into memory that nobody keeps,
/// and remembers that it happened.
///
/// The first guard puts a handler for SIGBUS in place, once for the process and for good. A SIGBUS
/// elsewhere goes to the handler that was there before, or does what it did.
///
/// Invariants:
///   F10  A fault in a guarded range ends no process; `is_lost` tells of it before the access that
///        faulted returns.
#pragma once

#include <cstddef>

#include "ashlar/result.h"

namespace ashlar::os {

/// Watches one range of mapped memory.
///
/// Threads:  thread-safe. The memory must not be accessed any more when the guard ends.
class FaultGuard {
 public:
  /// Errors: kUnavailable  so many ranges are guarded already (1,024), or SIGBUS cannot be taken
  static Result<FaultGuard> watch(const char* begin, std::size_t bytes);

  FaultGuard(FaultGuard&& other) noexcept;
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;
  FaultGuard& operator=(FaultGuard&&) = delete;
  ~FaultGuard();

  /// Whether an access has failed. From then on what the range holds may differ from the file.
  ///
  /// Cost: one relaxed load
  bool is_lost() const noexcept;

 private:
  explicit FaultGuard(std::size_t slot) noexcept : slot_(slot) {}

  std::size_t slot_;
};

}  // namespace ashlar::os
