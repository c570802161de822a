#include "run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>

#include "db/access.h"
#include "lsm/engine/tiny_settings_test.h"

namespace ashlar::model {
namespace {

constexpr std::size_t kSnapshotsMax = 6;
constexpr std::size_t kScansMax = 4;
// The wheel may wait this long before it looks at a key that is due.
constexpr std::int64_t kReclaimLagMs = 1000;

std::string printable(std::string_view key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : key.substr(0, 80)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return text + " (" + std::to_string(key.size()) + " bytes)";
}

}  // namespace

Run::Run(const Workload& workload, std::uint64_t seed)
    : workload_(workload), seed_(seed), random_(seed) {
  open();
}

void Run::open() {
  db::Environment environment{.clock = &clock_, .hash_seed = seed_ | 1U, .has_background = false};
  if (workload_.is_on_disk()) {
    environment.disk = &disk_;
    environment.log.segment_bytes = std::size_t{4} << 20U;
    environment.log.ring_bytes = std::size_t{1} << 20U;
    environment.log.has_thread = false;
    environment.disk_engine = lsm::tiny_settings(workload_.options);
  }
  auto db = db::Access::open(workload_.options, environment);
  expect(db.has_value(), db ? "the database opens" : db.error().message());
  if (db) db_.emplace(std::move(*db));
  if (model_ == nullptr || !workload_.is_on_disk()) {
    model_ = std::make_unique<testing::Model>(clock_.now_ms());
  }
  last_sequence_ = 0;
}

void Run::go() {
  for (index_ = 0; index_ < workload_.operation_count && !has_failed_; ++index_) {
    if (workload_.has_tides && index_ % (3 * workload_.key_count) == 0) is_ebb_ = !is_ebb_;
    step();
    if (index_ % workload_.audit_interval == workload_.audit_interval - 1) audit();
    if (index_ % workload_.reopen_interval == workload_.reopen_interval - 1) reopen();
  }
  if (has_failed_) return;
  audit();
  if (workload_.is_tight && !workload_.evicts()) {
    EXPECT_GT(refused_count_, 0U) << "the budget was never reached";
  }
  if (workload_.is_on_disk()) {
    EXPECT_GT(compaction_count_, 0U) << "nothing was compacted";
  }
  if (workload_.evicts()) {
    EXPECT_GT(evicted_count_, 0U) << "the budget was never reached";
  }
}

void Run::begin(const char* name, std::string key) {
  operation_ = name;
  operation_key_ = std::move(key);
}

void Run::expect(bool is_right, std::string_view rule) {
  if (is_right || has_failed_) return;
  has_failed_ = true;
  ADD_FAILURE() << rule << "\n  ASHLAR_TEST_SEED=" << seed_ << "\n  operation " << index_ << ": "
                << operation_ << ' ' << printable(operation_key_) << "\n  clock " << clock_.now_ms()
                << ", snapshots " << snapshots_.size() << ", scans " << scans_.size();
}

void Run::step() {
  const std::uint64_t choice = random_.below(1000);
  if (choice < 560) {
    write_step(choice);
  } else if (choice < 940) {
    read_step(choice - 560);
  } else if (choice < 975) {
    scan_step(choice - 940);
  } else if (choice < 990) {
    advance(static_cast<std::int64_t>(random_.below(random_.chance(5) ? 5000 : 20)));
  } else {
    begin("maintain");
    db::Access::engine(*db_).maintain();
  }
  expect(db_->approximate_memory() <= workload_.options.memory_budget_bytes,
         "M1: memory stays within its budget");
}

void Run::write_step(std::uint64_t choice) {
  bool is_put = choice < 300;
  const bool is_erase = choice >= 380 && choice < 480;
  if (workload_.has_tides && (is_put || is_erase)) is_put = is_ebb_ != random_.chance(90);
  if (is_put) {
    put();
  } else if (choice < 300 || is_erase) {
    erase();
  } else if (choice < 380) {
    put_expiring();
  } else if (choice < 520) {
    expire();
  } else if (choice < 535) {
    persist();
  } else {
    write_batch();
  }
}

Run::Deadline Run::some_deadline() {
  const std::int64_t now = clock_.now_ms();
  static constexpr std::array<std::uint64_t, 4> kReaches{4, 60, 3000, 500'000};
  const auto delay = static_cast<std::int64_t>(random_.below(kReaches[random_.below(4)]));
  switch (random_.below(10)) {
    case 0:
      return {.expiry = Expiry::at_ms(now - delay), .ms = now - delay};
    case 1:
      return {.expiry = Expiry::at_ms(0), .ms = 0};
    case 2:
      return {.expiry = Expiry::in(std::chrono::milliseconds(-delay)), .ms = now - delay};
    case 3:
      return {.expiry = Expiry::at_ms(testing::Model::kNever - 1),
              .ms = testing::Model::kNever - 1};
    case 4:
      return {.expiry = Expiry::in(std::chrono::milliseconds::max()), .ms = testing::Model::kNever};
    case 5:
      return {.expiry = Expiry::at_ms(std::numeric_limits<std::int64_t>::min()),
              .ms = std::numeric_limits<std::int64_t>::min()};
    case 6:
    case 7:
      return {.expiry = Expiry::at_ms(now + delay), .ms = now + delay};
    default:
      return {.expiry = Expiry::in(std::chrono::milliseconds(delay)), .ms = now + delay};
  }
}

void Run::put_and_compare(const std::string& key, const Deadline& deadline) {
  const std::string value = random_.bytes(value_bytes(random_, workload_.large_value_bytes));
  const auto result = db_->put(key, value, deadline.expiry);
  if (result) {
    model_->put(key, value, deadline.ms);
  } else {
    refused(result.error(), {key});
  }
}

void Run::put() {
  begin("put", some_key());
  put_and_compare(operation_key_, never());
}

void Run::put_expiring() {
  begin("put with expiry", some_key());
  put_and_compare(operation_key_, some_deadline());
}

void Run::erase() {
  begin("erase", some_key());
  const auto was_there = db_->erase(operation_key_);
  if (!was_there) {
    expect(!snapshots_.empty() || !scans_.empty(), "erasing needs no room but under a snapshot");
    refused(was_there.error(), {operation_key_});
    return;
  }
  const bool was_in_model = model_->erase(operation_key_);
  expect(*was_there == was_in_model || (workload_.evicts() && !*was_there),
         "erase tells whether the key was there");
}

void Run::expire() {
  begin("expire", some_key());
  const Deadline deadline = some_deadline();
  const auto was_there = db_->expire(operation_key_, deadline.expiry);
  if (!was_there) return refused(was_there.error(), {operation_key_});
  if (workload_.evicts() && !*was_there) {
    model_->erase(operation_key_);
    return;
  }
  expect(*was_there == model_->expire(operation_key_, deadline.ms),
         "expire tells whether the key was there");
}

void Run::persist() {
  begin("persist", some_key());
  const auto had_one = db_->persist(operation_key_);
  if (!had_one) return refused(had_one.error(), {operation_key_});
  const auto* entry = model_->find(operation_key_);
  const bool should_have = entry != nullptr && entry->deadline_ms != testing::Model::kNever;
  if (workload_.evicts() && should_have && !*had_one) {
    model_->erase(operation_key_);
    return;
  }
  expect(*had_one == should_have, "persist tells whether the key had a deadline");
  if (should_have) model_->expire(operation_key_, testing::Model::kNever);
}

// C1
void Run::write_batch() {
  begin("write");
  struct Write {
    std::string key;
    std::optional<std::string> value;  // Absent: erase.
    Deadline deadline;
  };
  std::vector<Write> writes;
  std::vector<std::string> keys;
  WriteBatch batch;
  const std::uint64_t first = random_.below(workload_.key_count);
  const std::uint64_t reach = random_.chance(50) ? 5 : workload_.key_count;  // 5: many twice.
  const std::uint64_t count = random_.below(40);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t number = (first + random_.below(reach)) % workload_.key_count;
    Write write{.key = key_of(workload_.key_shape, number), .value = {}, .deadline = never()};
    if (random_.chance(is_ebb_ ? 20 : 70)) {
      write.value = random_.bytes(value_bytes(random_, 5000));
      if (random_.chance(20)) write.deadline = some_deadline();
      batch.put(write.key, *write.value, write.deadline.expiry);
    } else {
      batch.erase(write.key);
    }
    keys.push_back(write.key);
    writes.push_back(std::move(write));
  }
  if (count > 0) operation_key_ = keys.front();
  const auto result = db_->write(batch);
  if (!result) return refused(result.error(), keys);
  for (const Write& write : writes) {
    if (write.value) {
      model_->put(write.key, *write.value, write.deadline.ms);
    } else {
      model_->erase(write.key);
    }
  }
}

/// A write was refused: nothing of it may have happened.
void Run::refused(const Error& error, const std::vector<std::string>& keys) {
  ++refused_count_;
  expect(error.code() == ErrorCode::kOutOfSpace && workload_.is_tight, error.message());
  for (const std::string& key : keys) compare_latest(key);
}

void Run::advance(std::int64_t by_ms) {
  begin("advance");
  clock_.advance(by_ms);
  model_->advance(by_ms);
}

void Run::settle() {
  begin("maintain until nothing is due");
  constexpr int kRoundsMax = 100'000;
  for (int round = 0; round < kRoundsMax && !has_failed_; ++round) {
    const auto next_ms = db::Access::engine(*db_).maintain();
    if (!next_ms || *next_ms > 10) return;
    advance(*next_ms);
  }
  expect(false, "maintain comes to an end");
}

void Run::audit() {
  while (!scans_.empty()) close_scan(scans_.size() - 1);
  snapshots_.clear();
  model_->release_all();
  advance(2 * kReclaimLagMs);
  settle();
  if (has_failed_) return;
  begin("check");
  db::Access::engine(*db_).check();
  audit_stats();
  if (random_.chance(50)) compare_all();
}

void Run::audit_stats() {
  begin("stats");
  const auto stats = db_->stats();
  expect(stats.has_value(), "stats succeed");
  if (!stats) return;
  testing::Moment earlier = model_->latest();
  const auto present = model_->counts(earlier);
  earlier.time_ms -= kReclaimLagMs;
  const auto unreclaimed = model_->counts(earlier);
  if (!workload_.is_on_disk()) {  // There the count is an estimate.
    expect(stats->key_count <= unreclaimed.keys, "keys that are gone are not counted");
    expect(stats->expiring_key_count <= unreclaimed.expiring, "nor their deadlines");
    expect(workload_.evicts() || stats->key_count >= present.keys, "each key is counted");
    expect(workload_.evicts() || stats->expiring_key_count >= present.expiring,
           "each key with a deadline is counted");
  }
  expect(stats->snapshot_count == 0, "no snapshot is held");
  expect(stats->memory_bytes <= stats->memory_budget_bytes, "M1: memory stays within its budget");
  expect(stats->memory_budget_bytes == workload_.options.memory_budget_bytes,
         "the budget is that of the options");
  expect(stats->sequence >= last_sequence_, "C3: the sequence never goes back");
  last_sequence_ = stats->sequence;
  evicted_count_ = std::max(evicted_count_, stats->evicted_count);
  compaction_count_ = std::max(compaction_count_, stats->compaction_count);
}

void Run::reopen() {
  audit();
  begin("close");
  if (has_failed_) return;
  expect(db_->close().has_value(), "a database that nobody uses closes");
  const auto late = db_->get("key");
  expect(!late && late.error().code() == ErrorCode::kClosed, "a closed database says so");
  db_.reset();
  begin("open");
  open();
}

void Run::take_snapshot() {
  begin("snapshot");
  if (snapshots_.size() >= kSnapshotsMax) return release_snapshot();
  auto snapshot = db_->snapshot();
  expect(snapshot.has_value(), "a snapshot can be taken");
  if (!snapshot) return;
  expect(snapshot->taken_at_ms() == clock_.now_ms(), "a snapshot knows when it was taken");
  expect(snapshot->sequence() >= last_sequence_, "C3: the sequence never goes back");
  last_sequence_ = snapshot->sequence();
  snapshots_.push_back(
      {.id = next_snapshot_id_++, .snapshot = std::move(*snapshot), .moment = model_->hold()});
}

void Run::release_snapshot() {
  begin("release");
  if (snapshots_.empty()) return;
  const std::size_t index = random_.below(snapshots_.size());
  for (std::size_t i = scans_.size(); i > 0; --i) {
    if (scans_[i - 1].snapshot_id == snapshots_[index].id) close_scan(i - 1);
  }
  model_->release(snapshots_[index].moment);
  snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Run::open_scan() {
  begin("scan");
  if (scans_.size() >= kScansMax) return close_scan(random_.below(scans_.size()));
  const HeldSnapshot* at = some_snapshot(random_.chance(40));
  const Range range = some_range();
  operation_key_ = range.from;
  auto rows = db_->scan(range, at == nullptr ? nullptr : &at->snapshot);
  if (!rows) return refused(rows.error(), {});
  scans_.push_back({.rows = std::move(*rows),
                    .range = range,
                    .moment = at == nullptr ? model_->hold() : at->moment,
                    .snapshot_id = at == nullptr ? std::nullopt : std::optional(at->id),
                    .position = {}});
}

}  // namespace ashlar::model
