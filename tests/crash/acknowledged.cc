#include "acknowledged.h"

#include "ashlar/transaction.h"
#include "base/hash.h"

namespace ashlar::crash {
namespace {

constexpr std::uint64_t kKeyCount = 500;

std::string key_of(std::uint64_t index) {
  return "key:" + std::to_string(index);
}

/// A deadline that no run lives to see: that it is stored and comes back is what is tested.
Expiry far_deadline() {
  return Expiry::in(std::chrono::hours(24 * 365));
}

/// Reads what it writes, and undoes a part before it commits.
bool run_transaction(Db& db, const Script::Step& step, Expiry expiry) {
  auto transaction = db.begin();
  if (!transaction) return false;
  const auto write = [&](const std::string& key, const std::optional<std::string>& value) {
    return value ? transaction->put(key, *value, expiry).has_value()
                 : transaction->erase(key).has_value();
  };
  for (const auto& [key, value] : step.writes) {
    if (!transaction->get(key)) return false;
    const auto before = transaction->savepoint();
    if (!write(key, "undone") || !transaction->rollback_to(before)) return false;
    if (!write(key, value)) return false;
  }
  return transaction->commit(step.durability).has_value();
}

}  // namespace

Script::Step Script::next() {
  ++number_;
  Step step;
  const std::uint64_t kind = random_.below(100);
  step.is_batch = kind < 15;
  step.is_transaction = step.is_batch && random_.chance(50);
  step.has_deadline = kind >= 90;
  step.makes_checkpoint = random_.below(500) == 0;
  const std::uint64_t durability = random_.below(100);
  step.durability = durability < durable_percent_       ? Durability::kDisk
                    : durability < durable_percent_ + 5 ? Durability::kNone
                                                        : Durability::kProcess;
  step.is_short_lived = !step.is_batch && random_.chance(4);
  if (step.is_short_lived) {
    step.writes["short:" + std::to_string(random_.below(20))] = std::to_string(number_);
    return step;
  }
  const std::uint64_t count = step.is_batch ? 2 + random_.below(8) : 1;
  while (step.writes.size() < count) {
    const std::string key = key_of(random_.below(kKeyCount));
    if (random_.chance(20)) {
      step.writes[key] = std::nullopt;
    } else {
      const std::size_t filler = random_.chance(2) ? 5000 : random_.below(200);
      step.writes[key] = std::to_string(number_) + ":" + std::string(filler, 'f');
    }
  }
  return step;
}

bool run_step(Db& db, const Script::Step& step) {
  if (step.makes_checkpoint && !db.checkpoint()) return false;
  const Expiry expiry = step.is_short_lived ? Expiry::in(kShortLife)
                        : step.has_deadline ? far_deadline()
                                            : Expiry::never();
  if (!step.is_batch) {
    const auto& [key, value] = *step.writes.begin();
    if (value) return db.put(key, *value, expiry, step.durability).has_value();
    return db.erase(key, step.durability).has_value();
  }
  if (step.is_transaction) return run_transaction(db, step, expiry);
  WriteBatch batch;
  for (const auto& [key, value] : step.writes) {
    if (value) {
      batch.put(key, *value, expiry);
    } else {
      batch.erase(key);
    }
  }
  return db.write(batch, step.durability).has_value();
}

void apply_step(State& state, const Script::Step& step) {
  if (step.is_short_lived) return;
  for (const auto& [key, value] : step.writes) {
    if (value) {
      state[key] = *value;
    } else {
      state.erase(key);
    }
  }
}

State read_state(Db& db) {
  State state;
  auto rows = db.scan();
  if (!rows) return state;
  for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
    state.emplace(rows->key(), rows->value());
  }
  return state;
}

std::uint64_t fingerprint_of(const State& state) {
  std::uint64_t fingerprint = state.size();
  for (const auto& [key, value] : state) {
    fingerprint = base::hash_key(key, fingerprint);
    fingerprint = base::hash_key(value, fingerprint);
  }
  return fingerprint;
}

}  // namespace ashlar::crash
