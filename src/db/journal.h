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
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ashlar/options.h"
#include "db/directory.h"
#include "db/replay_clock.h"
#include "engine/storage_engine.h"
#include "log/local_log.h"

namespace ashlar::db {

/// Threads: thread-safe once opened.
class Journal {
 public:
  /// What a journal works on. All of it must outlive the journal.
  struct World {
    os::Disk& disk;
    const os::Clock& clock;  ///< The real one.
    ReplayClock& replay_clock;
    engine::StorageEngine& engine;
  };

  /// Locks the directory, replays its log into the engine, which is empty, and lets the clock go
  /// live.
  ///
  /// Errors: kUnavailable  the directory is open elsewhere
  ///         kCorruption   the log is damaged: names file and offset
  ///         kOutOfSpace   the memory budget does not hold what is in the log
  ///         kIo
  static Result<std::unique_ptr<Journal>> open(const World& world, const std::string& path,
                                               const log::LocalLogOptions& options);

  /// As StorageEngine::apply, with the commit in the log.
  ///
  /// Errors: also kUnavailable  the log is poisoned; when `durability` is kDisk the commit may have
  ///         taken effect and may not survive
  Result<std::size_t> apply(std::span<const engine::Operation> operations, Durability durability);

  /// As StorageEngine::expire, likewise.
  Result<std::optional<engine::TimeMs>> expire(std::string_view key, engine::TimeMs deadline_ms,
                                               Durability durability);

  /// Makes everything durable. No other call may follow.
  Result<void> close() { return log_->close(); }

  const log::LogReport& report() const noexcept { return report_; }

  /// Why writes are refused; nullptr while they are not.
  const Error* poison() const noexcept { return log_->poison(); }

 private:
  explicit Journal(const World& world) noexcept : world_(world) {}

  Result<void> replay(const log::Frame& frame);
  Result<void> replay_into_engine(std::string_view payload);
  engine::TimeMs moment_ms() const noexcept { return moment_ms_.load(std::memory_order_relaxed); }
  template <typename Answer, typename Call>
  Result<Answer> commit(std::string_view payload, Durability durability, Call call);
  void note_time(log::Position end) noexcept;

  const World world_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<log::LocalLog> log_;
  log::LogReport report_;

  // About the time, never ahead of it, and the end of the log when it was taken.
  std::atomic<engine::TimeMs> moment_ms_{0};
  std::atomic<log::Position> moment_end_{0};
};

}  // namespace ashlar::db
