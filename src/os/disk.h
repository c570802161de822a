/// \file
/// The calls that reach storage, one virtual function each, so that tests can own the disk: cut its
/// power, tear its writes, and let any call fail. `File` and `Directory` (file.h) are what the rest
/// of the house uses; they loop over short counts, retry EINTR and word the errors.
///
/// Implementations: PosixDisk (the system), SimulatedDisk (memory, with power cuts), FaultyDisk
/// (around any other, fails chosen calls).
///
/// Invariants (of every implementation, as far as the machine keeps its promises):
///   F1  Bytes that were in a file when `sync` began survive a power cut once it has returned 0.
///   F2  A write through a handle opened with kDurable survives a power cut once it has returned.
///   F3  A name that was created, renamed or removed before `sync_directory` of its directory began
///       is so after a power cut once that has returned 0.
///   F4  After a power cut each 512-byte sector that was written and not made durable holds its old
///       or its new content, whichever, independent of all others.
///   F11 A link is one more name of the same file: what is written or made durable by one name is
///       so by all, and the file is there until the last of them is removed. The name is durable as
///       F3 says, by a sync of its own directory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ashlar::os {

/// Offset, length and address of a read or write through a kDurable handle are multiples of this,
/// in bytes.
inline constexpr std::size_t kBlockBytes = 4096;

enum class OpenMode : std::uint8_t {
  kRead,       ///< Of an existing file.
  kReadHere,   ///< As kRead, for short reads in no order: no more is read than is asked for.
  kReadWrite,  ///< Of an existing file, through the page cache.
  kCreate,     ///< As kReadWrite, of a file that does not exist yet (-EEXIST otherwise).
  kDurable,    ///< Of an existing file: a write is on the disk when it returns, past the cache.
};

enum class LockMode : std::uint8_t {
  kAlone,   ///< Against every other handle.
  kShared,  ///< Against those that lock it alone.
};

/// What is done beforehand about space that a file gets.
enum class NewSpace : std::uint8_t {
  kZeroed,   ///< Zeros are written, as many bytes; a later write then changes content and no more.
  kSetAside  ///< It is there, and the first write to each part has the file system note that.
};

/// One of several reads that are asked for together.
struct ReadPart {
  int handle = -1;
  char* to = nullptr;
  std::size_t bytes = 0;
  std::uint64_t offset = 0;
  ssize_t result = 0;  ///< What `read` would return for it.
};

/// Storage, call by call. Every function returns a negative errno on failure, like -EIO.
///
/// Threads: thread-safe, calls on one handle included; not `close` beside a call on the same
/// handle.
class Disk {
 public:
  using Handle = int;

  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  /// Returns: a handle; -ENOENT when there is no such file
  virtual Handle open(const std::string& path, OpenMode mode) = 0;
  virtual int close(Handle handle) = 0;

  /// Returns: how many bytes were read, possibly fewer than asked for; 0 at the end of the file
  virtual ssize_t read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) = 0;

  /// Reads all of `parts`, side by side where the disk can. Each gets a result of its own, whatever
  /// befalls the others; one of -EAGAIN or -EINTR was not read and may be asked for again.
  virtual void read_many(std::span<ReadPart> parts) {
    for (ReadPart& part : parts) part.result = read(part.handle, part.to, part.bytes, part.offset);
  }

  /// Tells that this part of the file is read soon. A hint: nothing fails, nobody waits.
  virtual void read_ahead(Handle handle, std::size_t bytes, std::uint64_t offset) {
    (void)handle, (void)bytes, (void)offset;
  }

  /// Returns: how many bytes were written, possibly fewer than given
  virtual ssize_t write(Handle handle, const char* from, std::size_t bytes,
                        std::uint64_t offset) = 0;

  /// Makes content and length of the file durable.
  virtual int sync(Handle handle) = 0;

  /// Returns: the length of the file
  virtual std::int64_t size(Handle handle) = 0;

  /// Makes the file at least `bytes` long with space for all of them: what is new reads as zero,
  /// and no write below `bytes` fails for want of space.
  virtual int allocate(Handle handle, std::uint64_t bytes, NewSpace space) = 0;

  virtual int truncate(Handle handle, std::uint64_t bytes) = 0;

  /// Maps the first `bytes` of the file, shared: what is stored there outlives the process.
  ///
  /// Returns:  0, with the address in `address`
  /// Lifetime: until `unmap`, which may come after `close`
  virtual int map(Handle handle, std::size_t bytes, char** address) = 0;
  virtual int unmap(char* address, std::size_t bytes) = 0;

  /// Locks the file against other handles, in this process or another, until it is closed. One that
  /// has it locked may do so again in the same mode.
  ///
  /// Returns: -EWOULDBLOCK when somebody else holds it so that `mode` cannot be had
  virtual int lock(Handle handle, LockMode mode) = 0;

  /// Renames within one file system, replacing `to` at once.
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int remove(const std::string& path) = 0;

  /// Gives the file `from` the name `to` as well, in another directory (F11).
  ///
  /// Returns: -EEXIST when there is something of that name already; -EXDEV, -EPERM, -EMLINK,
  ///          -EOPNOTSUPP or -ENOSYS where the two places cannot share a file
  virtual int link(const std::string& from, const std::string& to) = 0;

  /// Returns: -EEXIST when there is something of that name already
  virtual int make_directory(const std::string& path) = 0;
  virtual int sync_directory(const std::string& path) = 0;

  /// Puts the names in the directory into `names`, without "." and "..", in no order.
  virtual int list(const std::string& path, std::vector<std::string>& names) = 0;
};

}  // namespace ashlar::os
