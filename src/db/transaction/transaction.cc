#include "ashlar/transaction.h"

#include <string>
#include <utility>
#include <vector>

#include "db/impl.h"
#include "txn/overlay_cursor.h"
#include "txn/read_set.h"
#include "txn/write_set.h"

namespace ashlar {
namespace {

// Memory is taken from the budget in steps.
constexpr std::size_t kChargeBytes = std::size_t{16} << 10U;
// What a key takes in the sets beside its bytes.
constexpr std::size_t kWriteBytes = 160;
constexpr std::size_t kReadBytes = 16;
constexpr std::size_t kRangeBytes = 256;

Error conflict() noexcept {
  return Error::of_literal(ErrorCode::kConflict,
                           "another commit came between: run the transaction again");
}

}  // namespace

/// Of a transaction that is not over there is a snapshot, and it has entered `conflicts`.
struct Transaction::Impl {
  Impl(Db::Impl& its_db, Isolation its_isolation) noexcept : db(its_db), isolation(its_isolation) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { end(); }

  Result<void> begin();
  void end() noexcept;
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

  Result<void> commit(Durability durability);

  Db::Impl& db;
  const Isolation isolation;
  bool is_open = false;
  bool has_snapshot = false;
  txn::Conflicts::Entered entered;
  engine::View view;
  txn::ReadSet reads;
  txn::WriteSet writes;
  std::size_t cursor_count = 0;
  std::size_t charged_bytes = 0;  // Taken from the budget,
  std::size_t used_bytes = 0;     // and of those in use.
};

Result<void> Transaction::Impl::begin() {
  ASHLAR_TRY_ASSIGN(entered, db.conflicts->enter());
  auto taken = db.engine->acquire_snapshot();
  if (!taken) {
    db.conflicts->leave();
    return std::unexpected(taken.error());
  }
  view = *taken;
  is_open = has_snapshot = true;
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

/// The snapshot goes first: what is committed then need not keep what only it has seen.
Result<void> Transaction::Impl::commit(Durability durability) {
  const std::vector<engine::Operation> operations = writes.operations();
  if (operations.empty()) return {};
  const bool is_erase =
      operations.size() == 1 && operations.front().kind == engine::OperationKind::kErase;
  if (is_erase) {
    // Of a key that only the transaction had put: then it has written nothing.
    ASHLAR_TRY_ASSIGN(const bool was_there,
                      db.engine->get(operations.front().key, view, nullptr, nullptr));
    if (!was_there) return {};
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

Transaction::Transaction(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {
  ASHLAR_ASSERT(impl_ != nullptr, "a transaction is made around something");
}
Transaction::Transaction(Transaction&& other) noexcept = default;
Transaction& Transaction::operator=(Transaction&& other) noexcept = default;
Transaction::~Transaction() = default;

Result<Transaction> Db::begin(Isolation isolation) {
  return db::at_border([&]() -> Result<Transaction> {
    if (impl_->is_closed()) return std::unexpected(db::closed());
    auto impl = std::make_unique<Transaction::Impl>(*impl_, isolation);
    ASHLAR_TRY(impl->begin());
    if (!impl_->is_open_for_holders()) return std::unexpected(db::closed());
    return Transaction(std::move(impl));
  });
}

Result<std::optional<Value>> Transaction::get(std::string_view key) {
  return db::at_border([&]() -> Result<std::optional<Value>> {
    ASHLAR_TRY(impl_->check(key));
    Result<std::optional<Value>> result(std::in_place, std::in_place);
    ASHLAR_TRY_ASSIGN(const bool is_there, impl_->read(key, &**result, nullptr));
    if (!is_there) result->reset();
    return result;
  });
}

Result<bool> Transaction::exists(std::string_view key) {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check(key));
    return impl_->read(key, nullptr, nullptr);
  });
}

Result<void> Transaction::put(std::string_view key, std::string_view value, Expiry expiry) {
  return db::at_border([&]() -> Result<void> {
    ASHLAR_TRY(impl_->check_open());
    if (!impl_->db.accepts_write(key, value)) {
      return std::unexpected(impl_->db.write_refusal(key, value));
    }
    return impl_->note_write(impl_->db.put_of(key, value, expiry));
  });
}

/// What is not there need not be erased: that it is not is what the commit rests on.
Result<bool> Transaction::erase(std::string_view key) {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check(key));
    ASHLAR_TRY_ASSIGN(const bool is_there, impl_->read(key, nullptr, nullptr));
    if (!is_there) return false;
    ASHLAR_TRY(impl_->note_write({.kind = engine::OperationKind::kErase, .key = key, .value = {}}));
    return true;
  });
}

Result<bool> Transaction::expire(std::string_view key, Expiry expiry) {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check(key));
    const engine::TimeMs now_ms = impl_->db.clock.now_ms();
    const engine::TimeMs deadline_ms = expiry.resolve_ms(now_ms);
    if (deadline_ms <= now_ms) return erase(key);  // Gone at once.
    engine::TimeMs before_ms = engine::kNever;
    return impl_->move_deadline(key, deadline_ms, before_ms);
  });
}

Result<bool> Transaction::persist(std::string_view key) {
  return db::at_border([&]() -> Result<bool> {
    ASHLAR_TRY(impl_->check(key));
    engine::TimeMs before_ms = engine::kNever;
    ASHLAR_TRY_ASSIGN(const bool is_there, impl_->read(key, nullptr, &before_ms));
    if (!is_there || before_ms == engine::kNever) return false;
    return impl_->move_deadline(key, engine::kNever, before_ms);
  });
}

Result<Iterator> Transaction::scan(const Range& range) {
  return db::at_border([&]() -> Result<Iterator> {
    ASHLAR_TRY(impl_->check_open());
    if (impl_->db.is_closed()) return std::unexpected(db::closed());
    txn::PassedRange* passed = nullptr;
    ASHLAR_TRY_ASSIGN(auto below, impl_->db.engine->scan(range, impl_->view));
    if (impl_->validates_reads()) {
      ASHLAR_TRY(impl_->charge_read(kRangeBytes));
      passed = &impl_->reads.add_range();
    }
    return Iterator(std::make_unique<txn::OverlayCursor>(
        txn::OverlayCursor::World{
            .range = range, .passed = passed, .open_count = &impl_->cursor_count},
        std::move(below), impl_->writes));
  });
}

Transaction::Savepoint Transaction::savepoint() const noexcept {
  return impl_->writes.mark();
}

Result<void> Transaction::rollback_to(Savepoint savepoint) {
  ASHLAR_TRY(impl_->check_open());
  if (!impl_->writes.has(savepoint)) {
    return std::unexpected(Error::of_literal(
        ErrorCode::kInvalidArgument, "the savepoint was undone by a rollback to an earlier one"));
  }
  impl_->writes.undo_to(savepoint);
  return {};
}

Result<void> Transaction::commit(Durability durability) {
  return db::at_border([&]() -> Result<void> {
    ASHLAR_TRY(impl_->check_open());
    if (impl_->cursor_count > 0) {
      return std::unexpected(Error(ErrorCode::kBusy, std::to_string(impl_->cursor_count) +
                                                         " iterators of the transaction are held"));
    }
    if (impl_->db.is_closed()) return std::unexpected(db::closed());
    // Over whatever comes of it, a want of memory included.
    struct End {
      Impl& impl;
      ~End() { impl.end(); }
    } end{*impl_};
    return impl_->commit(durability);
  });
}

void Transaction::rollback() noexcept {
  impl_->end();
}

}  // namespace ashlar
