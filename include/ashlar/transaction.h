/// \file
/// Several reads and writes as one: all of them at one moment, or none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "ashlar/db.h"

namespace ashlar {

/// The most keys and ranges that one transaction may read at Isolation::kSerializable.
inline constexpr std::size_t kTransactionReadsMax = std::size_t{1} << 20U;

/// A transaction: reads see the database as it was when it began, and its own writes over that.
/// Nobody else sees a write before `commit`, which makes all of them visible as one commit.
///
/// Nothing waits for a transaction, and it waits for nobody unless it asks to (`lock`). If another
/// commit comes between that it must not come after, `commit` fails with kConflict and nothing has
/// happened: run it again from its beginning, as `transact` does. One that has written nothing
/// never conflicts.
///
/// What may have been read is a key, by whatever call, and of a range what its iterator has passed,
/// keys that were not there included. Of keys that share a hash one may stand for another: then a
/// conflict is told that is none, about once in a million reads for each commit beside. A scan is
/// in doubt, and told of one, when 65,536 keys were written since the transaction began (fewer
/// under a memory budget below 256 MiB).
///
/// Errors common to all calls that return a `Result`: those of `Db`, and
///   kUnavailable  the transaction is over
///   kOutOfSpace   the memory budget has no room for what it has written or read; or more than
///                 kBatchBytesHardMax was written, or more than kTransactionReadsMax read. It can
///                 still be committed or rolled back as it was
///
/// Threads:  externally synchronised.
/// Lifetime: must not outlive its `Db`, nor its iterators it. One that goes is rolled back. While
///           it lives it holds a snapshot.
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // As the calls of `Db` with these names, but at the transaction's moment. Deadlines are judged by
  // the time at which it began; one that is given begins to count now.

  /// Errors: the common ones
  Result<std::optional<Value>> get(std::string_view key);
  /// Errors: the common ones
  Result<bool> exists(std::string_view key);
  /// Errors: the common ones
  Result<void> put(std::string_view key, std::string_view value, Expiry expiry = Expiry::never());
  /// Errors: the common ones
  Result<bool> erase(std::string_view key);
  /// Errors: the common ones
  Result<bool> expire(std::string_view key, Expiry expiry);
  /// Errors: the common ones
  Result<bool> persist(std::string_view key);

  /// Opens a scan over `range` that sees what was written before it was opened.
  ///
  /// Errors: the common ones; those of `Db::scan`
  Result<Iterator> scan(const Range& range = {});

  /// A moment to roll back to.
  using Savepoint = std::size_t;
  Savepoint savepoint() const noexcept;

  /// Undoes what was written since `savepoint`, which stays. What was read stays read.
  ///
  /// Errors: kInvalidArgument  a rollback to an earlier one has undone the savepoint itself
  Result<void> rollback_to(Savepoint savepoint);

  /// Asks to be the only one at work on `key`, where many would make each other run again: waits
  /// until no other transaction holds this lock, in the order of asking, and holds it until this
  /// one ends; a rollback to a savepoint keeps it. Only those who ask wait for it: other reads and
  /// writes of the key go on as ever, and `commit` finds out. To ask again for what it holds does
  /// nothing. A transaction that has neither read nor written anything sees the database as it is
  /// when it gets the lock, and so what the one before has committed.
  ///
  /// Input:  limit  how long to wait at most; zero: not at all
  /// Errors: kConflict  "deadlock: ...", at once: the holder of the lock waits for one that this
  ///                    transaction holds, maybe over others. It goes on without the lock, and the
  ///                    others wait until it ends: roll it back, as `transact` does
  ///         kBusy      the limit passed: names the key; it goes on without this lock
  /// Cost:   one short mutex that all locks of the database share, and a moment as `begin` takes.
  ///         `commit` lets go of it before it waits for the disk
  Result<void> lock(std::string_view key,
                    std::chrono::milliseconds limit = std::chrono::seconds(1));

  /// Makes all that was written visible, and ends the transaction unless iterators are held.
  ///
  /// Errors: kConflict    another commit came between; nothing happened, and it is over
  ///         kBusy        iterators of it are held; it goes on
  ///         others       as `Db::write`; the transaction is over
  /// Cost:   as `Db::write`, and a miss for each key read, all at once; for scanned ranges a look
  ///         at each key that was written since the transaction began
  Result<void> commit(Durability durability = Durability::kDisk);

  /// Ends the transaction; nothing has happened. Iterators of it must be gone (asserted).
  void rollback() noexcept;

 private:
  friend class Db;
  friend class db::AtomicStep;
  struct Impl;
  explicit Transaction(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;  // Null in a moved-from one.
};

/// How `transact` goes about it.
struct TransactOptions {
  Isolation isolation = Isolation::kSerializable;
  Durability durability = Durability::kDisk;

  /// How often it is run at most. Range: 1 and more. Default: 1000.
  std::size_t run_count_max = 1000;
};

/// Runs `body` in a transaction and commits it; in a new one as long as the outcome is a conflict,
/// after a pause of random length that grows up to 10 ms. `body` must have no effect but through
/// its transaction, and neither commits nor ends it.
///
/// Returns: how often it was run, 1 without a conflict
/// Errors:  those of `body`, and then nothing has happened; those of `commit`, kConflict only after
///          `run_count_max` runs
Result<std::size_t> transact(Db& db, const std::function<Result<void>(Transaction&)>& body,
                             const TransactOptions& options = {});

}  // namespace ashlar
