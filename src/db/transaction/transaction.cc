#include "ashlar/transaction.h"

#include <algorithm>
#include <string>
#include <utility>

#include "db/transaction/impl.h"
#include "txn/overlay_cursor.h"

namespace ashlar {
namespace {

constexpr std::size_t kRangeBytes = 256;  // What a range takes in the set of reads.

}  // namespace

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
    impl_->has_read = true;
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

Result<void> Transaction::lock(std::string_view key, std::chrono::milliseconds limit) {
  return db::at_border([&]() -> Result<void> {
    ASHLAR_TRY(impl_->check(key));
    return impl_->lock(key, limit);
  });
}

/// Who holds locks lets go of them when the commit shows: the next need not wait for the disk.
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
    };
    const bool waits_later = !impl_->locks.is_empty() && !impl_->writes.rows().empty();
    {
      const End end{*impl_};
      const Durability now = waits_later ? std::min(durability, Durability::kProcess) : durability;
      ASHLAR_TRY(impl_->commit(impl_->writes.operations(), now));
    }
    if (waits_later) ASHLAR_TRY(impl_->db.make_shown_durable(durability));
    return {};
  });
}

void Transaction::rollback() noexcept {
  impl_->end();
}

}  // namespace ashlar
