#include "db/backup/restore.h"

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "base/assert.h"
#include "db/access.h"
#include "db/backup/backup.h"
#include "db/backup/backup_store.h"
#include "db/backup/file_copy.h"
#include "db/backup/log_behind.h"
#include "db/impl.h"
#include "db/inspection/inspect.h"
#include "db/values/value_store.h"
#include "log/closed_segment.h"
#include "lsm/manifest_store.h"
#include "os/posix_disk.h"

namespace ashlar::db {
namespace {

using Kind = BackupFile::Kind;

constexpr const char* kUnfinishedSuffix = ".unfinished";

Error refusal(const std::string& path, const char* what) {
  return {ErrorCode::kInvalidArgument, path + ": " + what};
}

/// Without the slashes at its end.
std::string trimmed(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

/// "." for a name without a directory, "/" for one in the root.
std::string directory_above(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// One restore of one backup.
class Restore {
 public:
  Restore(os::Disk& disk, const BackupStore& store, const RestoreOptions& options,
          log::LogId new_log_id, const BackupObserver& observer)
      : disk_(disk),
        store_(store),
        options_(options),
        target_(trimmed(options.directory)),
        unfinished_(target_ + kUnfinishedSuffix),
        new_log_id_(new_log_id),
        observer_(observer) {}

  Result<BackupReport> operator()() {
    ASHLAR_TRY(check_target());
    ASHLAR_TRY_ASSIGN(list_, store_.read_newest());
    progress_.bytes_total = list_.file_bytes();
    rows_path_ = unfinished_ + "/" + std::string(rows_folder(list_.engine));
    log_path_ = unfinished_ + "/" + std::string(kLogFolder);
    value_path_ = unfinished_ + "/" + std::string(kValueFolder);
    for (const std::string& path : {unfinished_, rows_path_, log_path_}) {
      ASHLAR_TRY(os::make_directory(disk_, path));
    }
    if (list_.engine == Engine::kDisk) ASHLAR_TRY(os::make_directory(disk_, value_path_));
    begin_ = list_.begin;
    // The tail has all of the block in which it ends, so the log goes on behind that.
    const log::Position in_block = begin_.position % os::kBlockBytes;
    if (list_.tail() != nullptr && in_block != 0) begin_.position += os::kBlockBytes - in_block;
    for (const BackupFile& file : list_.files) ASHLAR_TRY(bring(file));
    ASHLAR_TRY(os::sync_directory(disk_, rows_path_));
    if (list_.engine == Engine::kDisk) ASHLAR_TRY(os::sync_directory(disk_, value_path_));
    ASHLAR_TRY(os::sync_directory(disk_, log_path_));
    ASHLAR_TRY(write_format(disk_, unfinished_, format_text(list_.engine)));
    ASHLAR_TRY(read_back());
    ASHLAR_TRY(os::rename_file(disk_, unfinished_, target_));
    ASHLAR_TRY(os::sync_directory(disk_, directory_above(target_)));
    BackupReport report = report_of(list_);
    report.last_commit = last_commit_;
    return report;
  }

 private:
  /// Whether nothing is in the way, and nothing would be written into the backup (K10).
  Result<void> check_target() const {
    const std::string backup = trimmed(store_.path());
    if (target_.empty()) return std::unexpected(refusal("\"\"", "an empty name leads nowhere"));
    if (target_ == backup || target_.starts_with(backup + "/")) {
      return std::unexpected(refusal(target_, "is inside of the backup"));
    }
    std::vector<std::string> names;
    if (disk_.list(target_, names) != -ENOENT) {
      ASHLAR_TRY_ASSIGN(names, os::list_directory(disk_, target_));
    }
    if (!names.empty()) return std::unexpected(refusal(target_, "is there already, and not empty"));
    if (disk_.list(unfinished_, names) == -ENOENT) return {};
    return std::unexpected(
        refusal(unfinished_, "is of a restore that was stopped, or is under way: remove it first"));
  }

  PieceObserver on_piece() {
    return [this](std::uint64_t bytes) {
      progress_.bytes_done += bytes;
      if (observer_) observer_(progress_);
    };
  }

  /// Whether what was read is what was backed up.
  Result<void> check_sum(const BackupFile& file, const FileSum& sum) const {
    if (sum == FileSum{.bytes = file.bytes, .checksum = file.checksum}) return {};
    return std::unexpected(
        Error(ErrorCode::kCorruption, store_.path_of(file) +
                                          " at 0: the file is not what it was: `ashlar verify " +
                                          store_.path() + "` tells where"));
  }

  Result<void> bring(const BackupFile& file) {
    switch (file.kind) {
      case Kind::kLog:
        return write_log(file);
      case Kind::kManifest:
        return begin_.position == list_.begin.position ? copy(file, in_rows(file))
                                                       : write_manifest(file);
      case Kind::kPiece:
        return copy(file, value_path_ + "/" + file.name());
      case Kind::kTail:
        return copy_tail(file);
      case Kind::kTable:
      case Kind::kCheckpoint:
      case Kind::kCollected:
        break;
    }
    return copy(file, in_rows(file));
  }

  std::string in_rows(const BackupFile& file) const { return rows_path_ + "/" + file.name(); }

  /// The tail says itself which piece it is.
  Result<void> copy_tail(const BackupFile& file) {
    std::string block(os::kBlockBytes, '\0');
    {
      ASHLAR_TRY_ASSIGN(const auto from,
                        os::File::open(disk_, store_.path_of(file), os::OpenMode::kRead));
      if (from != nullptr) ASHLAR_TRY(from->read(0, block));
    }
    const auto header = log::decode_segment_header(block);
    if (!header || header->end() != begin_.position) {
      return std::unexpected(
          Error(ErrorCode::kCorruption, store_.path_of(file) + " at 0: the header is damaged"));
    }
    return copy(file, value_path_ + "/" + kept_piece_name(header->first));
  }

  /// Writes the manifest with the place at which the restored log begins.
  Result<void> write_manifest(const BackupFile& file) {
    const std::string from = store_.path_of(file);
    ASHLAR_TRY_ASSIGN(const FileSum sum, sum_file(disk_, from, on_piece()));
    ASHLAR_TRY(check_sum(file, sum));
    ASHLAR_TRY_ASSIGN(lsm::Manifest manifest, lsm::read_manifest(disk_, from));
    manifest.log_place.position = begin_.position;
    ASHLAR_TRY_ASSIGN(const auto to, os::File::open(disk_, in_rows(file), os::OpenMode::kCreate));
    ASHLAR_TRY(to->write(0, lsm::encode_manifest(manifest)));
    return to->sync();
  }

  Result<void> copy(const BackupFile& file, const std::string& to) {
    const std::string from = store_.path_of(file);
    ASHLAR_TRY_ASSIGN(const FileSum sum, copy_file(disk_, {.from = from, .to = to}, on_piece()));
    return check_sum(file, sum);
  }

  /// Writes the log for another one, so that no piece of either is ever taken for one of the other.
  Result<void> write_log(const BackupFile& file) {
    const std::string from = store_.path_of(file);
    ASHLAR_TRY_ASSIGN(const FileSum sum, sum_file(disk_, from, on_piece()));
    ASHLAR_TRY(check_sum(file, sum));
    ASHLAR_ASSERT(list_.begin.position % 8 == 0, "K5: the log begins where a frame can");
    ASHLAR_TRY_ASSIGN(
        const auto writer,
        log::ClosedSegmentWriter::create(disk_, log_path_ + "/" + file.name(),
                                         {.log_id = new_log_id_, .number = file.number}, begin_));
    ASHLAR_TRY(
        log::read_closed_segment(disk_, from, file.number, list_.begin,
                                 [&](const log::Frame& commit) { return writer->add(commit); }));
    ASHLAR_TRY_ASSIGN(last_commit_, go_on_behind(*writer));
    return writer->finish();
  }

  /// Adds what was committed after the backup, as far as that is asked for.
  Result<std::uint64_t> go_on_behind(log::ClosedSegmentWriter& writer) const {
    if (!options_.log.empty()) return add_log_behind(disk_, list_, options_, writer);
    const RestoreOptions all;
    const bool has_goal =
        options_.sequence_max != all.sequence_max || options_.moment_ms_max != all.moment_ms_max;
    if (!has_goal) return list_.last_commit;
    return std::unexpected(Error::of_literal(
        ErrorCode::kInvalidArgument, "to go on behind a backup the log of its database is needed"));
  }

  Result<void> read_back() const {
    ASHLAR_TRY_ASSIGN(const auto directory, Directory::open_as_is(disk_, unfinished_));
    ASHLAR_TRY_ASSIGN(const Inspection found, inspect(disk_, *directory));
    if (found.report.is_sound()) return {};
    const Damage& damage = found.report.damages.front();
    return std::unexpected(
        Error(ErrorCode::kCorruption, damage.path + " at " + std::to_string(damage.offset) +
                                          ": was read back and is damaged: " + damage.what));
  }

  os::Disk& disk_;
  const BackupStore& store_;
  const RestoreOptions& options_;
  const std::string target_;
  const std::string unfinished_;
  const log::LogId new_log_id_;
  const BackupObserver& observer_;
  BackupList list_;
  std::string rows_path_;
  std::string log_path_;
  std::string value_path_;
  log::Start begin_;  // Of the restored log.
  std::uint64_t last_commit_ = 0;
  BackupProgress progress_;
};

}  // namespace

Result<BackupReport> restore_backup(os::Disk& disk, const RestoreOptions& options,
                                    log::LogId new_log_id, const BackupObserver& observer) {
  ASHLAR_TRY_ASSIGN(const auto store, BackupStore::open_as_is(disk, options.backup));
  return Restore(disk, *store, options, new_log_id, observer)();
}

}  // namespace ashlar::db

namespace ashlar {

Result<BackupReport> restore_backup(const RestoreOptions& options, const BackupObserver& observer) {
  return db::at_border([&]() -> Result<BackupReport> {
    os::PosixDisk disk;
    ASHLAR_TRY_ASSIGN(const log::LogId new_log_id, db::random_seed());
    return db::restore_backup(disk, options, new_log_id, observer);
  });
}

}  // namespace ashlar
