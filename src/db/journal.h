/// \file
/// Between the calls of a database and its engine when there is a directory: every commit goes into
/// the log at the moment at which the engine makes it visible, and is acknowledged when it is as
/// durable as it was asked to be.
///
/// Invariants:
///   C2  What was acknowledged at a durability survives what that durability names.
///   J1  Commits of one key lie in the log in the order in which they took effect, so replaying the
///       log gives the state that was.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "ashlar/options.h"
#include "ashlar/stats.h"
#include "base/thread_safety.h"
#include "db/changes/history.h"
#include "db/changes/reclaim_teller.h"
#include "db/checkpoint_store.h"
#include "db/directory.h"
#include "db/replay_clock.h"
#include "db/values/value_store.h"
#include "engine/persistent_engine.h"
#include "log/local_log.h"
#include "txn/announcement.h"

namespace ashlar::db {

/// What holds every commit that was acknowledged before some moment, as long as it is handed out:
/// files that are whole by themselves, and the log from `begin` on where they are not.
struct BackupSource {
  const Directory& directory;
  log::LogId log_id = 0;
  engine::TimeMs moment_ms = 0;
  log::Start begin;                    ///< Where the log goes on behind the files.
  std::string checkpoint_path;         ///< Of the memory engine.
  log::Log* log = nullptr;             ///< Of the memory engine: all up to its end is needed too.
  std::string manifest;                ///< Of the disk engine: its tables stay (V37),
  const ValueStore* values = nullptr;  ///< and so does what they refer to.
};

using BackupTaker = std::function<Result<void>(const BackupSource&)>;

/// Threads: thread-safe once opened.
class Journal final : private engine::LogControl {
 public:
  /// What a journal works on. All of it must outlive the journal.
  struct World {
    os::Disk& disk;
    const Directory& directory;
    const os::Clock& clock;  ///< The real one.
    ReplayClock& replay_clock;
    engine::StorageEngine& engine;
    engine::PersistentEngine* persistent;  ///< The same, when it keeps its rows in files; or null.
    engine::Background background;         ///< Of such an engine.
    ValueStore* values = nullptr;          ///< Likewise: where its long values stand.
    HistoryLimits history = {};            ///< What is kept of the log for others.
  };

  /// Replays checkpoint and log of the directory into the engine, which has nothing but its files,
  /// lets the clock go live, and starts an engine with files.
  ///
  /// Errors: kCorruption   the log is damaged: names file and offset
  ///         kOutOfSpace   the memory budget does not hold what is in the log
  ///         kIo
  static Result<std::unique_ptr<Journal>> open(const World& world,
                                               const log::LocalLogOptions& options);

  /// As StorageEngine::apply, with the commit in the log and told to transactions. `old_values`,
  /// what the keys had before, gets into the log as well; empty: nobody has asked for it.
  ///
  /// Errors: also kInvalidArgument  with its old values it is longer than any commit may be
  ///              kUnavailable  the log is poisoned; when `durability` is kDisk the commit may have
  ///         taken effect and may not survive
  Result<std::size_t> apply(std::span<const engine::Operation> operations,
                            txn::Announcement& announcement, Durability durability,
                            std::span<const std::optional<Value>> old_values = {});

  /// As StorageEngine::expire, likewise.
  Result<std::optional<engine::TimeMs>> expire(std::string_view key, engine::TimeMs deadline_ms,
                                               txn::Announcement& announcement,
                                               Durability durability);

  /// Returns when every commit is durable that showed before the call.
  ///
  /// Errors: kUnavailable  the log is poisoned
  Result<void> make_shown_durable();

  /// Writes all that the engine holds to a checkpoint, beside writers, or has an engine with files
  /// flush it, and lets go of the log before it. A full disk gives it the log's reserve. One call
  /// at a time works; others wait for it and then do the same.
  ///
  /// Errors: kIo, kOutOfSpace  the checkpoint was given up, the one before still counts
  ///         kUnavailable      the log is poisoned
  Result<void> checkpoint();

  /// Makes a checkpoint, or flushes, and hands what then stands for the database to `take`, beside
  /// writers. With the memory engine no other checkpoint is made meanwhile.
  ///
  /// Errors: as `checkpoint`; those of `take`
  Result<void> back_up(const BackupTaker& take);

  os::Disk& disk() const noexcept { return world_.disk; }

  // For those who follow the log.

  log::LocalLog& log() const noexcept { return *log_; }
  std::vector<std::string> log_folders() const {
    return {world_.directory.history_path(), world_.directory.log_path()};
  }

  /// Starts the thread that makes a checkpoint whenever the log has grown long, or the disk is
  /// full.
  ///
  /// Errors: kUnavailable  the system refuses a thread
  Result<void> start_checkpoints();

  /// Ends the threads and makes everything durable; an engine with files flushes first where much
  /// would have to be replayed. No other call may follow.
  Result<void> close();

  /// Fills in the figures of the log.
  void add_to(Stats& stats) const;

 private:
  /// What the thread of the checkpoints is woken for.
  enum class Wakeup : std::uint8_t { kNone, kLogIsLong, kDiskIsFull };

  explicit Journal(const World& world);

  // For an engine with files: the log as it sees it.
  engine::LogPlace end() const override;
  Result<void> make_durable(const engine::LogPlace& place) override;
  Result<void> release_before(const engine::LogPlace& place) override;

  Result<log::Start> load_base(log::Position& end);
  Result<log::Start> load_checkpoint(log::Position& end);
  Result<void> renew_base_on_full_disk() ASHLAR_REQUIRES(checkpoint_mutex_);
  Result<void> back_up_tables(BackupSource& source, const BackupTaker& take);
  BackupSource backup_source() const;
  Result<void> renew_base() ASHLAR_REQUIRES(checkpoint_mutex_);
  Result<void> checkpoint_locked() ASHLAR_REQUIRES(checkpoint_mutex_);
  Result<std::uint64_t> write_checkpoint(memory::CheckpointWriter& writer);
  void run_checkpoints(const std::stop_token& stop);
  bool is_checkpoint_due() const noexcept;
  bool is_replay_long() const;
  bool is_checkpoint_of_use(Wakeup reason) const;
  void wake_checkpoints(Wakeup reason) noexcept;

  engine::TimeMs moment_ms() const noexcept;
  template <typename Answer, typename Call>
  Result<Answer> commit(std::string& payload, txn::Announcement& announcement, log::Room room_kind,
                        Durability durability, Call call);
  void note_time(log::Position end) noexcept;

  const World world_;
  History history_;                        // Before the log, which asks it.
  std::unique_ptr<ReclaimTeller> teller_;  // Null where nothing is kept for others.
  std::unique_ptr<log::LocalLog> log_;
  log::LogReport report_;

  // About the time, never ahead of it, and the end of the log when it was taken.
  std::atomic<engine::TimeMs> moment_ms_{0};
  std::atomic<log::Position> moment_end_{0};

  base::Mutex checkpoint_mutex_;
  std::unique_ptr<CheckpointStore> checkpoints_ ASHLAR_GUARDED_BY(checkpoint_mutex_);  // Or null.
  log::Start newest_origin_ ASHLAR_GUARDED_BY(checkpoint_mutex_);  // Of the one made last.
  std::atomic<log::Position> checkpoint_origin_{0};  // Of the newest; or what has been flushed.

  std::mutex thread_mutex_;
  std::condition_variable_any thread_wakeup_;
  Wakeup wakeup_ = Wakeup::kNone;  // Guarded by thread_mutex_.
  std::jthread thread_;            // Last, so that it ends first.
};

}  // namespace ashlar::db
