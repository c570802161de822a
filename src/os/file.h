/// \file
/// Files and directories with errors that name them: what everything above uses of a `Disk`.
///
/// All functions retry EINTR and go on after short counts. Their errors are kOutOfSpace for ENOSPC
/// and EDQUOT, kIo for all else, with a message like "log/000007.log: write at 8192: No space left
/// on device".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "os/disk.h"
#include "os/fault_guard.h"

namespace ashlar::os {

class File;

/// One of several reads of files that are asked for together.
struct FileRead {
  const File* file = nullptr;
  std::uint64_t offset = 0;
  std::span<char> to = {};
  Result<void> result = {};  ///< What `File::read` would return for it.
};

/// An open file.
///
/// Threads:  thread-safe.
/// Lifetime: the disk must outlive it.
class File {
 public:
  /// Returns: null when there is no such file (only without kCreate)
  /// Errors:  kUnavailable  with kCreate: the file exists already
  static Result<std::unique_ptr<File>> open(Disk& disk, std::string path, OpenMode mode);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const noexcept { return path_; }

  /// Reads up to `to.size()` bytes at `offset`.
  ///
  /// Returns: how many; fewer only at the end of the file
  Result<std::size_t> read_some(std::uint64_t offset, std::span<char> to) const;

  /// Reads exactly `to.size()` bytes.
  ///
  /// Errors: kCorruption  the file ends before them
  Result<void> read(std::uint64_t offset, std::span<char> to) const;

  /// Reads all of `reads`, side by side where the disk can. Each gets a result of its own. The
  /// files are all of one disk.
  static void read_many(std::span<FileRead> reads);

  /// Tells that `bytes` from `offset` on are read soon: see Disk::read_ahead.
  void read_ahead(std::uint64_t offset, std::size_t bytes) const {
    disk_.read_ahead(handle_, bytes, offset);
  }

  /// Writes all of `from`. With a handle opened kDurable `from` is on the disk afterwards.
  Result<void> write(std::uint64_t offset, std::span<const char> from);

  /// Makes content and length durable. After an error nobody may rely on any earlier write to the
  /// file that was not made durable before, nor on a later `sync`: the caller must give up.
  Result<void> sync();

  Result<std::uint64_t> size() const;

  /// See Disk::allocate. Errors: kOutOfSpace
  Result<void> allocate(std::uint64_t bytes, NewSpace space = NewSpace::kZeroed);
  Result<void> truncate(std::uint64_t bytes);

  /// Locks the file until it is closed: see Disk::lock.
  ///
  /// Returns: false when somebody else holds it so that `mode` cannot be had
  Result<bool> lock(LockMode mode);

 private:
  friend class Mapping;
  File(Disk& disk, std::string path, Disk::Handle handle) noexcept;
  Error failure(std::string_view call, int error) const;
  Result<std::size_t> go_on_reading(std::uint64_t offset, std::span<char> to,
                                    std::size_t done) const;
  Result<void> expect_all(std::uint64_t offset, std::span<char> to, std::size_t bytes) const;
  Result<void> finish(const FileRead& read, ssize_t answer) const;

  Disk& disk_;
  const std::string path_;
  const Disk::Handle handle_;
};

/// The first bytes of a file as memory that outlives the process.
///
/// Where the disk cannot bring a page, or the file was cut short behind our back, an access does
/// not end the process: it goes into memory of its own, and the mapping is lost (fault_guard.h).
///
/// Lifetime: the disk must outlive it, the file need not.
class Mapping {
 public:
  /// Errors: kIo; kUnavailable  too many files are mapped
  static Result<std::unique_ptr<Mapping>> make(File& file, std::size_t bytes);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  char* begin() const noexcept { return address_; }
  std::size_t bytes() const noexcept { return bytes_; }

  /// Whether an access has not reached the file. Ask after the access that must have.
  bool is_lost() const noexcept { return guard_.is_lost(); }

 private:
  Mapping(Disk& disk, char* address, std::size_t bytes, FaultGuard guard) noexcept;

  Disk& disk_;
  char* const address_;
  const std::size_t bytes_;
  const FaultGuard guard_;
};

// Names. All errors as above.

Result<void> rename_file(Disk& disk, const std::string& from, const std::string& to);

/// Returns: false when there was no such file
Result<bool> remove_file(Disk& disk, const std::string& path);

/// Gives the file `from` the name `to` as well, in another directory (F11 of disk.h).
///
/// Returns: false when the two places cannot share a file, being on two file systems for instance
Result<bool> link_file(Disk& disk, const std::string& from, const std::string& to);

/// Makes the directory `path` and its name durable.
///
/// Returns: false when it existed already
Result<bool> make_directory(Disk& disk, const std::string& path);
Result<void> sync_directory(Disk& disk, const std::string& path);

/// The names in `path`, ascending.
Result<std::vector<std::string>> list_directory(Disk& disk, const std::string& path);

}  // namespace ashlar::os
