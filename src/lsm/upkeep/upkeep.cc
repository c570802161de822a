// Who waits does so on one condition, which every end of a flush or a compaction signals: such ends
// are rare, and those who wait look again at what they wait for.

#include "lsm/upkeep/upkeep.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <utility>

#include "base/assert.h"
#include "lsm/table_output.h"
#include "lsm/upkeep/compaction.h"
#include "os/thread.h"

namespace ashlar::lsm {
namespace {

// Between two attempts at what failed.
constexpr auto kPauseAfterFailure = std::chrono::milliseconds(500);

// So often deadlines are looked at when nothing else happens,
constexpr auto kPauseBetweenLooks = std::chrono::seconds(60);
// and what a reader kept from being freed when it was replaced.
constexpr auto kPauseForReaders = std::chrono::seconds(1);

// A cache is not made smaller than this.
constexpr std::size_t kCacheBytesMin = std::size_t{2} << 20U;

/// What `table` keeps in memory besides blocks.
std::size_t kept_bytes(const OpenTable& table) noexcept {
  return table.file().pinned_bytes() + table.file().block_count() * sizeof(std::uint64_t);
}

/// The answer of `work`, or kOutOfSpace when it ran out of memory: no exception ends a thread.
template <typename Work>
auto without_exceptions(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return std::unexpected(
        Error::of_literal(ErrorCode::kOutOfSpace, "the process is out of memory"));
  }
}

}  // namespace

Upkeep::Upkeep(Catalog& catalog, const EngineSettings& settings, const os::Clock& clock,
               table::CacheShares& caches)
    : catalog_(catalog),
      settings_(settings),
      clock_(clock),
      caches_(caches),
      pace_(settings.level0_count_stop) {
  ASHLAR_ASSERT(settings.full_count_max > 0, "a memtable may become full");
  ASHLAR_ASSERT(settings.level0_count_stop > settings.picker.level0_count_max,
                "V34: level 0 is compacted before writers wait for it");
}

Result<void> Upkeep::start(engine::LogControl& log, engine::Background background) {
  ASHLAR_ASSERT(log_ == nullptr, "the upkeep is started once");
  log_ = &log;
  note_tables();
  if (background == engine::Background::kCallers) return {};
  has_threads_ = true;
  ASHLAR_TRY_ASSIGN(flush_thread_, os::start_thread("flushes", [this](const std::stop_token& stop) {
                      run_flushes(stop);
                    }));
  ASHLAR_TRY_ASSIGN(compaction_thread_,
                    os::start_thread("compactions", [this](const std::stop_token& stop) {
                      run_compactions(stop);
                    }));
  return {};
}

void Upkeep::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (std::jthread* const thread : {&flush_thread_, &compaction_thread_}) {
    if (!thread->joinable()) continue;
    thread->request_stop();
    thread->join();
  }
}

void Upkeep::wake() noexcept {
  // Under the mutex, so that nobody is between looking and waiting.
  {
    const std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

std::size_t Upkeep::full_count() const {
  return catalog_.states().hold()->full.size();
}

std::size_t Upkeep::level0_count() const {
  return catalog_.states().hold()->version->tables(0).size();
}

Result<void> Upkeep::wait_for_level0() {
  const auto has_room = [this] { return level0_count() < settings_.level0_count_stop; };
  if (has_threads_) return wait_until(compactions_, 0, has_room);
  while (log_ != nullptr && !has_room()) {
    ASHLAR_TRY_ASSIGN(const bool was_due, compact_once({}));
    ASHLAR_ASSERT(was_due, "V34: a level 0 that writers wait for is due");
  }
  return {};
}

Result<void> Upkeep::wait_for_room() {
  const std::size_t count = settings_.full_count_max - 1;
  if (!has_threads_) return work_until_full_at_most(count);
  return wait_until(flushes_, 0, [&] { return full_count() <= count; });
}

Result<void> Upkeep::flush_all() {
  if (!has_threads_) return work_until_full_at_most(0);
  std::uint64_t next = 0;
  {
    const std::lock_guard lock(mutex_);
    next = flushes_.count + 1;
    is_retry_wanted_ = true;
  }
  changed_.notify_all();
  return wait_until(flushes_, next, [&] { return full_count() == 0; });
}

/// The same without threads.
Result<void> Upkeep::work_until_full_at_most(std::size_t count) {
  while (full_count() > count) ASHLAR_TRY(flush_oldest());
  return {};
}

/// Waits until `is_met`, or until the work that would bring that about has failed, of the attempts
/// `counting_from` on.
template <typename Condition>
Result<void> Upkeep::wait_until(const Attempts& attempts, std::uint64_t counting_from,
                                Condition is_met) {
  std::unique_lock lock(mutex_);
  while (!is_met()) {
    if (is_stopping_) {
      return std::unexpected(Error::of_literal(ErrorCode::kClosed, "the database is being closed"));
    }
    if (attempts.error && attempts.count >= counting_from) return std::unexpected(*attempts.error);
    changed_.wait(lock);
  }
  return {};
}

/// Notes how an attempt ended, for those who wait.
void Upkeep::note(Attempts& attempts, const Result<bool>& result) noexcept {
  {
    const std::lock_guard lock(mutex_);
    ++attempts.count;
    attempts.error.reset();
    if (!result) attempts.error = result.error();
  }
  // Tables that found no room in the budget find some with the next attempt.
  if (!result && result.error().code() == ErrorCode::kOutOfSpace) (void)shrink_cache();
  changed_.notify_all();
}

/// Makes tables of the oldest full memtable. Returns false when there is none.
Result<bool> Upkeep::flush_oldest() {
  const base::MutexLock lock(flush_mutex_);
  base::Ref<const State> state = catalog_.states().hold();
  if (state->full.empty()) return false;
  ASHLAR_TRY(write_out(*state->full.front()));
  const engine::LogPlace end = state->full.front()->end;
  // The memtable goes before the log is asked to: what only it refers to need not be kept.
  state = {};
  catalog_.states().collect();
  // What the log cannot give up now it gives up with the next flush.
  if (log_ != nullptr) (void)log_->release_before(end);
  note_tables();
  return true;
}

/// The order of the steps is V33.
Result<void> Upkeep::write_out(const SharedMemtable& memtable) {
  // Deadlines are judged by the clock of the engine: while the log is replayed, by that of then.
  // What is still to be told stays, whatever its deadline (V50).
  constexpr auto kNothingIsGone = std::numeric_limits<engine::TimeMs>::min();
  TableOutput output(catalog_.tables(),
                     {.table = settings_.table_options(0, false),
                      .table_bytes_max = ~std::uint64_t{0},
                      .now_ms = keeps_untold_ ? kNothingIsGone : clock_.now_ms()});
  ASHLAR_TRY_ASSIGN(const auto rows, memtable->cursor(engine::View::kLatestSequence));
  rows->seek_to_first();
  ASHLAR_TRY(output.add_some(*rows, ~std::uint64_t{0}));
  ASHLAR_TRY(rows->status());
  ASHLAR_TRY_ASSIGN(const auto tables, output.finish());
  if (log_ != nullptr) {
    if (Result<void> durable = log_->make_durable(memtable.end); !durable) {
      for (const auto& table : tables) table->mark_obsolete();
      return durable;
    }
  }
  ASHLAR_TRY(catalog_.install_flush(tables, memtable));
  const std::lock_guard lock(mutex_);
  ++figures_.flush_count;
  for (const auto& table : tables) figures_.flushed_bytes += table->info().file_bytes;
  return {};
}

/// Rows with deadlines up to this are of no use to anybody. So compactions for their sake wait
/// until they were told of.
engine::TimeMs Upkeep::gone_ms() const {
  const engine::TimeMs now_ms = clock_.now_ms();
  if (!keeps_untold_) return now_ms;
  const engine::TimeMs untold_ms = first_untold_ms(*catalog_.states().hold()->version);
  return std::min(now_ms, std::max<engine::TimeMs>(untold_ms, 1) - 1);
}

Result<bool> Upkeep::compact_once(const std::stop_token& stop) {
  const base::MutexLock lock(compaction_mutex_);
  const base::Ref<const State> state = catalog_.states().hold();
  const Picker picker(*state->version, settings_.picker, {});
  const auto plan = picker.pick(gone_ms());
  if (!plan) return false;
  return carry_out(*plan, stop);
}

void Upkeep::work() noexcept {
  if (has_threads_ || log_ == nullptr) return;
  (void)without_exceptions([this]() -> Result<void> {
    ASHLAR_TRY(flush_all());
    while (true) {
      ASHLAR_TRY_ASSIGN(const bool was_due, tidy_once({}));
      if (!was_due) return {};
    }
  });
}

/// The next step to where `compact_all` goes.
std::optional<CompactionPlan> Upkeep::pick_of_all() const {
  const base::Ref<const State> state = catalog_.states().hold();
  const Version& version = *state->version;
  std::string smallest;
  std::string largest;
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : version.tables(level)) {
      if (smallest.empty() || table->info().smallest < smallest) smallest = table->info().smallest;
      largest = std::max(largest, table->info().largest);
    }
  }
  if (largest.empty()) return std::nullopt;
  const Picker picker(version, settings_.picker, {});
  return picker.pick_range(smallest, largest, gone_ms());
}

/// Compactions come first: they tell what is garbage.
Result<bool> Upkeep::tidy_once(const std::stop_token& stop) {
  ASHLAR_TRY_ASSIGN(const bool was_due, compact_once(stop));
  return was_due ? Result<bool>(true) : collect_once(stop);
}

Result<bool> Upkeep::collect_once(const std::stop_token& stop) {
  const base::MutexLock lock(compaction_mutex_);
  const ApartValues* const values = catalog_.tables().values();
  if (values == nullptr) return false;
  ASHLAR_TRY(drop_unreferred());
  const base::Ref<const State> state = catalog_.states().hold();
  const auto plan =
      pick_collection(*state->version, values->pieces(), settings_.collection, damaged_pieces_);
  if (!plan) return false;
  return carry_out(*plan, stop);
}

/// Returns false when it was stopped.
Result<bool> Upkeep::carry_out(const CollectionPlan& plan, const std::stop_token& stop) {
  ASHLAR_TRY_ASSIGN(const auto result,
                    collect(catalog_.tables(), plan, settings_, gone_ms(), stop));
  if (!result) return false;
  ASHLAR_TRY(catalog_.install(result->edit));
  damaged_pieces_.insert(result->damaged.begin(), result->damaged.end());
  note_tables();
  const std::lock_guard lock(mutex_);
  ++figures_.collection_count;
  figures_.collected_bytes += result->moved_bytes;
  return true;
}

/// Not while the next opening may find another manifest, whose tables refer to other values (V31).
Result<void> Upkeep::drop_unreferred() {
  catalog_.states().collect();
  return catalog_.is_sure() ? catalog_.tables().values()->drop_unreferred() : Result<void>();
}

Result<void> Upkeep::compact_all() {
  ASHLAR_TRY(compact_tables());
  while (true) {
    ASHLAR_TRY_ASSIGN(const bool was_due, collect_once({}));
    if (!was_due) return {};
  }
}

Result<void> Upkeep::compact_tables() {
  const base::MutexLock lock(compaction_mutex_);
  begin_progress();
  while (const auto plan = pick_of_all()) {
    if (Result<bool> done = carry_out(*plan, {}); !done) {
      end_progress(Outcome::kFailed);
      return std::unexpected(std::move(done).error());
    }
  }
  end_progress(Outcome::kDone);
  return {};
}

void Upkeep::begin_progress() {
  const std::uint64_t total = bytes_to_compact(*catalog_.states().hold()->version, gone_ms());
  const std::lock_guard lock(mutex_);
  figures_.compact_done_bytes = 0;
  figures_.compact_total_bytes = total;
  is_compacting_all_ = true;
}

/// However good the estimate was: when it is done nothing is left.
void Upkeep::end_progress(Outcome outcome) {
  const std::lock_guard lock(mutex_);
  ASHLAR_ASSERT(figures_.compact_done_bytes <= figures_.compact_total_bytes,
                "V45: no more is done than there was to do");
  if (outcome == Outcome::kDone) figures_.compact_done_bytes = figures_.compact_total_bytes;
  is_compacting_all_ = false;
}

/// Whether the table of a move was written for speed and comes to where tables are to be small.
bool Upkeep::is_to_be_rewritten(const CompactionPlan& move) const {
  const auto wanted = settings_.table_options(move.output_level, move.is_bottom_most).compression;
  if (settings_.compression != TableCompression::kZstd) return false;
  return opened(*move.inputs.front()).file().properties().compression != wanted;
}

/// Returns false when it was stopped.
Result<bool> Upkeep::carry_out(const CompactionPlan& plan, const std::stop_token& stop) {
  if (plan.is_move && !is_to_be_rewritten(plan)) {
    ASHLAR_TRY(catalog_.install(edit_of_move(plan)));
    note_tables();
    return true;
  }
  const auto begin = std::chrono::steady_clock::now();
  const OutputRule rule{.table = settings_.table_options(plan.output_level, plan.is_bottom_most),
                        .table_bytes_max = settings_.table_bytes_max,
                        .now_ms = gone_ms()};
  CompactionPlan merge = plan;
  merge.is_move = false;
  ASHLAR_TRY_ASSIGN(const auto result, compact(catalog_.tables(), merge, rule, stop));
  if (!result) return false;
  ASHLAR_TRY(catalog_.install(result->edit));
  note_tables();
  std::uint64_t drained_bytes = 0;
  if (plan.input_level == 0) {
    for (const TableRef& table : plan.inputs) drained_bytes += table->info().file_bytes;
  }
  const std::lock_guard lock(mutex_);
  if (drained_bytes > 0) {
    pace_.note_drain(drained_bytes, std::chrono::steady_clock::now() - begin);
  }
  ++figures_.compaction_count;
  figures_.compaction_read_bytes += result->read_bytes;
  if (is_compacting_all_) {
    figures_.compact_done_bytes =
        std::min(figures_.compact_done_bytes + result->read_bytes, figures_.compact_total_bytes);
  }
  figures_.compaction_written_bytes += result->written_bytes;
  return true;
}

Pace::Duration Upkeep::delay_of(std::uint64_t bytes) {
  const std::uint64_t count = level0_count_.load(std::memory_order_relaxed);
  if (2 * count < settings_.level0_count_stop || !has_threads_) [[likely]]
    return {};
  const std::lock_guard lock(mutex_);
  return pace_.delay_of(bytes, count);
}

/// Other tables are current.
void Upkeep::note_tables() noexcept {
  level0_count_.store(level0_count(), std::memory_order_relaxed);
  fit_cache();
}

void Upkeep::fit_cache() noexcept {
  const base::Ref<const State> state = catalog_.states().hold();
  std::size_t kept = settings_.memtable_share_bytes() + settings_.table_margin_bytes();
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : state->version->tables(level)) kept += kept_bytes(opened(*table));
  }
  const std::size_t left = settings_.budget_bytes - std::min(settings_.budget_bytes, kept);
  caches_.set_capacity(std::max(left, kCacheBytesMin));
}

bool Upkeep::shrink_cache() noexcept {
  return caches_.halve();
}

UpkeepFigures Upkeep::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

void Upkeep::run_flushes(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Result<bool> flushed = without_exceptions([this] { return flush_oldest(); });
    note(flushes_, flushed);
    std::unique_lock lock(mutex_);
    if (!flushed) {
      changed_.wait_for(lock, stop, kPauseAfterFailure, [this] { return is_retry_wanted_; });
      is_retry_wanted_ = false;
    } else {
      changed_.wait(lock, stop, [this] { return has_full(); });
    }
  }
}

void Upkeep::run_compactions(const std::stop_token& stop) {
  std::uint64_t seen_count = 0;  // Flushes that had been made when nothing was due.
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(mutex_);
      seen_count = figures_.flush_count;
    }
    const Result<bool> compacted = without_exceptions([&] { return tidy_once(stop); });
    note(compactions_, compacted);
    if (compacted && *compacted) continue;
    const bool waits_for_readers = catalog_.states().collect() > 0;
    std::unique_lock lock(mutex_);
    if (!compacted) {
      changed_.wait_for(lock, stop, kPauseAfterFailure, [] { return false; });
    } else {
      changed_.wait_for(lock, stop, waits_for_readers ? kPauseForReaders : kPauseBetweenLooks,
                        [&] { return figures_.flush_count != seen_count; });
    }
  }
}

}  // namespace ashlar::lsm
