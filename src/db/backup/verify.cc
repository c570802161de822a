#include "db/backup/verify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "db/backup/backup.h"
#include "db/backup/backup_store.h"
#include "db/backup/file_copy.h"
#include "db/impl.h"
#include "db/inspection/table_survey.h"
#include "log/closed_segment.h"
#include "lsm/manifest_store.h"
#include "lsm/values/collected_file.h"
#include "memory/checkpoint/checkpoint_reader.h"
#include "os/posix_disk.h"

namespace ashlar::db {
namespace {

using Kind = BackupFile::Kind;

/// One look at one backup.
class Verification {
 public:
  Verification(os::Disk& disk, const BackupStore& store, const BackupObserver& observer) noexcept
      : disk_(disk), store_(store), observer_(observer) {}

  Result<BackupCheck> operator()() {
    if (!store_.is_mark_good()) {
      damage(store_.mark_path(), 0, "is missing, or says nothing that is a version");
    }
    Result<BackupList> list = store_.read_newest();
    if (!list) {
      ASHLAR_TRY(take_for_damage(list.error(), store_.list_path(store_.newest_number())));
      return std::move(check_);
    }
    list_ = *std::move(list);
    check_.backup = report_of(list_);
    progress_.bytes_total = list_.file_bytes();
    ASHLAR_TRY(list_.engine == Engine::kDisk ? look_at_manifest() : look_at_checkpoint());
    ASHLAR_TRY(look_at_log());
    for (const BackupFile& file : list_.files) ASHLAR_TRY(look_at(file));
    return std::move(check_);
  }

 private:
  void damage(std::string path, std::uint64_t offset, std::string what) {
    check_.damages.push_back({.path = std::move(path), .offset = offset, .what = std::move(what)});
  }
  void damage(Damage found) { damage(std::move(found.path), found.offset, std::move(found.what)); }

  /// Notes what is damage, and hands on what is not.
  Result<void> take_for_damage(const Error& error, const std::string& path) {
    if (error.code() != ErrorCode::kCorruption) return std::unexpected(error);
    damage(damage_of(error, path));
    return {};
  }

  /// Reads the manifest, and holds it against the list.
  Result<void> look_at_manifest() {
    const std::string path = store_.path_of(list_.only(Kind::kManifest));
    Result<lsm::Manifest> manifest = lsm::read_manifest(disk_, path);
    if (!manifest) return take_for_damage(manifest.error(), path);
    const log::Start place = start_of(*manifest);
    if (place.position != list_.begin.position || place.chain != list_.begin.chain ||
        place.commit != list_.begin.commit) {
      damage(path, 0, "names another place in the log than the list of the backup");
    }
    const auto table_count = std::ranges::count(list_.files, Kind::kTable, &BackupFile::kind);
    if (static_cast<std::size_t>(table_count) != manifest->tables.size()) {
      damage(path, 0, "has more tables or fewer than the list of the backup");
    }
    for (const auto& entry : manifest->tables) {
      const BackupFile* const file = list_.find_table(entry.table.number);
      if (file == nullptr || file->bytes != entry.table.file_bytes) {
        damage(path, 0, "has a table that the list of the backup has not, or of another length");
      }
    }
    manifest_ = *std::move(manifest);
    return {};
  }

  Result<void> look_at_checkpoint() {
    const std::string path = store_.path_of(list_.only(Kind::kCheckpoint));
    const auto found = memory::salvage_checkpoint(
        disk_, path, [](std::string_view) -> Result<void> { return {}; });
    if (!found) return take_for_damage(found.error(), path);
    for (const auto& place : found->damages) damage(path, place.offset, place.what);
    if (!found->damages.empty()) return {};
    const engine::LogPlace& origin = found->report.origin;
    if (origin.position != list_.begin.position || origin.chain != list_.begin.chain ||
        origin.commit != list_.begin.commit || found->report.end > list_.end) {
      damage(path, 0, "was made beside another piece of the log than the backup has");
    }
    return {};
  }

  Result<void> look_at_log() {
    const BackupFile& file = list_.only(Kind::kLog);
    const std::string path = store_.path_of(file);
    const auto found =
        log::read_closed_segment(disk_, path, file.number, list_.begin,
                                 [](const log::Frame&) -> Result<void> { return {}; });
    if (!found) return take_for_damage(found.error(), path);
    if (found->header.log_id != list_.log_id) damage(path, 0, "is a piece of another log");
    if (found->end.position != list_.end || found->end.commit != list_.last_commit) {
      damage(path, 0, "ends at another commit than the list of the backup says");
    }
    return {};
  }

  /// Holds a file against its checksum, and a table against what the manifest tells of it as well.
  Result<void> look_at(const BackupFile& file) {
    const std::string path = store_.path_of(file);
    if (file.kind == Kind::kTable && manifest_) ASHLAR_TRY(look_at_table(file.number));
    const auto sum = sum_file(disk_, path, [this](std::uint64_t bytes) {
      progress_.bytes_done += bytes;
      if (observer_) observer_(progress_);
    });
    const bool is_told = std::ranges::any_of(
        check_.damages, [&](const BackupDamage& found) { return found.path == path; });
    if (!sum) return is_told ? Result<void>() : take_for_damage(sum.error(), path);
    check_.checked_bytes += sum->bytes;
    if (is_told) return {};
    if (sum->bytes != file.bytes) {
      damage(path, std::min(sum->bytes, file.bytes),
             "the file has " + std::to_string(sum->bytes) + " bytes, and had " +
                 std::to_string(file.bytes));
    } else if (sum->checksum != file.checksum) {
      damage(path, 0, "the file is not what it was: its checksum is another one");
    }
    return {};
  }

  Result<void> look_at_table(std::uint64_t number) {
    ASHLAR_ASSERT(manifest_.has_value(), "a manifest tells what a table should be");
    const auto entry = std::ranges::find_if(
        manifest_->tables, [&](const auto& candidate) { return candidate.table.number == number; });
    if (entry == manifest_->tables.end()) return {};  // Told already.
    ASHLAR_TRY_ASSIGN(SurveyedTable table, survey_table(disk_, store_.path(), *manifest_, *entry));
    for (Damage& found : table.damages) damage(std::move(found));
    for (const table::ValueShare& share : table.shares) {
      if (has_values(share.first)) continue;
      damage(table.path, 0,
             "refers to values from position " + std::to_string(share.first) +
                 " on, which the list of the backup has not");
    }
    return {};
  }

  /// Whether the list has the piece that begins at `first`. The tail may be it: it is the last.
  bool has_values(log::Position first) const noexcept {
    if (lsm::is_collected(first)) {
      return list_.find(Kind::kCollected, lsm::collected_number_of(first)) != nullptr;
    }
    return list_.find(Kind::kPiece, first) != nullptr || list_.tail() != nullptr;
  }

  os::Disk& disk_;
  const BackupStore& store_;
  const BackupObserver& observer_;
  BackupList list_;
  std::optional<lsm::Manifest> manifest_;
  BackupProgress progress_;
  BackupCheck check_;
};

}  // namespace

Result<BackupCheck> verify_backup(os::Disk& disk, const std::string& path,
                                  const BackupObserver& observer) {
  ASHLAR_TRY_ASSIGN(const auto store, BackupStore::open_as_is(disk, path));
  return Verification(disk, *store, observer)();
}

}  // namespace ashlar::db

namespace ashlar {

Result<BackupCheck> verify_backup(const std::string& path, const BackupObserver& observer) {
  return db::at_border([&] {
    os::PosixDisk disk;
    return db::verify_backup(disk, path, observer);
  });
}

}  // namespace ashlar
