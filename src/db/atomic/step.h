/// \file
/// One key, looked at and then written as one step.
///
///     look --> finish --> done
///      ^         |
///      +---------+  another write came between
///
/// The first tries take their chance. After those a step takes the lock of its key and keeps it, so
/// that of those who have failed one is at it, while the others wait in a queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "ashlar/db.h"
#include "ashlar/value.h"
#include "db/transaction/impl.h"
#include "engine/operation.h"
#include "txn/key_locks.h"

namespace ashlar::db {

/// Threads:  externally synchronised.
/// Lifetime: the database and the key outlive it.
class AtomicStep {
 public:
  struct Seen {
    bool is_there = false;
    Value value;                                  // Means something when it is there,
    engine::TimeMs deadline_ms = engine::kNever;  // as this does.
  };

  AtomicStep(Db& db, std::string_view key, Durability durability) noexcept
      : db_(*db.impl_), key_(key), durability_(durability), locks_(db_.key_locks) {}
  AtomicStep(const AtomicStep&) = delete;
  AtomicStep& operator=(const AtomicStep&) = delete;

  /// How often a step looks before it asks for the lock, and how long it waits then: the holder may
  /// be a transaction that takes its time, or waits for this very call.
  static constexpr int kTriesWithoutLock = 3;
  static constexpr std::chrono::milliseconds kLockWaitMax{10};

  /// Looks at the key as it is now.
  ///
  /// Errors: kClosed, kInvalidArgument  as for all calls
  ///         kOutOfSpace, kUnavailable  as `Db::begin`
  ///         others                     as `Db::get`
  Result<void> look();

  const Seen& seen() const noexcept { return seen_; }

  /// Errors: kClosed, kInvalidArgument
  Result<void> check_value(std::string_view value) const;
  std::size_t value_bytes_max() const noexcept { return db_.options.value_bytes_max; }

  // What the key may become.
  engine::Operation put_of(std::string_view value, Expiry expiry) const {
    return db_.put_of(key_, value, expiry);
  }
  engine::Operation put_keeping_deadline(std::string_view value) const noexcept;
  engine::Operation erase() const noexcept;

  /// Commits `write` to the key that was looked at, and waits until it, or what was seen, is as
  /// durable as was asked. Without `write`, or where that changes nothing, the key stays as it was.
  ///
  /// Returns: true; false when another write came between: nothing happened, look again
  /// Errors:  those of `Db::write`
  Result<bool> finish(const std::optional<engine::Operation>& write);

 private:
  Db::Impl& db_;
  const std::string_view key_;
  const Durability durability_;

  Seen seen_;
  int try_count_ = 0;
  txn::KeyLocks::Holder locks_;                   // Apart from the transaction: over all tries.
  std::optional<Transaction::Impl> transaction_;  // From `look` to `finish`.
};

}  // namespace ashlar::db
