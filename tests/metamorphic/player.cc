#include "player.h"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/hash.h"
#include "db/access.h"

namespace ashlar::metamorphic {
namespace {

/// A value in a few characters that no other value shares.
std::string digest_of(std::string_view value) {
  return std::to_string(value.size()) + "/" + std::to_string(base::hash_key(value, 0));
}

std::string digest_of(const std::optional<Value>& value) {
  return value ? digest_of(value->view()) : "absent";
}

/// As it is where that can be read, else as a value.
std::string text_of_key(std::string_view key) {
  constexpr std::size_t kReadableBytes = 20;
  const bool is_readable = key.size() <= kReadableBytes && std::ranges::all_of(key, [](char byte) {
                             return byte > ' ' && byte < '\x7f';
                           });
  return is_readable ? std::string(key) : digest_of(key);
}

std::string text_of_row(const Iterator& rows) {
  return text_of_key(rows.key()) + ">" + digest_of(rows.value());
}

bool is_due(std::uint64_t index, std::uint64_t interval) {
  return interval > 0 && index % interval == interval - 1;
}

}  // namespace

Player::Player(const Variant& variant, Choose choose)
    : variant_(variant), choose_(std::move(choose)) {
  if (!variant.is_on_system_disk) return;
  temporary_.emplace();
  directory_ = (temporary_->path() / "data").string();
}

Played Player::play(const std::vector<Step>& script) {
  open();
  for (step_index_ = 0; step_index_ < script.size() && played_.wrong.empty(); ++step_index_) {
    do_unasked(step_index_);
    if (!db_) break;
    played_.answers.push_back(answer(script[step_index_]));
    must(db_ && db_->approximate_memory() <= opening_.options.memory_budget_bytes,
         "M1: memory stays within its budget");
  }
  if (db_) close();
  return std::move(played_);
}

void Player::must(bool condition, const std::string& rule) {
  if (condition || !played_.wrong.empty()) return;
  played_.wrong = "step " + std::to_string(step_index_) + ": " + rule;
}

void Player::open() {
  opening_ = choose_(opening_count_++);
  opening_.options.directory = directory_;
  db::Environment environment{.clock = &clock_,
                              .hash_seed = variant_.hash_seed,
                              .has_background = opening_.has_background,
                              .disk = &simulated_,
                              .log = opening_.log,
                              .disk_engine = opening_.disk_engine};
  if (variant_.is_on_system_disk) environment.disk = &posix_;
  auto opened = db::Access::open(opening_.options, environment);
  must(opened.has_value(), opened ? "" : "opening: " + std::string(opened.error().message()));
  if (opened) db_.emplace(std::move(*opened));
}

void Player::close() {
  for (auto& scan : scans_) scan.reset();
  for (auto& snapshot : snapshots_) snapshot.reset();
  unasked_snapshot_.reset();
  const auto stats = db_->stats();
  must(stats.has_value() && stats->snapshot_count == 0, "nothing is held that was let go");
  if (stats) played_.compaction_count += stats->compaction_count;
  check();
  const auto closed = db_->close();
  must(closed.has_value(), "a database that nobody uses closes");
  db_.reset();
}

/// Invariants are looked at when nobody is at work, which only callers' threads can promise.
void Player::check() {
  if (!opening_.has_background) db::Access::engine(*db_).check();
}

bool Player::holds_nothing() const {
  const auto is_free = [](const auto& slot) { return !slot.has_value(); };
  return std::ranges::all_of(scans_, is_free) && std::ranges::all_of(snapshots_, is_free);
}

/// What no answer may show.
void Player::do_unasked(std::uint64_t index) {
  const Intervals& intervals = opening_.intervals;
  if (is_due(index, intervals.maintain)) db::Access::engine(*db_).maintain();
  if (is_due(index, intervals.checkpoint)) must(db_->checkpoint().has_value(), "checkpoints work");
  if (is_due(index, intervals.compact)) must(db_->compact().has_value(), "compactions work");
  if (is_due(index, intervals.stats)) must(db_->stats().has_value(), "stats work");
  if (is_due(index, intervals.check)) check();
  if (is_due(index, intervals.snapshot)) {
    auto snapshot = db_->snapshot();
    must(snapshot.has_value(), "a snapshot can be taken");
    if (snapshot) unasked_snapshot_.emplace(std::move(*snapshot));
  }
  if (is_due(index, intervals.reopen) && holds_nothing()) {
    close();
    open();
  }
}

/// What the caller should do is an answer; the message is not, for limits stand in it.
std::string Player::text_of(const Error& error) {
  played_.messages[step_index_] = error.message();
  return "error " + std::to_string(static_cast<int>(error.code()));
}

template <typename T>
std::string Player::text_of(const Result<T>& result) {
  if (!result) return text_of(result.error());
  if constexpr (std::is_same_v<T, bool>) return *result ? "yes" : "no";
  return "done";
}

std::string Player::answer(const Step& step) {
  if (step.call <= Call::kWrite) return answer_write(step);
  if (step.call <= Call::kScan) return answer_read(step);
  if (step.call <= Call::kCloseScan) return answer_hold(step);
  return answer_turn(step);
}

Durability Player::durability_of(const Step& step) const {
  switch (opening_.durability) {
    case DurabilityRule::kNone:
      return Durability::kNone;
    case DurabilityRule::kProcess:
      return Durability::kProcess;
    case DurabilityRule::kDisk:
      return Durability::kDisk;
    case DurabilityRule::kAsAsked:
      break;
  }
  return step.durability;
}

std::string Player::answer_write(const Step& step) {
  const Durability durability = durability_of(step);
  switch (step.call) {
    case Call::kPut:
      return put(step.writes.front(), durability);
    case Call::kErase:
      return text_of(db_->erase(step.key, durability));
    case Call::kExpire:
      return text_of(db_->expire(step.key, step.expiry, durability));
    case Call::kPersist:
      return text_of(db_->persist(step.key, durability));
    default:
      return opening_.ways.batch == Ways::Batch::kTransaction
                 ? write_transaction(step.writes, durability)
                 : write_batch(step.writes, durability);
  }
}

std::string Player::put(const Write& write, Durability durability) {
  if (opening_.ways.put == Ways::Put::kBatchOfOne) return write_batch({write}, durability);
  if (opening_.ways.put == Ways::Put::kTransaction) return write_transaction({write}, durability);
  return text_of(db_->put(write.key, *write.value, write.expiry, durability));
}

std::string Player::write_batch(const std::vector<Write>& writes, Durability durability) {
  WriteBatch batch;
  for (const Write& write : writes) {
    if (write.value) {
      batch.put(write.key, *write.value, write.expiry);
    } else {
      batch.erase(write.key);
    }
  }
  return text_of(db_->write(batch, durability));
}

/// One that is refused anything is rolled back, as a batch with it would not have happened.
std::string Player::write_transaction(const std::vector<Write>& writes, Durability durability) {
  auto transaction = db_->begin();
  if (!transaction) return text_of(transaction.error());
  for (const Write& write : writes) {
    if (write.value) {
      const auto put = transaction->put(write.key, *write.value, write.expiry);
      if (!put) return text_of(put);
    } else {
      const auto erased = transaction->erase(write.key);
      if (!erased) return text_of(erased.error());
    }
  }
  return text_of(transaction->commit(durability));
}

std::string Player::answer_read(const Step& step) {
  const auto& slot = snapshots_[step.slot];
  const Snapshot* const at = step.is_at_snapshot && slot ? &*slot : nullptr;
  switch (step.call) {
    case Call::kGet:
      return get(step.key, at);
    case Call::kExists:
      return exists(step.key, at);
    case Call::kTimeToLive: {
      const auto left = db_->time_to_live(step.key);
      if (!left) return text_of(left.error());
      return *left ? std::to_string((*left)->count()) + " ms" : "none";
    }
    case Call::kExpiryOf: {
      const auto expiry = db_->expiry_of(step.key);
      if (!expiry) return text_of(expiry.error());
      return *expiry ? std::to_string((*expiry)->resolve_ms(0)) : "absent";
    }
    case Call::kMultiGet:
      return multi_get(step.keys, at);
    default:
      return scan(step.range, at);
  }
}

std::string Player::get(const std::string& key, const Snapshot* at) {
  if (opening_.ways.get == Ways::Get::kMultiGet) {
    const std::string_view view = key;
    const auto values = db_->multi_get({&view, 1}, at);
    return values ? digest_of(values->front()) : text_of(values.error());
  }
  if (opening_.ways.get == Ways::Get::kScan && !key.empty()) {
    auto rows = db_->scan({.from = key, .to = {}}, at);
    if (!rows) return text_of(rows.error());
    rows->seek(key);
    must(rows->status().has_value(), "a scan succeeds");
    return rows->is_valid() && rows->key() == key ? digest_of(rows->value()) : "absent";
  }
  const auto value = db_->get(key, at);
  return value ? digest_of(*value) : text_of(value.error());
}

std::string Player::exists(const std::string& key, const Snapshot* at) {
  if (opening_.ways.exists == Ways::Exists::kExists) return text_of(db_->exists(key, at));
  const auto value = db_->get(key, at);
  if (!value) return text_of(value.error());
  return *value ? "yes" : "no";
}

std::string Player::multi_get(const std::vector<std::string>& keys, const Snapshot* at) {
  std::string text;
  if (opening_.ways.multi_get == Ways::MultiGet::kOneByOne) {
    for (const std::string& key : keys) {
      const auto value = db_->get(key, at);
      if (!value) return text_of(value.error());
      text += digest_of(*value) + " ";
    }
    return text;
  }
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const auto values = db_->multi_get(views, at);
  if (!values) return text_of(values.error());
  for (const auto& value : *values) text += digest_of(value) + " ";
  return text;
}

std::string Player::scan(const Range& range, const Snapshot* at) {
  auto rows = db_->scan(range, at);
  if (!rows) return text_of(rows.error());
  std::vector<std::string> found;
  const bool is_forward = opening_.ways.scan == Ways::Scan::kForward;
  is_forward ? rows->seek_to_first() : rows->seek_to_last();
  while (rows->is_valid()) {
    found.push_back(text_of_row(*rows));
    is_forward ? rows->next() : rows->previous();
  }
  must(rows->status().has_value(), "a scan succeeds");
  if (!is_forward) std::ranges::reverse(found);
  std::string text = std::to_string(found.size()) + " rows ";
  for (const std::string& row : found) text += row + " ";
  return text;
}

std::string Player::answer_hold(const Step& step) {
  auto& scan = scans_[step.slot];
  switch (step.call) {
    case Call::kTakeSnapshot:
      return take_snapshot(step.slot);
    case Call::kReleaseSnapshot:
      scan.reset();  // It may have been opened at the snapshot.
      snapshots_[step.slot].reset();
      return "released";
    case Call::kOpenScan: {
      const auto& slot = snapshots_[step.slot];
      auto rows = db_->scan(step.range, step.is_at_snapshot && slot ? &*slot : nullptr);
      if (!rows) return text_of(rows.error());
      scan.emplace(std::move(*rows));
      return "opened";
    }
    case Call::kCloseScan:
      scan.reset();
      return "closed";
    default:
      return scan ? move(*scan, step.moves) : "none is open";
  }
}

std::string Player::take_snapshot(std::uint64_t slot) {
  auto snapshot = db_->snapshot();
  if (!snapshot) return text_of(snapshot.error());
  const std::string text = "at " + std::to_string(snapshot->taken_at_ms());
  scans_[slot].reset();  // It may have been opened at the one before.
  snapshots_[slot].emplace(std::move(*snapshot));
  return text;
}

std::string Player::move(Iterator& rows, const std::vector<Move>& moves) {
  std::string text;
  for (const Move& move : moves) {
    using Kind = Move::Kind;
    const bool is_step = move.kind == Kind::kNext || move.kind == Kind::kPrevious;
    if (move.kind == Kind::kFirst || (is_step && !rows.is_valid())) {
      rows.seek_to_first();
    } else if (move.kind == Kind::kLast) {
      rows.seek_to_last();
    } else if (move.kind == Kind::kSeek) {
      rows.seek(move.key);
    } else if (move.kind == Kind::kSeekForPrevious) {
      rows.seek_for_previous(move.key);
    } else if (move.kind == Kind::kNext) {
      rows.next();
    } else {
      rows.previous();
    }
    must(rows.status().has_value(), "a scan succeeds");
    text += rows.is_valid() ? text_of_row(rows) + " " : "nowhere ";
  }
  return text;
}

std::string Player::answer_turn(const Step& step) {
  switch (step.call) {
    case Call::kAdvance:
      clock_.advance(step.by_ms);
      return "advanced";
    case Call::kCheckpoint:
      return text_of(db_->checkpoint());
    case Call::kCompact:
      return text_of(db_->compact());
    default:
      close();
      open();
      return "reopened";
  }
}

}  // namespace ashlar::metamorphic
