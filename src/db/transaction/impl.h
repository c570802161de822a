/// \file
/// What a `Transaction` consists of.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "ashlar/transaction.h"
#include "db/impl.h"
#include "txn/key_locks.h"
#include "txn/read_set.h"
#include "txn/write_set.h"

namespace ashlar {

/// Of a transaction that is not over there is a snapshot, and it has entered `conflicts`.
struct Transaction::Impl {
  /// May throw std::bad_alloc.
  Impl(Db::Impl& its_db, Isolation its_isolation) : db(its_db), isolation(its_isolation) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { end(); }

  Result<void> begin();
  /// Lets go of the moment, what was charged and the locks.
  void end() noexcept;
  /// Takes the newest moment; lets go of the one before, if there is one.
  Result<void> take_moment();
  void let_go_of_snapshot() noexcept;

  bool validates_reads() const noexcept { return isolation == Isolation::kSerializable; }

  /// Errors: kUnavailable, kClosed, kInvalidArgument
  Result<void> check(std::string_view key) const {
    ASHLAR_TRY(check_open());
    return db.check_key(key);
  }
  Result<void> check_open() const {
    if (is_open) [[likely]]
      return {};
    return std::unexpected(Error::of_literal(ErrorCode::kUnavailable, "the transaction is over"));
  }

  /// Takes what one write or read more needs.
  ///
  /// Errors: kOutOfSpace
  Result<void> charge(std::size_t bytes);
  /// The same for a key or a range more.
  Result<void> charge_read(std::size_t bytes);
  Result<void> note_read(std::string_view key);
  Result<void> note_write(const engine::Operation& operation);

  /// Reads `key`: own writes first.
  Result<bool> read(std::string_view key, Value* value, engine::TimeMs* deadline_ms);
  Result<bool> move_deadline(std::string_view key, engine::TimeMs deadline_ms,
                             engine::TimeMs& before_ms);

  /// Whether nothing rests on its moment yet.
  bool is_fresh() const noexcept { return !has_read && writes.rows().empty(); }

  /// Waits for the lock of `key`. A fresh one takes a new moment then.
  ///
  /// Errors: kConflict, kBusy  as `Transaction::lock`
  ///         kOutOfSpace
  Result<void> lock(std::string_view key, std::chrono::milliseconds limit);

  /// Commits `operations`: at Isolation::kSnapshot a conflict when one of their keys was written
  /// since the moment, and also when what was noted as read was.
  ///
  /// Errors: kConflict; those of `Db::Impl::apply`
  Result<void> commit(std::span<const engine::Operation> operations, Durability durability);

  Db::Impl& db;
  const Isolation isolation;
  bool is_open = false;
  bool has_snapshot = false;
  bool has_read = false;  // Anything but what it has written.
  txn::Conflicts::Entered entered;
  engine::View view;
  txn::ReadSet reads;
  txn::WriteSet writes;
  txn::KeyLocks::Holder locks{db.key_locks};
  std::size_t cursor_count = 0;
  std::size_t charged_bytes = 0;  // Taken from the budget,
  std::size_t used_bytes = 0;     // and of those in use.
};

}  // namespace ashlar
