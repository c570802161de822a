/// \file
/// A disk in memory whose power can be cut. It keeps F1 to F4 (disk.h) and nothing beyond: what a
/// program did not make durable, a power cut may take.
///
///     SimulatedDisk       handles, locks, mappings; which call is the last
///     SimulatedDirectory  which names are durable
///     SimulatedFile       which sectors and which length are durable
///
/// A test runs a program on it, stops it before some call, damages it in some way and has the
/// program recover; `clone` allows many kinds of damage to one state.
///
/// Invariants:
///   F8  A call changes nothing once the disk has stopped, and neither does a store to a mapping.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_safety.h"
#include "os/disk.h"
#include "os/power_cut.h"
#include "os/simulated_directory.h"
#include "os/simulated_file.h"

namespace ashlar::os {

/// Paths are names between slashes, with or without one in front; "." and ".." have no meaning. A
/// file has up to SimulatedFile::kBytesMax bytes; a name changes inside one directory, and a link
/// leads into another (-EXDEV otherwise).
///
/// Threads: thread-safe.
class SimulatedDisk final : public Disk {
 public:
  SimulatedDisk();

  // Disk. Errors are those of the system. Reads and writes through a kDurable handle that are not
  // of whole blocks answer -EINVAL, as they do on many drives.

  Handle open(const std::string& path, OpenMode mode) override;

  /// Does what it says on a stopped disk too, as does `unmap`: neither reaches storage.
  int close(Handle handle) override;
  ssize_t read(Handle handle, char* to, std::size_t bytes, std::uint64_t offset) override;
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override;
  int sync(Handle handle) override;
  std::int64_t size(Handle handle) override;
  int allocate(Handle handle, std::uint64_t bytes, NewSpace space) override;
  int truncate(Handle handle, std::uint64_t bytes) override;

  /// The memory is that of the file itself, and stays what it is while the file grows into it.
  ///
  /// Lifetime: until `unmap`, and no longer than the disk. After a stop, a crash or a power cut it
  ///           is still memory, but no longer that of the file.
  int map(Handle handle, std::size_t bytes, char** address) override;
  int unmap(char* address, std::size_t bytes) override;
  int lock(Handle handle, LockMode mode) override;
  int rename(const std::string& from, const std::string& to) override;
  int remove(const std::string& path) override;
  int link(const std::string& from, const std::string& to) override;
  int make_directory(const std::string& path) override;
  int sync_directory(const std::string& path) override;
  int list(const std::string& path, std::vector<std::string>& names) override;

  // What befalls the machine. No handle is valid afterwards, no lock is held, a disk that had
  // stopped goes on.

  /// The process dies. Whatever it wrote is there, durable or not.
  void crash_process();

  /// The machine dies. What is left is durable; `seed` decides where `how` leaves it to chance.
  void cut_power(PowerCut how, std::uint64_t seed);

  // What a test sets up. None of this counts as a call.

  /// How many calls were made: all but `close` and `unmap`, and those that a stopped disk refused.
  std::uint64_t call_count() const;

  /// Stops before the call that makes `call_count` more than `call`: it and all later ones answer
  /// -EIO and change nothing. Of a write that is stopped so, a power cut may leave a part.
  void stop_before(std::uint64_t call);
  bool has_stopped() const;

  /// Lets all files together grow to `bytes`, then answers -ENOSPC. May be below what they have.
  void set_space_limit(std::uint64_t bytes);

  /// See SimulatedFile::drop_dirty. Returns: -EBADF for a handle that is not open
  int drop_dirty(Handle handle);

  /// The content of a file, which must exist.
  std::string read_all(const std::string& path) const;

  /// Damages a file, which must exist and be that long: readers and medium have `bytes` at
  /// `offset`.
  void overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes);

  /// A disk in the same state, its calls counted from 0; it has not stopped, and no handle is open.
  ///
  /// Cost: copies all pages that were ever written
  std::unique_ptr<SimulatedDisk> clone() const;

  /// Aborts unless F5 to F7 hold for all files and directories.
  void check() const;

 private:
  struct OpenFile {
    std::shared_ptr<SimulatedFile> file;
    OpenMode mode;
  };
  // Where a name stands or would stand. No directory: there is none for it.
  struct Place {
    SimulatedDirectory* directory;
    std::string name;
  };
  struct Mapped {
    std::shared_ptr<SimulatedFile> file;  // Null once the memory is no longer that of the file.
    SimulatedFile::Memory memory;
  };

  // One that holds it alone, or all that share it; never empty.
  struct Lock {
    LockMode mode;
    std::set<Handle> holders;
  };

  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  bool begin_call_locked() ASHLAR_REQUIRES(mutex_);
  void turn_off_locked() ASHLAR_REQUIRES(mutex_);
  void detach_mappings_locked() ASHLAR_REQUIRES(mutex_);
  OpenFile* find_open_locked(Handle handle) ASHLAR_REQUIRES(mutex_);
  OpenFile* find_writable_locked(Handle handle) ASHLAR_REQUIRES(mutex_);
  Handle add_handle_locked(std::shared_ptr<SimulatedFile> file, OpenMode mode)
      ASHLAR_REQUIRES(mutex_);
  Place find_place_locked(const std::string& path) const ASHLAR_REQUIRES(mutex_);
  SimulatedDirectory* find_directory_locked(const std::string& path) const ASHLAR_REQUIRES(mutex_);
  std::shared_ptr<SimulatedFile> find_file_locked(const std::string& path) const
      ASHLAR_REQUIRES(mutex_);
  std::uint64_t room_locked() const ASHLAR_REQUIRES(mutex_);
  std::size_t writable_bytes_locked(const OpenFile& open, std::uint64_t offset,
                                    std::size_t bytes) const ASHLAR_REQUIRES(mutex_);
  int resize_locked(OpenFile* open, std::uint64_t bytes) ASHLAR_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  std::shared_ptr<SimulatedDirectory> root_ ASHLAR_GUARDED_BY(mutex_);
  // What the process has of the disk, gone when it dies.
  std::map<Handle, OpenFile> handles_ ASHLAR_GUARDED_BY(mutex_);
  Handle next_handle_ ASHLAR_GUARDED_BY(mutex_) = 100;  // Never used twice.
  std::map<const SimulatedFile*, Lock> locks_ ASHLAR_GUARDED_BY(mutex_);
  std::multimap<char*, Mapped> mappings_ ASHLAR_GUARDED_BY(mutex_);
  // What the test has set up; `call_count_` goes on through crashes and power cuts.
  std::uint64_t call_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  std::uint64_t stop_before_ ASHLAR_GUARDED_BY(mutex_) = kNever;
  bool has_stopped_ ASHLAR_GUARDED_BY(mutex_) = false;
  std::uint64_t space_bytes_max_ ASHLAR_GUARDED_BY(mutex_) = kNever;
};

}  // namespace ashlar::os
