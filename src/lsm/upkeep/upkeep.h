/// \file
/// What a disk engine does beside its callers: full memtables become tables, tables are compacted,
/// values that stand apart are collected.
///
///     writers --full memtables--> flushes --tables of level 0--> compactions --levels below
///     each waits when what follows is behind, and is told when that has failed
///
/// Flushes and compactions have a thread each, so that a long compaction keeps no memtable in
/// memory. Failures are kept for those who wait, and tried again after a pause: a full disk may be
/// emptied.
///
/// Invariants:
///   V33  The log before a memtable's end is durable before a manifest names that end, and is given
///        up after that.
///   V34  Nobody waits for a flush or a compaction that cannot come.
///   V45  While all is compacted, what is told to be done never shrinks, nor exceeds what is told
///        to be done in all.
///   V50  Where a log is to hear of rows that expire, one whose deadline has passed leaves the
///        tables only behind a newer row of its key, be it the erase that telling of it has left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

#include "ashlar/result.h"
#include "base/thread_safety.h"
#include "engine/persistent_engine.h"
#include "lsm/engine/catalog.h"
#include "lsm/engine/settings.h"
#include "lsm/picker.h"
#include "lsm/upkeep/collection.h"
#include "lsm/upkeep/pace.h"
#include "os/clock.h"
#include "table/rows/cache_shares.h"

namespace ashlar::lsm {

/// What has been done since opening.
struct UpkeepFigures {
  std::uint64_t flush_count = 0;
  std::uint64_t flushed_bytes = 0;  ///< Of tables.
  std::uint64_t compaction_count = 0;
  std::uint64_t compaction_read_bytes = 0;
  std::uint64_t compaction_written_bytes = 0;
  /// Of the last `compact_all`: at most the total, which it is in the end; neither goes back
  /// while it runs (V45).
  std::uint64_t compact_done_bytes = 0;
  std::uint64_t compact_total_bytes = 0;
  std::uint64_t collection_count = 0;
  std::uint64_t collected_bytes = 0;  ///< Values that were moved.
};

/// Threads:  thread-safe.
/// Lifetime: what it is made from must outlive it.
class Upkeep {
 public:
  Upkeep(Catalog& catalog, const EngineSettings& settings, const os::Clock& clock,
         table::CacheShares& caches);
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;
  ~Upkeep() { stop(); }

  /// From now on `log` is told, and with Background::kThreads threads do the work. Before, callers
  /// do it, and the log is left alone: what is replayed from it stays there.
  ///
  /// Errors:   kUnavailable  the system refuses a thread
  /// Lifetime: `log` must stay until `stop`
  Result<void> start(engine::LogControl& log, engine::Background background);

  /// From now on no row goes for its deadline before it was told of (V50). Before the replay.
  void keep_untold() noexcept { keeps_untold_ = true; }

  /// Ends the threads; a compaction under way is given up.
  void stop() noexcept;

  /// Tells that a memtable is full.
  void wake() noexcept;

  /// Waits until level 0 has room for another table. For writers: whoever flushes goes ahead.
  ///
  /// Errors: those of compactions, when they fail
  Result<void> wait_for_level0();

  /// Waits until another memtable may become full.
  ///
  /// Errors: those of flushes, when they fail
  Result<void> wait_for_room();

  /// How long a writer of `bytes` is to wait before it writes, so that compactions keep up.
  Pace::Duration delay_of(std::uint64_t bytes);

  /// Has all full memtables flushed. What failed before is tried again at once.
  ///
  /// Errors: as above, of an attempt that has ended since the call
  Result<void> flush_all();

  /// Carries out the most urgent compaction.
  ///
  /// Returns: whether one was due
  /// Errors:  kCorruption, kIo, kOutOfSpace
  Result<bool> compact_once(const std::stop_token& stop);

  /// Carries out a collection of values, if one is due, and removes what nobody refers to.
  ///
  /// Returns: whether one was due
  /// Errors:  as above
  Result<bool> collect_once(const std::stop_token& stop);

  /// Where there are no threads: does all that is due. What fails is due again.
  void work() noexcept;

  /// Compacts until every row is in the last level and what is erased or expired is gone.
  ///
  /// Errors: as above
  Result<void> compact_all();

  /// Makes the cache as large as memtables and tables leave room for in the budget.
  void fit_cache() noexcept;

  /// For the engine, when a write needs what the cache holds: half of it goes, until the next
  /// flush. Returns: false when there is nothing left to take
  bool shrink_cache() noexcept;

  UpkeepFigures figures() const;

 private:
  enum class Outcome : std::uint8_t { kDone, kFailed };
  /// Of one kind of work.
  struct Attempts {
    std::uint64_t count = 0;
    std::optional<Error> error = {};  // Of the last.
  };

  engine::TimeMs gone_ms() const;
  bool has_full() const { return full_count() > 0; }
  std::size_t full_count() const;
  std::size_t level0_count() const;
  Result<void> work_until_full_at_most(std::size_t count);
  template <typename Condition>
  Result<void> wait_until(const Attempts& attempts, std::uint64_t counting_from, Condition is_met);
  Result<bool> flush_oldest();
  Result<void> write_out(const SharedMemtable& memtable);
  Result<bool> carry_out(const CompactionPlan& plan, const std::stop_token& stop)
      ASHLAR_REQUIRES(compaction_mutex_);
  Result<bool> carry_out(const CollectionPlan& plan, const std::stop_token& stop)
      ASHLAR_REQUIRES(compaction_mutex_);
  Result<void> drop_unreferred() ASHLAR_REQUIRES(compaction_mutex_);
  Result<void> compact_tables();
  Result<bool> tidy_once(const std::stop_token& stop);
  bool is_to_be_rewritten(const CompactionPlan& move) const;
  std::optional<CompactionPlan> pick_of_all() const;
  void begin_progress();
  void end_progress(Outcome outcome);
  void note_tables() noexcept;
  void note(Attempts& attempts, const Result<bool>& result) noexcept;
  void run_flushes(const std::stop_token& stop);
  void run_compactions(const std::stop_token& stop);

  Catalog& catalog_;
  const EngineSettings& settings_;
  const os::Clock& clock_;
  table::CacheShares& caches_;

  // Set by `start`, or before it.
  engine::LogControl* log_ = nullptr;
  bool has_threads_ = false;
  bool keeps_untold_ = false;

  // One flush and one compaction at a time. Before all other locks here.
  base::Mutex flush_mutex_;
  base::Mutex compaction_mutex_;
  // Where pieces begin that have a damaged value, and so cannot be emptied.
  std::set<std::uint64_t> damaged_pieces_ ASHLAR_GUARDED_BY(compaction_mutex_);

  // For writers, who ask at every write: as of the last flush or compaction.
  std::atomic<std::uint64_t> level0_count_{0};

  // Wakes threads and those who wait for them.
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Attempts flushes_;  // Guarded by mutex_, as what follows.
  Attempts compactions_;
  bool is_retry_wanted_ = false;  // Of a flush that failed.
  UpkeepFigures figures_;
  bool is_compacting_all_ = false;
  Pace pace_;
  bool is_stopping_ = false;

  std::jthread flush_thread_;  // Last, so that they end first.
  std::jthread compaction_thread_;
};

}  // namespace ashlar::lsm
