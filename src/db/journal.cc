// A commit's way: coded into the thread's buffer, hashed, then applied by the engine, which asks
// for it to be appended at the moment when it becomes visible and with its buckets locked (J1).
// Waiting for the disk comes after that, with no lock held.

#include "db/journal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "db/replayer.h"
#include "engine/operation_codec.h"

namespace ashlar::db {
namespace {

// The clock is read once in so many bytes of log.
constexpr log::Position kBytesPerClockReading = 16U << 10U;

// A thread keeps a buffer up to this length for its next payload.
constexpr std::size_t kPayloadBytesKept = std::size_t{1} << 20U;

/// One commit on its way into the log. `payload` is that of `entry`.
class LogCommit final : public engine::Commit {
 public:
  /// Input: has_position  whether values may be read from the log later
  LogCommit(log::Log& log, std::string& payload, log::Entry& entry, txn::Announcement& announcement,
            bool has_position) noexcept
      : log_(log),
        payload_(payload),
        entry_(entry),
        announcement_(announcement),
        has_position_(has_position) {}

  void announce(Sequence sequence) noexcept override { announcement_.announce(sequence); }

  bool append() noexcept override {
    if (!announcement_.is_good()) [[unlikely]]
      return false;
    appended_ = log_.try_append(entry_, end_);
    return appended_ == log::Appended::kYes;
  }

  /// Another payload takes the place of the one at hand, also for whoever makes room for it.
  bool append_as(const engine::Operation& put) override {
    const engine::TimeMs moment_ms = engine::PayloadReader(payload_).moment_ms();
    engine::PayloadWriter(payload_, moment_ms).add(put);
    entry_ = log::Entry(payload_);
    return append();
  }

  bool has_position() const noexcept override { return has_position_; }
  std::uint64_t payload_position() const noexcept override {
    ASHLAR_ASSERT(appended_ == log::Appended::kYes, "what has a position was appended");
    return end_ - log::frame_bytes_for(payload_.size()) + log::FrameHeader::kBytes;
  }

  /// Nothing while the engine has not asked for it, for instance since no key was there.
  std::optional<log::Appended> appended() const noexcept { return appended_; }
  log::Position end() const noexcept { return end_; }

 private:
  log::Log& log_;
  std::string& payload_;
  log::Entry& entry_;
  txn::Announcement& announcement_;
  const bool has_position_;
  std::optional<log::Appended> appended_;
  log::Position end_ = 0;
};

/// The calling thread's buffer for a payload.
class PayloadBuffer {
 public:
  PayloadBuffer() noexcept = default;
  PayloadBuffer(const PayloadBuffer&) = delete;
  PayloadBuffer& operator=(const PayloadBuffer&) = delete;
  ~PayloadBuffer() {
    if (bytes().capacity() > kPayloadBytesKept) std::string().swap(bytes());
  }
  std::string& bytes() noexcept {
    thread_local std::string buffer;
    return buffer;
  }
};

Error too_long() {
  return {ErrorCode::kInvalidArgument,
          "with the values that were there before a commit has more than " +
              std::to_string(log::kPayloadBytesMax) + " bytes, the most that the log takes"};
}

}  // namespace

Journal::Journal(const World& world)
    : world_(world),
      history_({.disk = world.disk,
                .clock = world.clock,
                .log_folder = world.directory.log_path(),
                .folder = world.directory.history_path(),
                .next = world.values},
               world.history) {}

Result<std::unique_ptr<Journal>> Journal::open(const World& world,
                                               const log::LocalLogOptions& options) {
  std::unique_ptr<Journal> journal(new Journal(world));
  if (world.history.bytes_max > 0) {
    journal->teller_ = std::make_unique<ReclaimTeller>(world.clock);
    world.engine.tell_reclaims(*journal->teller_);
  }
  log::Position base_end = 0;
  ASHLAR_TRY_ASSIGN(const log::Start start, journal->load_base(base_end));
  const std::string log_path = world.directory.log_path();
  Replayer replayer(world.engine, world.replay_clock, log_path, journal->teller_.get());
  const auto replay = [&](const log::Frame& frame) {
    if (world.values == nullptr) return replayer.add(frame.payload);
    return replayer.add(frame.payload, frame.position + log::FrameHeader::kBytes);
  };
  log::LocalLogOptions complete = options;
  complete.heir = &journal->history_;
  ASHLAR_TRY_ASSIGN(journal->log_, log::LocalLog::open(world.disk, log_path, complete, start,
                                                       replay, journal->report_));
  ASHLAR_TRY(replayer.finish());
  if (world.values != nullptr) world.values->attach(*journal->log_);
  ASHLAR_TRY(journal->history_.attach(journal->log_->id(),
                                      journal->log_->segments().front().header.number));
  if (journal->log_->end().position < base_end) {
    return std::unexpected(
        Error(ErrorCode::kCorruption,
              log_path + ": the log ends at " + std::to_string(journal->log_->end().position) +
                  ", before what the checkpoint was made beside: " + std::to_string(base_end)));
  }
  if (journal->teller_ != nullptr) ASHLAR_TRY(journal->teller_->go_live(*journal->log_));
  journal->moment_ms_.store(world.clock.now_ms(), std::memory_order_relaxed);
  journal->moment_end_.store(journal->log_->end().position, std::memory_order_relaxed);
  world.replay_clock.go_live();
  if (world.persistent != nullptr) ASHLAR_TRY(world.persistent->start(*journal, world.background));
  return journal;
}

/// Runs `call(commit)` on the engine until the log has taken the commit, or need not.
template <typename Answer, typename Call>
Result<Answer> Journal::commit(std::string& payload, txn::Announcement& announcement,
                               log::Room room_kind, Durability durability, Call call) {
  log::Entry entry(payload, room_kind);
  while (true) {
    if (Result<void> room = log_->make_room(entry); !room) {
      if (room.error().code() == ErrorCode::kOutOfSpace) wake_checkpoints(Wakeup::kDiskIsFull);
      return std::unexpected(room.error());
    }
    LogCommit commit(*log_, payload, entry, announcement, world_.values != nullptr);
    Result<Answer> answer = call(commit);
    if (commit.appended() == log::Appended::kNoRoom) continue;
    if (commit.appended() == log::Appended::kNever) {
      ASHLAR_ASSERT(log_->poison() != nullptr, "a log that takes nothing more tells why");
      return std::unexpected(*log_->poison());
    }
    if (!answer) return answer;
    // A commit that found nothing to do rests on those before it: what it saw must survive too.
    const log::Position end = commit.appended() ? commit.end() : log_->end().position;
    note_time(end);
    if (durability == Durability::kDisk) ASHLAR_TRY(log_->durable(end));
    return answer;
  }
}

Result<std::size_t> Journal::apply(std::span<const engine::Operation> operations,
                                   txn::Announcement& announcement, Durability durability,
                                   std::span<const std::optional<Value>> old_values) {
  PayloadBuffer buffer;
  engine::PayloadWriter writer(buffer.bytes(), moment_ms());
  bool only_erases = true;
  for (const engine::Operation& operation : operations) {
    writer.add(operation);
    only_erases = only_erases && operation.kind == engine::OperationKind::kErase;
  }
  if (!old_values.empty()) {
    ASHLAR_ASSERT(old_values.size() == operations.size(), "each key had something or nothing");
    writer.add_old_values(old_values);
    if (buffer.bytes().size() > log::kPayloadBytesMax) return std::unexpected(too_long());
  }
  const log::Room room = only_erases ? log::Room::kReserved : log::Room::kOrdinary;
  return commit<std::size_t>(
      buffer.bytes(), announcement, room, durability,
      [&](engine::Commit& commit) { return world_.engine.apply(operations, &commit); });
}

Result<std::optional<engine::TimeMs>> Journal::expire(std::string_view key,
                                                      engine::TimeMs deadline_ms,
                                                      txn::Announcement& announcement,
                                                      Durability durability) {
  PayloadBuffer buffer;
  engine::PayloadWriter writer(buffer.bytes(), moment_ms());
  writer.add_expire(key, deadline_ms);
  return commit<std::optional<engine::TimeMs>>(
      buffer.bytes(), announcement, log::Room::kOrdinary, durability,
      [&](engine::Commit& commit) { return world_.engine.expire(key, deadline_ms, &commit); });
}

/// Where moments are what somebody goes back to, each is read from the clock.
engine::TimeMs Journal::moment_ms() const noexcept {
  if (world_.history.bytes_max > 0) return world_.clock.now_ms();
  return moment_ms_.load(std::memory_order_relaxed);
}

/// What shows has been appended before.
Result<void> Journal::make_shown_durable() {
  return log_->durable(log_->end().position);
}

/// Takes the time now and then, without a reading for each commit.
void Journal::note_time(log::Position end) noexcept {
  if (end - moment_end_.load(std::memory_order_relaxed) < kBytesPerClockReading) return;
  moment_end_.store(end, std::memory_order_relaxed);
  moment_ms_.store(world_.clock.now_ms(), std::memory_order_relaxed);
  if (is_checkpoint_due()) wake_checkpoints(Wakeup::kLogIsLong);
}

void Journal::add_to(Stats& stats) const {
  const log::Position end = log_->end().position;
  const log::Position durable = log_->durable_end();
  const log::Position origin = checkpoint_origin_.load(std::memory_order_relaxed);
  stats.log_bytes = end - std::min(end, origin);
  stats.unsynced_bytes = end - std::min(end, durable);
  stats.refuses_writes = log_->poison() != nullptr ? 1 : 0;
  stats.replayed_count = report_.frame_count;
  stats.torn_bytes = report_.torn_bytes;
}

}  // namespace ashlar::db
