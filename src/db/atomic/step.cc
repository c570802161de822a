// A transaction at Isolation::kSnapshot validates what it writes, which is all that a step has
// read. What it writes does not go through the transaction's set: that would be one more copy.

#include "db/atomic/step.h"

#include <algorithm>
#include <span>

namespace ashlar::db {

Result<void> AtomicStep::look() {
  transaction_.reset();
  ASHLAR_TRY(db_.check_key(key_));
  if (try_count_ < kTriesWithoutLock) {
    ++try_count_;
  } else if (locks_.is_empty()) {
    // Without it the step goes on as before.
    (void)locks_.lock(key_, std::chrono::steady_clock::now() + kLockWaitMax);
  }
  transaction_.emplace(db_, Isolation::kSnapshot);
  ASHLAR_TRY(transaction_->begin());
  if (!db_.is_open_for_holders()) return std::unexpected(closed());
  seen_.deadline_ms = engine::kNever;
  ASHLAR_TRY_ASSIGN(seen_.is_there, transaction_->read(key_, &seen_.value, &seen_.deadline_ms));
  return {};
}

Result<void> AtomicStep::check_value(std::string_view value) const {
  if (db_.accepts_write(key_, value)) return {};
  return std::unexpected(db_.write_refusal(key_, value));
}

engine::Operation AtomicStep::put_keeping_deadline(std::string_view value) const noexcept {
  return {.key = key_,
          .value = value,
          .deadline_ms = seen_.is_there ? seen_.deadline_ms : engine::kNever};
}

engine::Operation AtomicStep::erase() const noexcept {
  return {.kind = engine::OperationKind::kErase, .key = key_, .value = {}};
}

/// With the lock the commit shows first, and the next in the queue goes on while this waits for the
/// disk; so they share one write of the log.
Result<bool> AtomicStep::finish(const std::optional<engine::Operation>& write) {
  ASHLAR_ASSERT(transaction_.has_value(), "a step looks before it finishes");
  const bool has_lock = !locks_.is_empty();
  const bool changes = write && (seen_.is_there || write->kind != engine::OperationKind::kErase);
  if (changes) {
    ASHLAR_ASSERT(write->key == key_, "a step writes the key that it has looked at");
    const Durability now = has_lock ? std::min(durability_, Durability::kProcess) : durability_;
    const auto committed = transaction_->commit(std::span(&*write, 1), now);
    if (!committed && committed.error().code() == ErrorCode::kConflict) return false;
    if (!committed) return std::unexpected(committed.error());
  }
  transaction_.reset();
  locks_.release();
  if (!changes || has_lock) ASHLAR_TRY(db_.make_shown_durable(durability_));
  return true;
}

}  // namespace ashlar::db
