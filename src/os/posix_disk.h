/// \file
/// The disk of the machine, by the calls of the system. A handle is a file descriptor; nothing is
/// buffered or remembered here but rings that are not in use. F1 to F4 (disk.h) hold as far as file
/// system and drive keep them.
#pragma once

#include "os/disk.h"
#include "os/ring/ring_pool.h"

namespace ashlar::os {

/// Whether `read_many` gives the kernel several reads at once.
enum class RingUse : std::uint8_t {
  kWherePossible,
  kNever,  ///< For comparison: one read after the other, with the same results.
};

/// Threads: thread-safe.
class PosixDisk final : public Disk {
 public:
  explicit PosixDisk(RingUse rings = RingUse::kWherePossible) noexcept : ring_use_(rings) {}

  /// New files are readable and writable by their owner only. kDurable is O_DIRECT with O_DSYNC,
  /// and O_DSYNC alone on a file system without direct access, like tmpfs.
  Handle open(const std::string& path, OpenMode mode) override;
  int close(Handle handle) override;
  ssize_t read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) override;

  /// Side by side where the kernel has `io_uring`, lets this process use it and a ring is free;
  /// else one after the other. The results are the same.
  ///
  /// Cost: one call of the system for 64 parts
  void read_many(std::span<ReadPart> parts) override;
  void read_ahead(Handle handle, std::size_t bytes, std::uint64_t offset) override;
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override;
  int sync(Handle handle) override;
  std::int64_t size(Handle handle) override;

  /// Reserves the space, then writes zeros over all that is new: the file system would otherwise
  /// note for each block when it is first written, and a durable overwrite would wait for the note
  /// too. What is new is durable after `sync`. Where the file system cannot reserve, only the range
  /// that is new has its space.
  ///
  /// Cost: writes `bytes` less the old length, in steps of 1 MiB; each is synchronous through a
  ///       kDurable handle, so use kReadWrite for large files
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

  const RingPool& rings() const noexcept { return rings_; }

 private:
  const RingUse ring_use_;
  RingPool rings_;
};

}  // namespace ashlar::os
