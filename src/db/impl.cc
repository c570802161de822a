#include "db/impl.h"

#include <string>

namespace ashlar {

Db::Impl::~Impl() {
  background.stop();
  // Whoever wants to know whether that went well calls `close`.
  if (journal != nullptr && !is_closed()) (void)journal->close();
  if (engine) {
    ASHLAR_ASSERT(engine->snapshot_count() == 0, "a Db outlives its snapshots and iterators");
  }
}

Error Db::Impl::read_refusal(std::string_view key, const Snapshot* snapshot) const {
  if (is_closed()) return db::closed();
  if (!is_readable(snapshot)) {
    return Error::of_literal(ErrorCode::kInvalidArgument,
                             "the snapshot was released, or belongs to another database");
  }
  return db::key_refusal(key, options);
}

Error Db::Impl::write_refusal(std::string_view key, std::string_view value) const {
  if (is_closed()) return db::closed();
  if (!db::is_key_allowed(key, options)) return db::key_refusal(key, options);
  return db::value_refusal(key, value, options);
}

engine::Operation Db::Impl::put_with_deadline(std::string_view key, std::string_view value,
                                              Expiry expiry) const {
  const engine::TimeMs now_ms = clock.now_ms();
  const engine::TimeMs deadline_ms = expiry.resolve_ms(now_ms);
  if (deadline_ms <= now_ms) {
    return {.kind = engine::OperationKind::kErase, .key = key, .value = {}};
  }
  return {.key = key, .value = value, .deadline_ms = deadline_ms};
}

Result<std::vector<std::optional<Value>>> Db::Impl::old_values_of(
    std::span<const engine::Operation> operations, const engine::View& view) const {
  std::vector<std::optional<Value>> found;
  if (!options.history_has_old_values) return found;
  std::vector<std::string_view> keys;
  keys.reserve(operations.size());
  for (const engine::Operation& operation : operations) keys.push_back(operation.key);
  found.resize(keys.size());
  ASHLAR_TRY(engine->multi_get(keys, view, found));
  return found;
}

/// Each failure means that another commit has come through: together they make progress.
Result<std::size_t> Db::Impl::apply_over_old_values(std::span<const engine::Operation> operations,
                                                    Durability durability) {
  ASHLAR_ASSERT(journal != nullptr, "a history is part of a log");
  const txn::ReadSet nothing;
  while (true) {
    ASHLAR_TRY_ASSIGN(const txn::Conflicts::Entered entered, conflicts->enter());
    const txn::Conflicts::Leaver leaver(*conflicts);
    ASHLAR_TRY_ASSIGN(const engine::View view, engine->acquire_snapshot());
    const auto old_values = old_values_of(operations, view);
    engine->release_snapshot(view.sequence);
    if (!old_values) return std::unexpected(old_values.error());
    txn::Validation validation({.conflicts = *conflicts,
                                .entered = entered,
                                .reads = nothing,
                                .snapshot = view.sequence,
                                .writes = txn::Validation::Writes::kFirstCommitterWins},
                               operations);
    auto applied = apply(operations, durability, &validation, *old_values);
    if (validation.was_good()) return applied;
  }
}

bool Db::Impl::is_open_for_holders() {
  // Pairs with `close`: an engine hands out and counts what is held under one lock, so either its
  // count comes later and `close` sees what the caller holds, or this sees kClosing.
  if (phase.load() == db::Phase::kOpen) return true;
  const base::MutexLock lock(close_mutex);  // Waits until that `close` has decided.
  return !is_closed();
}

Result<void> Db::Impl::close() {
  {
    const base::MutexLock lock(close_mutex);
    if (is_closed()) return std::unexpected(db::closed());
    ASHLAR_ASSERT(phase.load() == db::Phase::kOpen, "one call at a time decides about closing");
    phase.store(db::Phase::kClosing);
    const std::size_t held_count = engine->snapshot_count();
    if (held_count > 0) {
      phase.store(db::Phase::kOpen);
      return std::unexpected(
          Error(ErrorCode::kBusy, std::to_string(held_count) + " snapshots or iterators are held"));
    }
    phase.store(db::Phase::kClosed);
  }
  background.stop();
  if (journal != nullptr) return journal->close();
  return {};
}

}  // namespace ashlar
