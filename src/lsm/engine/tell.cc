// Keys past their deadline, where a log is to hear of them (engine::ReclaimLog).
//
//     every part of the state that has one --look at its rows--> is it the newest of its key?
//         yes: append to the log, then an erase to the memtable, under the mutex of writers
//         no:  whatever is newer has told of the end of this one, or will tell of its own
//
// Which row is the newest is only known here. So flushes keep rows that have expired, and
// compactions let go of those that were looked at before (V50): the erase on top hides them. How
// far a part was looked at is not kept over openings: then all are looked at again, and found told.

#include <algorithm>
#include <array>
#include <limits>

#include "base/assert.h"
#include "lsm/engine/engine_core.h"
#include "lsm/guarded_read.h"
#include "lsm/upkeep/level_walk.h"

namespace ashlar::lsm {
namespace {

// So many keys are looked up in one call of `maintain`, which nobody can end early,
constexpr std::size_t kLookUpsAtATime = 4096;
// or so many times as many rows of tables are passed by.
constexpr std::uint64_t kRowsPerLookUp = 64;

// Looks follow each other at this distance at least, or at so many times what the last one took:
// where tables are many they are read seldom.
constexpr engine::TimeMs kPauseMs = 1'000;
constexpr int kPausesPerLook = 20;

}  // namespace

/// From here on what expires is kept until it was told of. Before the replay, whose flushes keep it
/// as well.
void DiskEngine::tell_reclaims(engine::ReclaimLog& log) noexcept {
  ASHLAR_ASSERT(reclaims_ == nullptr, "one log hears of what is reclaimed");
  reclaims_ = &log;
  upkeep_->keep_untold();
}

bool DiskEngine::is_started() const {
  const base::MutexLock lock(write_mutex_);
  return log_ != nullptr;
}

/// Whether the newest row of `key` is one that nobody can see any more for its deadline.
Result<bool> DiskEngine::is_past_deadline(std::string_view key) const {
  return read_guarded(domain_, [&]() -> Result<bool> {
    const State& state = catalog_->states().current();  // Before the sequence (V35).
    ASHLAR_TRY_ASSIGN(const std::optional<Row> row, find(state, key, hash_of(key), visible()));
    return row && row->kind != engine::OperationKind::kErase &&
           row->deadline_ms != engine::kNever && clock_.is_past(row->deadline_ms);
  });
}

/// Looks without the mutex first, as `expire` does. No transaction is told: to one that began
/// before the deadline the key is there as long as it reads, and to others it is not.
///
/// Returns: false when the log does not take it now
Result<bool> DiskEngine::tell_expired(std::string_view key) {
  const Sequence before = visible();
  ASHLAR_TRY_ASSIGN(bool is_past, is_past_deadline(key));
  if (!is_past) return true;
  const engine::Operation erase{.kind = engine::OperationKind::kErase, .key = key, .value = {}};
  RowOperations rows({&erase, 1}, nullptr, settings_.large_value_bytes);
  const base::MutexLock lock(write_mutex_);
  if (visible() != before) {
    ASHLAR_TRY_ASSIGN(is_past, is_past_deadline(key));
    if (!is_past) return true;
  }
  ASHLAR_TRY(reserve_locked(rows.rows()));
  if (!reclaims_->append(engine::Reclaimed::kExpired, key)) return false;
  insert_rows(rows, nullptr);
  // Relaxed: only a figure.
  expired_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

/// Tells of the rows from where `rows` stands on; up to `left` keys, which are counted down. With
/// kSome or kRefused `rows` stands on the first that is left.
Result<DiskEngine::Told> DiskEngine::tell_rows(engine::RowCursor& rows, Telling& telling,
                                               std::size_t& left) {
  for (; rows.is_valid(); rows.next()) {
    const engine::StoredRow& row = *rows.row();
    if (row.kind == engine::OperationKind::kErase || row.deadline_ms < telling.from_ms) continue;
    if (row.deadline_ms > telling.now_ms) {
      telling.next_ms = std::min(telling.next_ms, row.deadline_ms);
      continue;
    }
    if (left == 0) return Told::kSome;
    ASHLAR_TRY_ASSIGN(const bool is_told, tell_expired(row.key));
    if (!is_told) return Told::kRefused;
    --left;
  }
  ASHLAR_TRY(rows.status());
  return Told::kAll;
}

/// What is written meanwhile notes its deadlines itself. A look that does not come to its end
/// begins anew: what was told of is then an erase.
Result<DiskEngine::Told> DiskEngine::tell_memtable(SharedMemtable& memtable, std::size_t& left) {
  Telling telling{.from_ms = std::numeric_limits<engine::TimeMs>::min(), .now_ms = clock_.now_ms()};
  if (memtable.untold_ms() > telling.now_ms) return Told::kAll;
  Sequence sequence = 0;
  {
    const base::MutexLock lock(write_mutex_);
    memtable.forget_untold();
    sequence = visible();
  }
  Result<Told> told = Told::kAll;
  {
    const auto rows = memtable->cursor(sequence);
    if (rows) (*rows)->seek_to_first();
    told = rows ? tell_rows(**rows, telling, left) : std::unexpected(rows.error());
  }
  const bool is_done = told && *told == Told::kAll;
  const base::MutexLock lock(write_mutex_);
  memtable.note_untold(is_done ? telling.next_ms : telling.now_ms);
  return told;
}

/// A look that does not come to its end is gone on with the next time, if the table is still there.
Result<DiskEngine::Told> DiskEngine::tell_table(const TableRef& table, std::size_t& left) {
  const std::array<TableRef, 1> one{table};
  LevelWalk walk(one);
  const std::uint64_t number = table->info().number;
  Telling telling{.from_ms = table->untold_ms(), .now_ms = clock_.now_ms()};
  if (telling_rest_.number == number) {
    telling = telling_rest_.telling;
    walk.seek(telling_rest_.key);
  } else {
    walk.seek_to_first();
  }
  telling_rest_ = {};
  ASHLAR_TRY_ASSIGN(const Told told, tell_rows(walk, telling, left));
  if (told == Told::kAll) {
    ASHLAR_ASSERT(telling.next_ms > telling.now_ms, "V50: what is past was told of");
    table->note_told(telling.next_ms);
    left -= std::min<std::uint64_t>(left, table->info().row_count / kRowsPerLookUp);
  } else {
    telling_rest_ = {.number = number, .key = std::string(walk.key()), .telling = telling};
  }
  return told;
}

engine::TimeMs DiskEngine::first_untold_in(const State& state) noexcept {
  engine::TimeMs first_ms = std::min(first_untold_ms(*state.version), state.active->untold_ms());
  for (const MemtableRef& full : state.full) first_ms = std::min(first_ms, full->untold_ms());
  return first_ms;
}

/// Looks at up to about `count_max` keys that are past their deadline.
Result<DiskEngine::Told> DiskEngine::tell_some(std::size_t count_max) {
  const base::Ref<const State> state = catalog_->states().hold();
  const engine::TimeMs now_ms = clock_.now_ms();
  const engine::TimeMs first_ms = first_untold_in(*state);
  if (first_ms > now_ms) return Told::kAll;
  const auto lag_ms = static_cast<std::uint64_t>(now_ms - std::max<engine::TimeMs>(first_ms, 0));
  // Relaxed, and by one at a time: only a figure.
  expiry_lag_ms_max_.store(std::max(expiry_lag_ms_max_.load(std::memory_order_relaxed), lag_ms),
                           std::memory_order_relaxed);
  std::size_t left = count_max;
  std::vector<MemtableRef> memtables = state->full;
  memtables.push_back(state->active);
  for (const MemtableRef& memtable : memtables) {
    ASHLAR_TRY_ASSIGN(const Told told, tell_memtable(*memtable, left));
    if (told != Told::kAll) return told;
  }
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : state->version->tables(level)) {
      if (table->untold_ms() > now_ms) continue;
      if (left == 0) return Told::kSome;
      ASHLAR_TRY_ASSIGN(const Told told, tell_table(table, left));
      if (told != Told::kAll) return told;
    }
  }
  return Told::kAll;
}

/// What the log does not take is left: it keeps its place in the tables.
Result<void> DiskEngine::tell_all() {
  while (true) {
    Told told = Told::kAll;
    {
      const base::MutexLock lock(telling_mutex_);
      ASHLAR_TRY_ASSIGN(told, tell_some(std::numeric_limits<std::size_t>::max()));
    }
    if (told == Told::kAll) return {};
    if (told == Told::kRefused && !reclaims_->make_room()) return {};
  }
}

/// One turn of the background, which is over soon; callers who do the work themselves do all of it.
///
/// Returns: in how many milliseconds to come again
std::optional<engine::TimeMs> DiskEngine::tell_in_background() {
  if (!is_started()) return std::nullopt;
  const auto begin = std::chrono::steady_clock::now();
  Result<Told> told = Told::kAll;
  std::chrono::steady_clock::duration took{};
  {
    const base::MutexLock lock(telling_mutex_);
    do {
      told = tell_some(kLookUpsAtATime);
    } while (background_ == engine::Background::kCallers && told && *told == Told::kSome);
    telling_took_ += std::chrono::steady_clock::now() - begin;
    took = telling_took_;
    if (told && *told == Told::kAll) telling_took_ = {};
  }
  if (!told) return kPauseMs;
  if (*told == Told::kSome) return 1;
  // Outside of all locks: the log waits for the disk.
  if (*told == Told::kRefused) return reclaims_->make_room() ? 1 : kPauseMs;
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kPausesPerLook * took);
  return next_telling(std::max<engine::TimeMs>(kPauseMs, pause.count()));
}

/// Nothing is written meanwhile: whoever writes an earlier deadline later finds this one.
std::optional<engine::TimeMs> DiskEngine::next_telling(engine::TimeMs pause_ms) {
  const base::MutexLock lock(write_mutex_);
  const engine::TimeMs first_ms = first_untold_in(*catalog_->states().hold());
  const engine::TimeMs now_ms = clock_.now_ms();
  next_telling_ms_ = first_ms;
  if (first_ms == engine::kNever) return std::nullopt;
  if (first_ms > now_ms + pause_ms) return first_ms - now_ms;
  next_telling_ms_ = 0;
  return pause_ms;
}

/// A row with that deadline is on its way into the active memtable.
void DiskEngine::note_deadline(engine::TimeMs deadline_ms) noexcept {
  if (reclaims_ == nullptr) return;
  active_->note_untold(deadline_ms);
  if (deadline_ms >= next_telling_ms_) return;
  next_telling_ms_ = 0;
  if (wake_ != nullptr) wake_(wake_context_);
}

void DiskEngine::add_telling(const State& state, Stats& stats) const {
  const engine::TimeMs now_ms = clock_.now_ms();
  const engine::TimeMs first_ms = std::max<engine::TimeMs>(first_untold_in(state), 0);
  stats.expired_count = expired_count_.load(std::memory_order_relaxed);
  if (first_ms < now_ms) stats.expiry_lag_ms = static_cast<std::uint64_t>(now_ms - first_ms);
  stats.expiry_lag_ms_max =
      std::max(expiry_lag_ms_max_.load(std::memory_order_relaxed), stats.expiry_lag_ms);
}

}  // namespace ashlar::lsm
