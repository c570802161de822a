#include "isolation_session.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "base/coding.h"

namespace ashlar::crash {

using testing::Operation;
using testing::OperationKind;
using testing::Outcome;

namespace {

constexpr std::size_t kElementBytes = sizeof(std::uint64_t);

// No workload plans these: who sees one has seen what was undone, or half of something.
constexpr std::uint64_t kUndone = std::uint64_t{1} << 62U;
constexpr std::uint64_t kTorn = std::uint64_t{1} << 63U;

// After so many of its transactions the first thread makes a checkpoint, so that a kill meets one
// at work, and what comes after it.
constexpr std::uint64_t kCheckpointEvery = 700;

std::string value_of(std::uint64_t element) {
  std::string value;
  append_element(element, value);
  return value;
}

std::uint64_t register_in(std::string_view value) {
  return value.size() == kElementBytes ? elements_of(value).front() : kTorn;
}

bool is_blind_write(const Operation& operation) {
  return operation.kind == OperationKind::kWrite || operation.kind == OperationKind::kErase;
}

/// The same with its writes turned into reads of their keys.
Operation as_read(Operation operation) {
  if (operation.kind == OperationKind::kAppend) operation.kind = OperationKind::kReadList;
  if (is_blind_write(operation)) operation.kind = OperationKind::kRead;
  operation.value = testing::kAbsent;
  return operation;
}

void take_answer(const std::optional<Value>& found, Operation& read) {
  if (!found) return;
  if (read.kind == OperationKind::kReadList) {
    read.elements = elements_of(found->view());
  } else {
    read.value = register_in(found->view());
  }
}

/// A database at a snapshot, with the calls that `Transaction` has as well.
struct AtSnapshot {
  const Db& db;
  const Snapshot& snapshot;

  auto get(std::string_view key) const { return db.get(key, &snapshot); }
  auto scan(const Range& range) const { return db.scan(range, &snapshot); }
};

/// A database whose calls take no durability, as those of `Transaction`.
struct AtProcess {
  Db& db;

  auto expire(std::string_view key, Expiry expiry) const {
    return db.expire(key, expiry, Durability::kProcess);
  }
  auto persist(std::string_view key) const { return db.persist(key, Durability::kProcess); }
};

}  // namespace

void append_element(std::uint64_t element, std::string& value) {
  base::append_number(value, element);
}

std::vector<std::uint64_t> elements_of(std::string_view value) {
  std::vector<std::uint64_t> elements;
  for (; value.size() >= kElementBytes; value.remove_prefix(kElementBytes)) {
    elements.push_back(base::load_number<std::uint64_t>(value.data()));
  }
  if (!value.empty()) elements.push_back(kTorn);
  return elements;
}

Result<std::vector<testing::FoundRegister>> registers_in(Iterator& rows, Walk walk) {
  std::vector<testing::FoundRegister> found;
  const bool is_forward = walk == Walk::kForward;
  is_forward ? rows.seek_to_first() : rows.seek_to_last();
  while (rows.is_valid()) {
    found.push_back({.key = std::string(rows.key()), .value = register_in(rows.value())});
    is_forward ? rows.next() : rows.previous();
  }
  ASHLAR_TRY(rows.status());
  if (!is_forward) std::ranges::reverse(found);
  return found;
}

IsolationSession::IsolationSession(Db& db, IsolationShared& shared, testing::HistoryWriter writer,
                                   const Plan& plan)
    : db_(db),
      shared_(shared),
      writer_(std::move(writer)),
      plan_(plan),
      workload_(plan.shape, plan.thread),
      random_(plan.thread.seed ^ plan.thread.first_transaction, plan.thread.thread + 101) {}

Result<void> IsolationSession::run() {
  std::uint64_t number = plan_.thread.first_transaction;
  while (!shared_.is_stopping.load()) {
    shared_.planned_count[plan_.thread.thread].store(++number);
    ASHLAR_TRY(run_one(workload_.next()));
    shared_.ended_count.fetch_add(1);
    if (plan_.thread.thread == 0 && number % kCheckpointEvery == 0) ASHLAR_TRY(db_.checkpoint());
  }
  return {};
}

/// Most are transactions; the others see to it that a transaction meets every kind of call.
Result<void> IsolationSession::run_one(Operations planned) {
  writer_.begin(shared_.clock.fetch_add(1));
  const std::uint64_t draw = random_.below(100);
  Result<Outcome> outcome = Outcome::kAborted;
  if (random_.chance(plan_.transaction_share)) {
    outcome = run_transaction(planned);
  } else if (draw < 60 && std::ranges::any_of(planned, is_blind_write)) {
    outcome = write_plainly(planned);
  } else if (draw < 75) {
    outcome = read_plainly(as_read(std::move(planned.front())));
  } else if (draw < 88) {
    outcome = read_together(planned);
  } else {
    outcome = read_at_snapshot(planned);
  }
  if (!outcome) return std::unexpected(outcome.error());
  return writer_.end(*outcome, shared_.clock.fetch_add(1));
}

Result<Outcome> IsolationSession::run_transaction(const Operations& planned) {
  constexpr std::uint64_t kRolledBackPercent = 4;
  ASHLAR_TRY_ASSIGN(Transaction transaction, db_.begin(plan_.isolation));
  for (const Operation& operation : planned) {
    ASHLAR_TRY(step(transaction, operation));
    let_others_run();
  }
  if (random_.chance(kRolledBackPercent)) {
    transaction.rollback();
    return Outcome::kAborted;
  }
  return end(transaction);
}

Result<Outcome> IsolationSession::end(Transaction& transaction) {
  ASHLAR_TRY(writer_.committing());
  const Result<void> committed = transaction.commit(durability());
  if (committed) return Outcome::kCommitted;
  if (committed.error().code() == ErrorCode::kConflict) return Outcome::kAborted;
  return std::unexpected(committed.error());
}

Result<void> IsolationSession::step(Transaction& transaction, Operation operation) {
  constexpr std::uint64_t kUndonePercent = 5;
  if (random_.chance(kUndonePercent)) ASHLAR_TRY(write_and_undo(transaction, operation));
  ASHLAR_TRY(touch(transaction, operation.key));
  switch (operation.kind) {
    case OperationKind::kAppend: {
      ASHLAR_TRY_ASSIGN(const auto before, transaction.get(operation.key));
      std::string value = before ? std::string(before->view()) : std::string();
      append_element(operation.value, value);
      ASHLAR_TRY(transaction.put(operation.key, value));
      break;
    }
    case OperationKind::kWrite:
      ASHLAR_TRY(transaction.put(operation.key, value_of(operation.value)));
      break;
    case OperationKind::kErase: {
      ASHLAR_TRY_ASSIGN(const bool was_there, transaction.erase(operation.key));
      // Then nothing is written: what was done is a read.
      if (!was_there) operation.kind = OperationKind::kRead;
      break;
    }
    default:
      ASHLAR_TRY(read_from(transaction, operation));
  }
  writer_.add(operation);
  return {};
}

/// Sometimes gives `key` a deadline beyond the campaign, or takes it away: a write that leaves what
/// there is, so nothing to record. Were it to bring an older value back, readers would tell.
template <typename Target>
Result<void> IsolationSession::touch(Target& target, const std::string& key) {
  constexpr std::uint64_t kTouchedPercent = 6;
  if (!random_.chance(kTouchedPercent)) return {};
  if (random_.chance(30)) {
    ASHLAR_TRY(target.persist(key));
  } else {
    ASHLAR_TRY(target.expire(key, Expiry::in(std::chrono::hours(24))));
  }
  return {};
}

/// Writes to the key of `operation` what nobody may ever see, and goes back to before.
Result<void> IsolationSession::write_and_undo(Transaction& transaction,
                                              const Operation& operation) {
  const Transaction::Savepoint before = transaction.savepoint();
  ASHLAR_TRY(transaction.put(operation.key, value_of(kUndone)));
  return transaction.rollback_to(before);
}

template <typename Source>
Result<void> IsolationSession::read_from(Source& source, Operation& operation) {
  if (operation.kind == OperationKind::kReadRange) {
    ASHLAR_TRY_ASSIGN(Iterator rows, source.scan({.from = operation.key, .to = operation.last}));
    const Walk walk = random_.chance(50) ? Walk::kForward : Walk::kBackward;
    ASHLAR_TRY_ASSIGN(operation.found, registers_in(rows, walk));
    return {};
  }
  ASHLAR_TRY_ASSIGN(const auto found, source.get(operation.key));
  take_answer(found, operation);
  return {};
}

/// The writes to registers alone: by a call of its own where it is one, or else as a batch.
Result<Outcome> IsolationSession::write_plainly(const Operations& planned) {
  WriteBatch batch;
  Operation last;
  for (const Operation& operation : planned) {
    if (!is_blind_write(operation)) continue;
    operation.kind == OperationKind::kErase ? batch.erase(operation.key)
                                            : batch.put(operation.key, value_of(operation.value));
    writer_.add(operation);
    last = operation;
  }
  AtProcess plain{db_};
  ASHLAR_TRY(touch(plain, planned.front().key));
  ASHLAR_TRY(writer_.committing());
  if (batch.count() > 1) {
    ASHLAR_TRY(db_.write(batch, durability()));
  } else if (last.kind == OperationKind::kErase) {
    ASHLAR_TRY(db_.erase(last.key, durability()));
  } else {
    ASHLAR_TRY(db_.put(last.key, value_of(last.value), Expiry::never(), durability()));
  }
  return Outcome::kCommitted;
}

Result<Outcome> IsolationSession::read_plainly(Operation read) {
  ASHLAR_TRY(read_from(db_, read));
  writer_.add(read);
  ASHLAR_TRY(writer_.committing());
  return Outcome::kCommitted;
}

Result<Outcome> IsolationSession::read_at_snapshot(const Operations& planned) {
  ASHLAR_TRY_ASSIGN(const Snapshot snapshot, db_.snapshot());
  AtSnapshot source{.db = db_, .snapshot = snapshot};
  for (const Operation& operation : planned) {
    Operation read = as_read(operation);
    let_others_run();
    ASHLAR_TRY(read_from(source, read));
    writer_.add(read);
  }
  ASHLAR_TRY(writer_.committing());
  return Outcome::kCommitted;
}

/// All keys of `planned` by one `multi_get`.
Result<Outcome> IsolationSession::read_together(const Operations& planned) {
  Operations reads;
  for (const Operation& operation : planned) {
    if (operation.kind != OperationKind::kReadRange) reads.push_back(as_read(operation));
  }
  std::vector<std::string_view> keys;
  for (const Operation& read : reads) keys.push_back(read.key);
  ASHLAR_TRY_ASSIGN(const auto found, db_.multi_get(keys));
  for (std::size_t i = 0; i < reads.size(); ++i) {
    take_answer(found[i], reads[i]);
    writer_.add(reads[i]);
  }
  ASHLAR_TRY(writer_.committing());
  return Outcome::kCommitted;
}

/// Rarely kDisk, which takes so long that little else would happen.
Durability IsolationSession::durability() {
  return random_.below(200) == 0 ? Durability::kDisk : Durability::kProcess;
}

/// Where processors are few, transactions would otherwise run one after the other.
void IsolationSession::let_others_run() {
  constexpr std::uint64_t kYieldPercent = 30;
  if (random_.chance(kYieldPercent)) std::this_thread::yield();
}

}  // namespace ashlar::crash
