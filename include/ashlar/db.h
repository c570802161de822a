/// \file
/// The database. This header, those it includes, `ashlar/transaction.h` and `ashlar/atomic.h` are
/// the whole C++ API; `ashlar/c.h` is the C one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/backup.h"
#include "ashlar/expiry.h"
#include "ashlar/iterator.h"
#include "ashlar/options.h"
#include "ashlar/result.h"
#include "ashlar/snapshot.h"
#include "ashlar/stats.h"
#include "ashlar/value.h"
#include "ashlar/write_batch.h"

namespace ashlar {

namespace db {
struct Access;
class AtomicStep;
}  // namespace db

class ChangeStream;
class Transaction;

/// What may come between the reads and the commit of a transaction.
enum class Isolation : std::uint8_t {
  kSerializable,  ///< Nothing that it has read was written: as if one ran after the other.
  kSnapshot,      ///< Nothing that it writes was written. Two may each read what the other writes.
};

/// One open database: an ordered set of binary keys, each with one binary value and maybe a
/// deadline.
///
/// A key is 1 to `Options::key_bytes_max` bytes, a value 0 to `Options::value_bytes_max`, of any
/// content, NUL included. A key past its deadline is absent for every read from that moment on
/// (invariant T1), whether or not its memory has been reclaimed yet.
///
/// Errors common to all calls that return a `Result`, not repeated below:
///   kInvalidArgument  a key or value is outside its limits, named with its size
///   kOutOfSpace       the allocator of the process had no memory; nothing was changed. Memory that
///                     the system promised and then cannot provide is not an error that a process
///                     gets to see: keep the budget below what the machine has
///   kClosed           `close` was called before
/// A broken invariant of our own aborts the process; nothing else does.
///
/// With a directory every write takes a `Durability` and returns when it is that durable. It is
/// seen by reads a little earlier. Errors common to those writes:
///   kOutOfSpace       the disk is full; nothing was changed, and it works again by itself when
///                     there is space. Erasing and checkpoints go on longer, from a reserve
///   kUnavailable      a write to the log failed before: the database only answers reads. The one
///                     write that met the failure may have been applied, and may not survive
/// The process then also handles SIGBUS, for the one file of each database that is mapped: one that
/// cannot be reached is such a failure. Other SIGBUS go to the handler that was there before.
/// Without a directory the argument means nothing.
///
/// Threads:  every method may be called from any thread at the same time, except the destructor and
///           moving. A write is seen by all reads that begin after it returned. A batch is seen
///           whole or not at all (invariant C1).
/// Lifetime: a `Db` must outlive its snapshots and iterators.
class Db {
 public:
  /// Opens a database: empty and in memory or, with `Options::directory`, as the log there tells.
  ///
  /// Errors: kInvalidArgument  an option is outside its range, named with its value and range; or
  ///                           the directory is that of something else
  ///         kUnavailable      the system refuses address space for the budget, or a thread; or the
  ///                           directory is open elsewhere: names the process
  ///         kCorruption       what is stored is damaged: names the file and the offset
  ///         kOutOfSpace       the memory budget does not hold what is stored, or the disk is full
  ///         kIo               the system failed: names the file and the call
  /// Cost:   reserves address space, takes well under 1 MiB of memory, starts one thread that
  ///         sleeps while it has nothing to reclaim. With a directory: reads its log, writes up to
  ///         8 MiB, starts another thread.
  static Result<Db> open(const Options& options = {});

  Db(Db&& other) noexcept;
  Db& operator=(Db&& other) noexcept;
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;
  ~Db();

  /// Stores `value` under `key` until `expiry`, replacing any earlier value and expiry.
  ///
  /// Errors: kOutOfSpace  the memory budget is used up (and, under kEvict, nothing can make room)
  /// Cost:   two to three cache misses, one copy of the bytes, one bucket lock; no system call as a
  ///         rule, one in some thousands of calls when memory grows.
  Result<void> put(std::string_view key, std::string_view value, Expiry expiry = Expiry::never(),
                   Durability durability = Durability::kDisk);

  /// Reads the value of `key`, at the latest commit or at `snapshot`.
  ///
  /// Returns: a copy of the value, or nullopt when the key is absent
  /// Errors:  the common ones
  /// Cost:    two to three cache misses, one copy; no lock and no store to shared memory. Allocates
  ///          only for values above `Value::kInlineBytes`.
  Result<std::optional<Value>> get(std::string_view key, const Snapshot* snapshot = nullptr) const;

  /// Tells whether `key` is there. Cost: as `get`, without the copy.
  ///
  /// Errors: the common ones
  Result<bool> exists(std::string_view key, const Snapshot* snapshot = nullptr) const;

  /// Removes `key`.
  ///
  /// Returns: true when it was there
  /// Errors:  the common ones; erasing needs no room in the memory budget unless a snapshot still
  ///          sees the key, and then fails with kOutOfSpace if there is none
  Result<bool> erase(std::string_view key, Durability durability = Durability::kDisk);

  /// Gives the existing `key` a new deadline; `Expiry::never()` takes it away.
  ///
  /// Returns: true when the key was there
  /// Errors:  kOutOfSpace  the memory budget is used up
  Result<bool> expire(std::string_view key, Expiry expiry,
                      Durability durability = Durability::kDisk);

  /// Takes the deadline of `key` away.
  ///
  /// Returns: true when the key was there and had one
  /// Errors:  the common ones
  Result<bool> persist(std::string_view key, Durability durability = Durability::kDisk);

  /// Reads the deadline of `key`.
  ///
  /// Returns: nullopt when the key is absent; otherwise its deadline, maybe `Expiry::never()`
  /// Errors:  the common ones
  Result<std::optional<Expiry>> expiry_of(std::string_view key) const;

  /// Reads how long `key` still has.
  ///
  /// Returns: nullopt when the key is absent or never expires; otherwise 1 ms or more
  /// Errors:  the common ones
  Result<std::optional<std::chrono::milliseconds>> time_to_live(std::string_view key) const;

  /// Applies all operations of `batch` as one commit, in their order.
  ///
  /// Errors: kInvalidArgument  an operation is outside its limits (named by its index), or the
  ///                           batch is above kBatchBytesHardMax; nothing of it happened
  ///         kOutOfSpace       the memory budget is used up; nothing of it happened
  /// Cost:   as its operations, with their cache misses overlapped; holds their bucket locks
  ///         together while it installs them, some 50 ns an operation.
  Result<void> write(const WriteBatch& batch, Durability durability = Durability::kDisk);

  /// Reads several keys at one moment: no commit falls between any two of them.
  ///
  /// Returns: as many answers as keys, in the order of the keys; nullopt for an absent one
  /// Errors:  the common ones; the first key outside its limits, or that cannot be read from
  ///          the disk, fails the whole call
  /// Cost:    the cache misses of up to 16 keys overlap, which makes a key cheaper than
  ///          with `get`. Keys that are being overwritten all the time make it take a snapshot.
  ///          The disk engine reads blocks that are not in memory side by side, 32 keys at a time.
  Result<std::vector<std::optional<Value>>> multi_get(std::span<const std::string_view> keys,
                                                      const Snapshot* snapshot = nullptr) const;

  /// Opens a scan over `range`, at `snapshot` or at a new snapshot of its own.
  ///
  /// Errors: kOutOfSpace  the ordered side does not fit into the memory budget
  /// Cost:   the first scan after a long time without any builds the ordered side (about 0.5 µs and
  ///         60 bytes a key) while writers go on; from then on writes that add or remove keys keep
  ///         it up, until they have outgrown it with no further scan.
  Result<Iterator> scan(const Range& range = {}, const Snapshot* snapshot = nullptr) const;

  /// Takes a snapshot of the latest commit.
  ///
  /// Errors: the common ones
  /// Cost:   one short lock and one clock read.
  Result<Snapshot> snapshot() const;

  /// Begins a transaction: see ashlar/transaction.h.
  ///
  /// Errors: kOutOfSpace  the memory budget has no room for what transactions have in common,
  ///                      a twentieth of it, up to 12 MiB, taken once
  /// Cost:   as `snapshot`
  Result<Transaction> begin(Isolation isolation = Isolation::kSerializable);

  /// What the database holds and has done. Cost: a few microseconds; may be called often.
  ///
  /// Errors: the common ones
  Result<Stats> stats() const;

  /// Writes all keys to a checkpoint, beside writers, so that the log before it is given up and the
  /// next opening is quick; with Engine::kDisk what is in memory only, to tables. Happens by itself
  /// when the log has grown long; without a directory nothing happens.
  ///
  /// Errors: kOutOfSpace, kIo  the checkpoint was given up; the one before still counts
  ///         kUnavailable      a write to the log failed before
  /// Cost:   reads every key once, compresses and writes it; takes some MiB of memory
  Result<void> checkpoint();

  /// Merges all tables, beside writers, until what was replaced, erased or expired before the call
  /// takes no space in them. Happens by itself as far as it pays; with Engine::kMemory nothing
  /// happens. How far it is, `compact_done_bytes` of `stats` tells, which never goes back.
  ///
  /// Errors: as `checkpoint`; kCorruption  a table is damaged: names file and offset
  /// Cost:   reads and writes all that is stored
  Result<void> compact();

  /// Makes a backup in the directory `path`, beside writers: of every commit that was acknowledged
  /// before the call, and of a state that once was. One that is there already, of this database, is
  /// replaced when the new one is durable and not before; tables that it has are not copied again.
  /// `verify_backup` and `restore_backup` (ashlar/backup.h) take it from there.
  ///
  /// Errors: kInvalidArgument  `path` is neither empty nor a backup of this database, or inside of
  ///                           it; or there is no directory that could be backed up
  ///         kUnavailable      the backup is being read or written; or the log failed before
  ///         kCorruption       a table, or the backup before, is damaged: names file and offset
  ///         kOutOfSpace, kIo  the backup before still counts
  /// Cost:   a `checkpoint`; then files are linked where the file system can do that, and copied
  ///         otherwise, and those that the backup before has not are read
  Result<BackupReport> backup(const std::string& path, const BackupObserver& observer = {});

  /// Bytes that count against the memory budget now. Cost: one load.
  std::size_t approximate_memory() const noexcept;

  /// Ends the database: stops its threads, makes everything in the log durable, and makes every
  /// later call fail with kClosed. The content of a database in memory is gone with the `Db`
  /// object, which also keeps its directory locked until then.
  ///
  /// Errors: kBusy         snapshots or iterators are still held; nothing happened
  ///         kClosed       it was closed before
  ///         kUnavailable  the log could not be made durable; the database is closed all the same
  Result<void> close();

 private:
  friend struct db::Access;
  friend class ChangeStream;
  friend class db::AtomicStep;
  friend class Transaction;
  struct Impl;
  explicit Db(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;  // Never null, except in a moved-from Db.
};

}  // namespace ashlar
