// Checkpoints: making them beside writers, and beginning from the newest.

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "db/journal.h"
#include "db/replayer.h"
#include "os/thread.h"

namespace ashlar::db {
namespace {

// The log may grow to this length, or to that of what the engine holds where that is more: writing
// a checkpoint then costs no more than writing the log did.
constexpr std::uint64_t kLogBytesMin = std::uint64_t{256} << 20U;

// An orderly end leaves no more to replay to an engine with files: some milliseconds.
constexpr std::uint64_t kReplayBytesMax = std::uint64_t{1} << 20U;

engine::LogPlace place_of(const log::Start& start) noexcept {
  return {.position = start.position, .chain = start.chain, .commit = start.commit};
}

log::Start start_of(const engine::LogPlace& place) noexcept {
  return {.position = place.position, .chain = place.chain, .commit = place.commit};
}

}  // namespace

engine::LogPlace Journal::end() const {
  return place_of(log_->end());
}

Result<void> Journal::make_durable(const engine::LogPlace& place) {
  return log_->durable(place.position);
}

Result<void> Journal::release_before(const engine::LogPlace& place) {
  checkpoint_origin_.store(place.position, std::memory_order_relaxed);
  return log_->truncate_before(place.position);
}

/// Finds what the log goes on from: the files of the engine, or a checkpoint. Returns where that
/// is, and in `end` how far the log must reach.
Result<log::Start> Journal::load_base(log::Position& end) {
  if (world_.persistent == nullptr) return load_checkpoint(end);
  const log::Start start = start_of(world_.persistent->flushed_place());
  end = start.position;
  checkpoint_origin_.store(start.position, std::memory_order_relaxed);
  return start;
}

/// Loads the newest checkpoint into the engine. Returns where the log goes on, and in `end` how far
/// the log must reach.
Result<log::Start> Journal::load_checkpoint(log::Position& end) {
  const base::MutexLock lock(checkpoint_mutex_);
  const std::string path = world_.directory.checkpoint_path();
  checkpoints_ = std::make_unique<CheckpointStore>(world_.disk, path);
  ASHLAR_TRY(checkpoints_->open());
  Replayer replayer(world_.engine, world_.replay_clock, path, teller_.get());
  ASHLAR_TRY_ASSIGN(const auto report, checkpoints_->load([&](std::string_view payload) {
    return replayer.add(payload);
  }));
  ASHLAR_TRY(replayer.finish());
  if (!report) return log::Start{};
  end = report->end;
  checkpoint_origin_.store(report->origin.position, std::memory_order_relaxed);
  return start_of(report->origin);
}

Result<void> Journal::checkpoint() {
  const base::MutexLock lock(checkpoint_mutex_);
  return renew_base_on_full_disk();
}

Result<void> Journal::renew_base_on_full_disk() {
  Result<void> done = renew_base();
  if (done || done.error().code() != ErrorCode::kOutOfSpace) return done;
  ASHLAR_TRY(log_->release_reserve());
  return renew_base();
}

/// Brings all that has been committed to where the log is not needed for it.
Result<void> Journal::renew_base() {
  if (world_.persistent != nullptr) return world_.persistent->flush();
  ASHLAR_ASSERT(checkpoints_ != nullptr, "a journal that is open has its checkpoints");
  Result<void> done = checkpoint_locked();
  if (!done) checkpoints_->give_up();
  return done;
}

/// The order of the steps is what recovery rests on (K2): the walk sees every commit before the
/// origin; all that it saw is durable in the log before the checkpoint counts; and only then is the
/// log before the origin given up.
Result<void> Journal::checkpoint_locked() {
  // First the place in the log, then the walk: every commit before it is seen by the walk.
  const log::Start origin = log_->end();
  ASHLAR_TRY_ASSIGN(const auto writer,
                    checkpoints_->begin(place_of(origin), world_.clock.now_ms()));
  ASHLAR_TRY_ASSIGN(const std::uint64_t end, write_checkpoint(*writer));
  ASHLAR_TRY(log_->durable(end));
  ASHLAR_TRY(writer->finish(end));
  ASHLAR_TRY(checkpoints_->install());
  newest_origin_ = origin;
  checkpoint_origin_.store(origin.position, std::memory_order_relaxed);
  return log_->truncate_before(origin.position);
}

BackupSource Journal::backup_source() const {
  return {.directory = world_.directory,
          .log_id = log_->id(),
          .moment_ms = world_.clock.now_ms(),
          .begin = {},
          .checkpoint_path = {},
          .log = nullptr,
          .manifest = {},
          .values = world_.values};
}

/// The checkpoint was written beside writers: only with the log up to where that ended it stands
/// for a state that was. That much is durable (K2), and has every commit acknowledged before the
/// call. The mutex keeps checkpoint and log where they are.
Result<void> Journal::back_up(const BackupTaker& take) {
  BackupSource source = backup_source();
  if (world_.persistent != nullptr) return back_up_tables(source, take);
  const base::MutexLock lock(checkpoint_mutex_);
  ASHLAR_TRY(renew_base_on_full_disk());
  source.begin = newest_origin_;
  source.checkpoint_path = checkpoints_->newest_path();
  source.log = log_.get();
  return take(source);
}

/// What a flush has left in tables is every commit up to one and none behind it: nothing of the log
/// is needed besides. A later flush only makes that more.
Result<void> Journal::back_up_tables(BackupSource& source, const BackupTaker& take) {
  ASHLAR_TRY(checkpoint());
  const std::unique_ptr<engine::HeldFiles> held = world_.persistent->hold_files();
  source.manifest = held->list();
  ASHLAR_ASSERT(!source.manifest.empty(), "an engine with files has a list of them");
  return take(source);
}

/// Writes every row. Returns the end of the log when the last one had been read.
Result<std::uint64_t> Journal::write_checkpoint(memory::CheckpointWriter& writer) {
  ASHLAR_TRY(world_.engine.visit_all([&](const engine::StorageEngine::Row& row) {
    return writer.add({.key = row.key, .value = row.value, .deadline_ms = row.deadline_ms});
  }));
  return log_->end().position;
}

/// An engine with files flushes by itself: the log is about as long as what it has in memory.
bool Journal::is_checkpoint_due() const noexcept {
  if (world_.persistent != nullptr) return false;
  const log::Position origin = checkpoint_origin_.load(std::memory_order_relaxed);
  const log::Position end = moment_end_.load(std::memory_order_relaxed);
  const std::uint64_t length_max =
      std::max<std::uint64_t>(kLogBytesMin, world_.engine.memory_bytes());
  return end > origin && end - origin > length_max;
}

/// Whether the next opening would be noticeably slower for what is in the log alone.
bool Journal::is_replay_long() const {
  const log::Position origin = checkpoint_origin_.load(std::memory_order_relaxed);
  return log_->end().position - origin > kReplayBytesMax;
}

Result<void> Journal::start_checkpoints() {
  ASHLAR_TRY_ASSIGN(thread_, os::start_thread("checkpoints", [this](const std::stop_token& stop) {
                      run_checkpoints(stop);
                    }));
  return {};
}

/// Whether a checkpoint would help; on a full disk also one that gives back only a segment.
bool Journal::is_checkpoint_of_use(Wakeup reason) const {
  const log::Position origin = checkpoint_origin_.load(std::memory_order_relaxed);
  const bool frees_segment = log_->end().position - origin > log_->segment_bytes();
  return is_checkpoint_due() || (reason == Wakeup::kDiskIsFull && frees_segment);
}

void Journal::wake_checkpoints(Wakeup reason) noexcept {
  {
    const std::lock_guard lock(thread_mutex_);
    wakeup_ = std::max(wakeup_, reason);
  }
  thread_wakeup_.notify_one();
}

/// Makes checkpoints as they fall due. One that failed is tried again after a while, and not told
/// to anybody: the log goes on growing, which `stats` shows.
void Journal::run_checkpoints(const std::stop_token& stop) {
  constexpr auto kPauseAfterFailure = std::chrono::seconds(5);
  bool has_failed = false;
  while (!stop.stop_requested()) {
    Wakeup reason = Wakeup::kNone;
    {
      std::unique_lock lock(thread_mutex_);
      if (has_failed) {
        thread_wakeup_.wait_for(lock, stop, kPauseAfterFailure, [] { return false; });
      } else {
        thread_wakeup_.wait(lock, stop, [this] { return wakeup_ != Wakeup::kNone; });
      }
      reason = std::exchange(wakeup_, Wakeup::kNone);
    }
    has_failed = false;
    if (stop.stop_requested() || !is_checkpoint_of_use(reason)) continue;
    try {
      has_failed = !checkpoint();
    } catch (const std::bad_alloc&) {
      has_failed = true;
    }
  }
}

Result<void> Journal::close() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  if (world_.persistent != nullptr) {
    // The log has it all: what cannot be flushed the next opening replays.
    if (is_replay_long()) (void)world_.persistent->flush();
    world_.persistent->stop();
  }
  return log_->close();
}

}  // namespace ashlar::db
