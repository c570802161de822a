/// \file
/// A disk around another that lets chosen calls fail. A test runs a program once to count its
/// calls, then again and again with one of them failing.
///
/// Invariants:
///   F9  A call that is told to fail does not reach the disk below; a short one reaches it with the
///       front part of its bytes; all others reach it as they are.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_safety.h"
#include "os/disk.h"

namespace ashlar::os {

class SimulatedDisk;

/// The calls that can fail. `close` and `unmap` cannot: nobody could do anything about it.
enum class CallKind : std::uint8_t {
  kOpen,
  kRead,
  kWrite,
  kSync,
  kSize,
  kAllocate,
  kTruncate,
  kMap,
  kLock,
  kRename,
  kRemove,
  kLink,
  kMakeDirectory,
  kSyncDirectory,
  kList,
  kAny,  ///< All of the above, counted together.
};

enum class Fault : std::uint8_t {
  kEio,
  kEnospc,
  kEdquot,
  kEintr,       ///< Only once: a signal that comes for ever is no fault of a disk.
  kShortRead,   ///< About half of the bytes; of whole blocks one or more. Other calls pass.
  kShortWrite,  ///< The same for writes.
};

enum class FaultSpan : std::uint8_t {
  kOnce,
  kForEver,  ///< That call and all of its kind after it, until `heal`.
};

/// Threads:  thread-safe.
/// Lifetime: the disk below must outlive it.
class FaultyDisk final : public Disk {
 public:
  explicit FaultyDisk(Disk& below) noexcept;

  /// A sync that fails here also drops what was dirty there, as systems do (drop_dirty): a program
  /// that tries again and trusts the second answer loses data at the next power cut.
  explicit FaultyDisk(SimulatedDisk& below) noexcept;

  /// Lets the call of `kind` fail that has index `nth` among those, counted from 0 since the start.
  /// Rules add up; of two that meet, the first holds.
  void fail(CallKind kind, std::uint64_t nth, Fault fault, FaultSpan span);

  /// Forgets all rules. Calls go on to be counted.
  void heal();

  /// How many calls of `kind` were made, those that failed included.
  std::uint64_t call_count(CallKind kind) const;

  /// Of how many bytes it was told that they are read soon.
  std::uint64_t ahead_bytes() const;

  Handle open(const std::string& path, OpenMode mode) override;
  int close(Handle handle) override;
  ssize_t read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) override;

  /// Each part is a call of `kRead`, in their order. Those that nothing befalls reach the disk
  /// below together.
  void read_many(std::span<ReadPart> parts) override;
  void read_ahead(Handle handle, std::size_t bytes, std::uint64_t offset) override;
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override;
  int sync(Handle handle) override;
  std::int64_t size(Handle handle) override;
  int allocate(Handle handle, std::uint64_t bytes, NewSpace space) override;
  int truncate(Handle handle, std::uint64_t bytes) override;
  int map(Handle handle, std::size_t bytes, char** address) override;
  int unmap(char* address, std::size_t bytes) override;
  int lock(Handle handle, LockMode mode) override;
  int rename(const std::string& from, const std::string& to) override;
  int remove(const std::string& path) override;
  int link(const std::string& from, const std::string& to) override;
  int make_directory(const std::string& path) override;
  int sync_directory(const std::string& path) override;
  int list(const std::string& path, std::vector<std::string>& names) override;

 private:
  // `nth` counts the calls of `kind`, which may be all of them, from 0 since the start.
  struct Rule {
    CallKind kind;
    std::uint64_t nth;
    Fault fault;
    FaultSpan span;
  };
  static constexpr std::size_t kKindCount = static_cast<std::size_t>(CallKind::kAny) + 1;

  std::optional<Fault> begin_call(CallKind kind);
  int error_of_call(CallKind kind);

  // Set at construction.
  Disk& below_;
  SimulatedDisk* const simulated_;  // The same disk, or null when it is of another kind.

  mutable base::Mutex mutex_;
  std::array<std::uint64_t, kKindCount> call_counts_ ASHLAR_GUARDED_BY(mutex_) = {};
  std::uint64_t ahead_bytes_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::vector<Rule> rules_ ASHLAR_GUARDED_BY(mutex_);
};

}  // namespace ashlar::os
