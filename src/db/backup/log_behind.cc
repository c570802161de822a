#include "db/backup/log_behind.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "db/changes/commit_reader.h"
#include "db/directory.h"
#include "engine/operation_codec.h"

namespace ashlar::db {
namespace {

// Behind the last commit of a backup may stand the ends of processes; hardly so many.
constexpr std::uint64_t kLookBack = 64;

Error refusal(const std::string& what) {
  return {ErrorCode::kInvalidArgument, what};
}

Error beyond_goal(const BackupList& list, const RestoreOptions& options) {
  return refusal(options.backup + ": the backup goes up to commit " +
                 std::to_string(list.last_commit) + ", beyond what is to be restored: take one" +
                 " that was made before");
}

engine::TimeMs moment_of(const log::Frame& frame) noexcept {
  return engine::PayloadReader(frame.payload).moment_ms();
}

/// One restore's way through the log.
class LogBehind {
 public:
  LogBehind(os::Disk& disk, const BackupList& list, const RestoreOptions& options)
      : list_(list),
        options_(options),
        log_path_(options.log + "/" + std::string(kLogFolder)),
        reader_(disk, {options.log + "/" + std::string(kHistoryFolder), log_path_, options.log}) {}

  Result<std::uint64_t> add_to(log::ClosedSegmentWriter& writer) {
    ASHLAR_TRY_ASSIGN(end_, reader_.find_end(log_path_));
    ASHLAR_TRY(check_last_of_backup());
    std::uint64_t last_commit = list_.last_commit;
    while (reader_.at().commit < options_.sequence_max) {
      ASHLAR_TRY_ASSIGN(std::optional<log::Frame> frame, reader_.next_of_any_kind(end_));
      if (!frame) break;
      const bool is_commit = frame->header.kind == log::FrameKind::kCommit;
      if (is_commit && moment_of(*frame) > options_.moment_ms_max) return last_commit;
      // What a restored log has in front may be shorter or longer than it was.
      frame->position = writer.end().position;
      ASHLAR_TRY(writer.add(*frame));
      if (is_commit) last_commit = frame->header.commit;
    }
    ASHLAR_ASSERT(writer.end().commit == reader_.at().commit, "K11: no frame was left out");
    const bool has_goal = options_.sequence_max != RestoreOptions().sequence_max;
    if (!has_goal || reader_.at().commit >= options_.sequence_max) return last_commit;
    return std::unexpected(
        Error(ErrorCode::kUnavailable, options_.log + ": the log ends with commit " +
                                           std::to_string(reader_.at().commit) + ", before " +
                                           std::to_string(options_.sequence_max)));
  }

 private:
  /// Goes behind the last commit of the backup, and looks at when that was made if the log tells.
  Result<void> check_last_of_backup() {
    if (list_.last_commit > options_.sequence_max) {
      return std::unexpected(beyond_goal(list_, options_));
    }
    ASHLAR_TRY_ASSIGN(const std::uint64_t oldest, reader_.find_oldest(end_));
    const std::uint64_t before = list_.last_commit - std::min(list_.last_commit, kLookBack);
    ASHLAR_TRY(reader_.seek(std::min(list_.last_commit, std::max(before, oldest - 1)), end_));
    if (reader_.log_id() != list_.log_id) {
      return std::unexpected(refusal(options_.log + ": is the log of another database than " +
                                     options_.backup + " is of"));
    }
    // Unless the log tells better: when the backup was begun.
    engine::TimeMs moment_ms = list_.last_commit > 0 ? list_.moment_ms : 0;
    while (reader_.at().commit < list_.last_commit) {
      ASHLAR_TRY_ASSIGN(const auto frame, reader_.next_of_any_kind(end_));
      if (!frame) return std::unexpected(ends_too_early(list_.last_commit));
      if (frame->header.kind == log::FrameKind::kCommit) moment_ms = moment_of(*frame);
    }
    if (moment_ms > options_.moment_ms_max) return std::unexpected(beyond_goal(list_, options_));
    return {};
  }

  Error ends_too_early(std::uint64_t wanted) const {
    return {ErrorCode::kUnavailable, options_.log + ": the log ends with commit " +
                                         std::to_string(reader_.at().commit) + ", before " +
                                         std::to_string(wanted)};
  }

  const BackupList& list_;
  const RestoreOptions& options_;
  const std::string log_path_;
  CommitReader reader_;
  log::Position end_ = CommitReader::kNoEnd;
};

}  // namespace

Result<std::uint64_t> add_log_behind(os::Disk& disk, const BackupList& list,
                                     const RestoreOptions& options,
                                     log::ClosedSegmentWriter& writer) {
  ASHLAR_ASSERT(!options.log.empty(), "there is a log to look into");
  ASHLAR_ASSERT(writer.end().commit == list.last_commit, "K11: the backup's commits are there");
  return LogBehind(disk, list, options).add_to(writer);
}

}  // namespace ashlar::db
