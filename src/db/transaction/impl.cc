#include "db/transaction/impl.h"

#include <algorithm>
#include <string>

namespace ashlar {
namespace {

// Memory is taken from the budget in steps.
constexpr std::size_t kChargeBytes = std::size_t{16} << 10U;
// What a key takes in the sets beside its bytes.
constexpr std::size_t kWriteBytes = 160;
constexpr std::size_t kReadBytes = 16;
constexpr std::size_t kLockBytes = 160;
// As good as for ever, and no sum with it runs over.
constexpr std::chrono::milliseconds kLockLimitMax = std::chrono::hours(24 * 365);

Error conflict() noexcept {
  return Error::of_literal(ErrorCode::kConflict,
                           "another commit came between: run the transaction again");
}

Error lock_refusal(std::string_view key, txn::KeyLocks::Outcome outcome,
                   std::chrono::milliseconds limit) {
  const std::string shown = db::printable_key(key);
  if (outcome == txn::KeyLocks::Outcome::kDeadlock) {
    return {ErrorCode::kConflict, "deadlock: the holder of the lock of key " + shown +
                                      " waits for one that this transaction holds"};
  }
  ASHLAR_ASSERT(outcome == txn::KeyLocks::Outcome::kTimedOut, "a lock that is held is no error");
  return {ErrorCode::kBusy, "the lock of key " + shown + " was not free within " +
                                std::to_string(limit.count()) + " ms"};
}

}  // namespace

Result<void> Transaction::Impl::begin() {
  ASHLAR_ASSERT(!is_open && !has_snapshot, "a transaction begins once");
  ASHLAR_TRY(take_moment());
  is_open = true;
  return {};
}

/// The new one first: without any, `close` could succeed in between (D2).
Result<void> Transaction::Impl::take_moment() {
  ASHLAR_TRY_ASSIGN(const txn::Conflicts::Entered now, db.conflicts->enter());
  txn::Conflicts::Leaver leaver(*db.conflicts);
  ASHLAR_TRY_ASSIGN(const engine::View newest, db.engine->acquire_snapshot());
  leaver.stay();
  if (has_snapshot) {
    let_go_of_snapshot();
    db.conflicts->leave();
  }
  entered = now;
  view = newest;
  has_snapshot = true;
  return {};
}

void Transaction::Impl::let_go_of_snapshot() noexcept {
  if (std::exchange(has_snapshot, false)) db.engine->release_snapshot(view.sequence);
}

void Transaction::Impl::end() noexcept {
  if (!std::exchange(is_open, false)) return;
  ASHLAR_ASSERT(cursor_count == 0, "a transaction outlives its iterators");
  let_go_of_snapshot();
  db.conflicts->leave();
  locks.release();
  if (charged_bytes > 0) db.engine->give_back_memory(std::exchange(charged_bytes, 0));
}

Result<void> Transaction::Impl::charge(std::size_t bytes) {
  if (used_bytes + bytes > charged_bytes) {
    const std::size_t missing = used_bytes + bytes - charged_bytes;
    const std::size_t step = (missing + kChargeBytes - 1) / kChargeBytes * kChargeBytes;
    if (!db.engine->take_memory(step)) {
      return std::unexpected(
          Error(ErrorCode::kOutOfSpace, "the memory budget has no room for a transaction of " +
                                            std::to_string(used_bytes + bytes) + " bytes"));
    }
    charged_bytes += step;
  }
  used_bytes += bytes;
  return {};
}

Result<void> Transaction::Impl::charge_read(std::size_t bytes) {
  if (reads.count() >= kTransactionReadsMax) {
    return std::unexpected(Error(
        ErrorCode::kOutOfSpace, "the transaction has read " + std::to_string(kTransactionReadsMax) +
                                    " keys and ranges, the most that one may"));
  }
  return charge(bytes);
}

Result<void> Transaction::Impl::note_read(std::string_view key) {
  if (!validates_reads()) return {};
  ASHLAR_TRY(charge_read(kReadBytes));
  reads.add_key(entered.tables->keys.slot_of(key));
  return {};
}

Result<void> Transaction::Impl::note_write(const engine::Operation& operation) {
  const std::size_t bytes = operation.key.size() + operation.value.size();
  if (writes.bytes() + bytes > kBatchBytesHardMax) {
    return std::unexpected(Error(ErrorCode::kOutOfSpace,
                                 "the transaction would write more than the " +
                                     std::to_string(kBatchBytesHardMax) + " bytes that one may"));
  }
  ASHLAR_TRY(charge(bytes + kWriteBytes));
  writes.add(operation);
  return {};
}

Result<bool> Transaction::Impl::read(std::string_view key, Value* value,
                                     engine::TimeMs* deadline_ms) {
  if (const txn::PendingWrite* const own = writes.find(key)) {
    if (own->kind == engine::OperationKind::kErase) return false;
    if (value != nullptr) value->assign(own->value);
    if (deadline_ms != nullptr) *deadline_ms = own->deadline_ms;
    return true;
  }
  ASHLAR_TRY(note_read(key));
  has_read = true;
  return db.engine->get(key, view, value, deadline_ms);
}

Result<bool> Transaction::Impl::move_deadline(std::string_view key, engine::TimeMs deadline_ms,
                                              engine::TimeMs& before_ms) {
  Value value;
  ASHLAR_TRY_ASSIGN(const bool is_there, read(key, &value, &before_ms));
  if (!is_there) return false;
  ASHLAR_TRY(note_write({.key = key, .value = value.view(), .deadline_ms = deadline_ms}));
  return true;
}

Result<void> Transaction::Impl::lock(std::string_view key, std::chrono::milliseconds limit) {
  if (locks.holds(key)) return {};
  const std::size_t bytes = key.size() + kLockBytes;
  ASHLAR_TRY(charge(bytes));
  limit = std::clamp(limit, std::chrono::milliseconds::zero(), kLockLimitMax);
  const auto until = limit == std::chrono::milliseconds::zero()
                         ? txn::KeyLocks::kAtOnce
                         : std::chrono::steady_clock::now() + limit;
  const auto outcome = locks.lock(key, until);
  if (outcome != txn::KeyLocks::Outcome::kHeld) {
    ASHLAR_ASSERT(used_bytes >= bytes, "what was charged is in use");
    used_bytes -= bytes;
    return std::unexpected(lock_refusal(key, outcome, limit));
  }
  return is_fresh() ? take_moment() : Result<void>();
}

/// The snapshot goes first: what is committed then need not keep what only it has seen.
Result<void> Transaction::Impl::commit(std::span<const engine::Operation> operations,
                                       Durability durability) {
  if (operations.empty()) return {};
  const bool is_erase =
      operations.size() == 1 && operations.front().kind == engine::OperationKind::kErase;
  if (is_erase) {
    // Of a key that only the transaction had put: then it has written nothing.
    ASHLAR_TRY_ASSIGN(const bool was_there,
                      db.engine->get(operations.front().key, view, nullptr, nullptr));
    if (!was_there) return db.make_shown_durable(durability);
  }
  ASHLAR_TRY_ASSIGN(const auto old_values, db.old_values_of(operations, view));
  let_go_of_snapshot();
  // What is told as old has to be what was there: nobody else may have written it.
  const bool are_writes_free = validates_reads() && old_values.empty();
  txn::Validation validation(
      {.conflicts = *db.conflicts,
       .entered = entered,
       .reads = reads,
       .snapshot = view.sequence,
       .writes = are_writes_free ? txn::Validation::Writes::kFree
                                 : txn::Validation::Writes::kFirstCommitterWins},
      operations);
  const auto applied = db.apply(operations, durability, &validation, old_values);
  if (!validation.was_good()) return std::unexpected(conflict());
  if (!applied) return std::unexpected(applied.error());
  // An erase alone that finds nothing is no commit, and nobody was asked.
  if (is_erase && *applied == 0) return std::unexpected(conflict());
  return {};
}

}  // namespace ashlar
