#include "replay_writer.h"

#include <algorithm>

#include "ashlar/transaction.h"
#include "base/hash.h"

namespace ashlar::crash {
namespace {

// Longer ones take a way of their own into the log, whose ring they do not fit into, and some
// span several segments.
constexpr std::uint64_t kShortBytesMax = 250;
constexpr std::uint64_t kLongBytesMin = 9'000;
constexpr std::uint64_t kLongBytesMax = 150'000;
constexpr std::uint64_t kLongPerMille = 4;

constexpr std::uint64_t kDeadlineMsMax = 20'000;

std::uint64_t fingerprint_of(std::string_view key, const ReplayRow& row) {
  const std::uint64_t of_key = base::hash_key(key, 1);
  return base::hash_key(row.value, of_key ^ static_cast<std::uint64_t>(row.deadline_ms));
}

/// One of the first four kinds outside of a transaction.
Result<bool> run_single(Db& db, const ReplayWriter::Step& step) {
  using Kind = ReplayWriter::Kind;
  const bool has_row = !step.effects.empty() && step.effects.front().second.has_value();
  const ReplayRow row = has_row ? *step.effects.front().second : ReplayRow{};
  const Expiry expiry = Expiry::at_ms(row.deadline_ms);
  if (step.kind == Kind::kErase) return db.erase(step.key, step.durability);
  if (step.kind == Kind::kExpire) return db.expire(step.key, expiry, step.durability);
  if (step.kind == Kind::kPersist) return db.persist(step.key, step.durability);
  ASHLAR_TRY(db.put(step.key, row.value, expiry, step.durability));
  return true;
}

Result<bool> run_batch(Db& db, const ReplayWriter::Step& step) {
  WriteBatch batch;
  for (const auto& [key, row] : step.effects) {
    if (row) {
      batch.put(key, row->value, Expiry::at_ms(row->deadline_ms));
    } else {
      batch.erase(key);
    }
  }
  ASHLAR_TRY(db.write(batch, step.durability));
  return true;
}

/// A row that has its value already only gets its deadline. Here and there something is undone.
Result<bool> run_transaction(Db& db, const ReplayWriter::Step& step) {
  ASHLAR_TRY_ASSIGN(Transaction transaction, db.begin());
  const Transaction::Savepoint begin = transaction.savepoint();
  ASHLAR_TRY(transaction.put(step.effects.front().first, "undone"));
  ASHLAR_TRY(transaction.rollback_to(begin));
  for (const auto& [key, row] : step.effects) {
    ASHLAR_TRY_ASSIGN(const auto found, transaction.get(key));
    const bool has_value = row && found && found->view() == row->value;
    if (!row) {
      ASHLAR_TRY(transaction.erase(key));
    } else if (has_value) {
      ASHLAR_TRY(transaction.expire(key, Expiry::at_ms(row->deadline_ms)));
    } else {
      ASHLAR_TRY(transaction.put(key, row->value, Expiry::at_ms(row->deadline_ms)));
    }
  }
  ASHLAR_TRY(transaction.commit(step.durability));
  return true;
}

}  // namespace

void ReplayRows::apply(const std::vector<ReplayEffect>& effects) {
  for (const auto& [key, row] : effects) set(key, row);
}

void ReplayRows::set(std::string_view key, std::optional<ReplayRow> row) {
  if (const auto old = rows_.find(key); old != rows_.end()) {
    fingerprint_ -= fingerprint_of(key, old->second);
    rows_.erase(old);
  }
  if (!row) return;
  fingerprint_ += fingerprint_of(key, *row);
  rows_.emplace(key, std::move(*row));
}

const ReplayRow* ReplayRows::find(std::string_view key) const {
  const auto found = rows_.find(key);
  return found != rows_.end() ? &found->second : nullptr;
}

ReplayRows ReplayRows::at(std::int64_t now_ms) const {
  ReplayRows there;
  for (const auto& [key, row] : rows_) {
    if (row.is_there(now_ms)) there.set(key, row);
  }
  return there;
}

ReplayRow ReplayWriter::some_row(std::int64_t now_ms) {
  const bool is_long = random_.below(1'000) < kLongPerMille;
  const std::uint64_t bytes =
      is_long ? random_.between(kLongBytesMin, kLongBytesMax) : random_.below(kShortBytesMax);
  ReplayRow row{.value = random_.bytes(bytes)};
  if (random_.chance(30)) {
    row.deadline_ms = now_ms + static_cast<std::int64_t>(random_.between(1, kDeadlineMsMax));
  }
  return row;
}

std::vector<ReplayEffect> ReplayWriter::some_puts_and_erases(std::int64_t now_ms) {
  std::vector<ReplayEffect> effects{{some_key(), some_row(now_ms)}};
  while (random_.chance(70)) {
    const bool is_erase = random_.chance(30);
    effects.emplace_back(some_key(), is_erase ? std::nullopt : std::optional(some_row(now_ms)));
  }
  return effects;
}

/// Each key once; what is erased, or gets another deadline, is there.
std::vector<ReplayEffect> ReplayWriter::some_of_every_kind(const ReplayRows& rows,
                                                           std::int64_t now_ms) {
  std::vector<ReplayEffect> effects{{some_key(), some_row(now_ms)}};
  while (random_.chance(70)) {
    ReplayEffect effect{some_key(), some_row(now_ms)};
    const auto has_key = [&](const ReplayEffect& other) { return other.first == effect.first; };
    if (std::ranges::any_of(effects, has_key)) continue;
    const ReplayRow* const row = rows.find(effect.first);
    const bool is_there = row != nullptr && row->is_there(now_ms);
    if (is_there && random_.chance(30)) {
      effect.second.reset();
    } else if (is_there && random_.chance(30) && row->deadline_ms != effect.second->deadline_ms) {
      effect.second->value = row->value;
    }
    effects.push_back(std::move(effect));
  }
  return effects;
}

ReplayWriter::Step ReplayWriter::next(const ReplayRows& rows, std::int64_t now_ms) {
  Step step{.key = some_key(), .effects = {}};
  const std::uint64_t durability = random_.below(100);
  if (durability < 20) step.durability = Durability::kDisk;
  if (durability >= 80) step.durability = Durability::kNone;
  const ReplayRow* const row = rows.find(step.key);
  const bool is_there = row != nullptr && row->is_there(now_ms);
  // Whether an erase of what has passed its deadline is a commit depends on whether the row is
  // still in memory: it does no harm, and is not foretold.
  const bool is_past = row != nullptr && !is_there;
  const std::uint64_t draw = random_.below(100);
  if (draw < 50 || (is_past && draw < 76)) {
    step.effects = {{step.key, some_row(now_ms)}};
  } else if (draw < 62) {
    step.kind = Kind::kErase;
    if (is_there) step.effects = {{step.key, std::nullopt}};
  } else if (draw < 72) {
    step.kind = Kind::kExpire;
    ReplayRow later{.value = is_there ? row->value : "", .deadline_ms = now_ms + 1};
    later.deadline_ms += static_cast<std::int64_t>(random_.below(kDeadlineMsMax));
    if (is_there && later.deadline_ms == row->deadline_ms) ++later.deadline_ms;
    if (is_there) step.effects = {{step.key, std::move(later)}};
  } else if (draw < 76) {
    step.kind = Kind::kPersist;
    const bool is_mortal = is_there && row->deadline_ms != Expiry::kNeverMs;
    if (is_mortal) step.effects = {{step.key, ReplayRow{.value = row->value}}};
  } else if (draw < 88) {
    step.kind = Kind::kBatch;
    step.effects = some_puts_and_erases(now_ms);
  } else {
    step.kind = Kind::kTransaction;
    step.effects = some_of_every_kind(rows, now_ms);
  }
  return step;
}

Result<bool> run_step(Db& db, const ReplayWriter::Step& step) {
  if (step.kind == ReplayWriter::Kind::kBatch) return run_batch(db, step);
  if (step.kind == ReplayWriter::Kind::kTransaction) return run_transaction(db, step);
  return run_single(db, step);
}

Result<ReplayRows> read_rows(Db& db) {
  ReplayRows rows;
  ASHLAR_TRY_ASSIGN(Iterator found, db.scan());
  for (found.seek_to_first(); found.is_valid(); found.next()) {
    ASHLAR_TRY_ASSIGN(const auto expiry, db.expiry_of(found.key()));
    if (!expiry) continue;
    rows.set(found.key(),
             ReplayRow{.value = std::string(found.value()), .deadline_ms = expiry->resolve_ms(0)});
  }
  ASHLAR_TRY(found.status());
  return rows;
}

}  // namespace ashlar::crash
