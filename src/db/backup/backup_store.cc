#include "db/backup/backup_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "db/directory.h"

namespace ashlar::db {
namespace {

// More than the mark of any version has to say.
constexpr std::size_t kMarkBytesMax = 64;

Error refusal(const std::string& path, const char* what) {
  return {ErrorCode::kInvalidArgument, path + ": " + what};
}

/// Whether `text` is the mark of some version.
bool is_of_some_version(std::string_view text) noexcept {
  constexpr std::string_view kBegin = "ashlar backup ";
  if (!text.starts_with(kBegin) || !text.ends_with('\n')) return false;
  text = text.substr(kBegin.size(), text.size() - kBegin.size() - 1);
  return !text.empty() && text.front() != '0' &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Opens the lock file, which `open` makes if it is missing. Returns: null when there is none
Result<std::unique_ptr<os::File>> open_lock(os::Disk& disk, const std::string& path,
                                            os::LockMode mode) {
  const bool is_reader = mode == os::LockMode::kShared;
  ASHLAR_TRY_ASSIGN(
      auto file,
      os::File::open(disk, path, is_reader ? os::OpenMode::kRead : os::OpenMode::kReadWrite));
  if (file == nullptr && !is_reader) {
    ASHLAR_TRY_ASSIGN(file, os::File::open(disk, path, os::OpenMode::kCreate));
  }
  if (file == nullptr) return file;
  ASHLAR_TRY_ASSIGN(const bool is_locked, file->lock(mode));
  if (is_locked) return file;
  return std::unexpected(
      Error(ErrorCode::kUnavailable, path + ": a backup is being written here, or being read"));
}

}  // namespace

/// Refuses what is somebody else's before anything in it is touched (K7).
Result<void> BackupStore::check_is_not_foreign() const {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, path_));
  const bool is_new = std::ranges::all_of(names, [](const std::string& name) {
    return name == kLockName || name == kBackupMarkNewName;
  });
  if (is_new || std::ranges::find(names, kBackupMarkName) != names.end()) return {};
  return std::unexpected(refusal(path_, "is neither empty nor a backup"));
}

Result<std::unique_ptr<BackupStore>> BackupStore::open(os::Disk& disk, const std::string& path) {
  std::unique_ptr<BackupStore> store(new BackupStore(disk, path));
  ASHLAR_TRY(os::make_directory(disk, path));
  ASHLAR_TRY(store->check_is_not_foreign());
  ASHLAR_TRY_ASSIGN(store->lock_, open_lock(disk, store->path_of(kLockName), os::LockMode::kAlone));
  ASHLAR_TRY(store->check_is_not_foreign());  // Again, since nobody else comes in between now.
  ASHLAR_TRY(store->read_mark());
  if (store->mark_.empty()) ASHLAR_TRY(store->write_mark());
  if (!store->is_mark_good()) {
    return std::unexpected(Error(ErrorCode::kCorruption,
                                 store->mark_path() + " at 0: says nothing that is a version"));
  }
  ASHLAR_TRY(store->find_newest());
  if (store->newest_number_ > 0) {
    ASHLAR_TRY_ASSIGN(store->newest_, store->read_newest());
  }
  // Its name may not be durable yet: what only the one before names must stay until it is.
  ASHLAR_TRY(os::sync_directory(disk, path));
  ASHLAR_TRY(store->remove_strangers());
  return store;
}

Result<std::unique_ptr<BackupStore>> BackupStore::open_as_is(os::Disk& disk,
                                                             const std::string& path) {
  std::unique_ptr<BackupStore> store(new BackupStore(disk, path));
  std::vector<std::string> names;
  if (disk.list(path, names) == -ENOENT) {
    return std::unexpected(refusal(path, "there is no such directory"));
  }
  ASHLAR_TRY_ASSIGN(store->lock_,
                    open_lock(disk, store->path_of(kLockName), os::LockMode::kShared));
  ASHLAR_TRY(store->read_mark());
  ASHLAR_TRY(store->find_newest());
  if (store->mark_.empty() && store->newest_number_ == 0) {
    return std::unexpected(refusal(path, "is no backup"));
  }
  if (store->newest_number_ > 0) return store;
  return std::unexpected(
      Error(ErrorCode::kCorruption, path + " at 0: no backup in it was ever finished"));
}

/// Leaves the mark empty when there is none.
Result<void> BackupStore::read_mark() {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, mark_path(), os::OpenMode::kRead));
  if (file == nullptr) return {};
  mark_.resize(kMarkBytesMax);
  ASHLAR_TRY_ASSIGN(const std::size_t bytes, file->read_some(0, mark_));
  mark_.resize(bytes);
  if (is_mark_good() || !is_of_some_version(mark_)) return {};
  return std::unexpected(refusal(mark_path(), "is of a version that is not known here"));
}

/// Before anything else is made, so that what is not ours is never taken for it.
Result<void> BackupStore::write_mark() {
  const std::string fresh = path_of(kBackupMarkNewName);
  ASHLAR_TRY(os::remove_file(disk_, fresh));
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, fresh, os::OpenMode::kCreate));
  ASHLAR_TRY(file->write(0, kBackupMarkText));
  ASHLAR_TRY(file->sync());
  ASHLAR_TRY(os::rename_file(disk_, fresh, mark_path()));
  ASHLAR_TRY(os::sync_directory(disk_, path_));
  mark_ = kBackupMarkText;
  return {};
}

Result<void> BackupStore::find_newest() {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, path_));
  for (const std::string& name : names) {
    newest_number_ = std::max(newest_number_, backup_list_number(name).value_or(0));
  }
  return {};
}

Result<BackupList> BackupStore::read_newest() const {
  ASHLAR_ASSERT(newest_number_ > 0, "there is a list");
  return read_backup_list(disk_, list_path(newest_number_), newest_number_);
}

/// Removes what has a name of ours and is not of the newest list; nothing else in the directory is
/// touched.
Result<void> BackupStore::remove_strangers() {
  ASHLAR_ASSERT(is_sure_, "K6: nothing is removed before it is known which list counts");
  std::set<std::string> kept;
  if (newest_) {
    kept.insert(backup_list_name(newest_number_));
    for (const BackupFile& file : newest_->files) kept.insert(file.name());
  }
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, path_));
  for (const std::string& name : names) {
    const bool is_ours = is_backup_file_name(name) || backup_list_number(name) ||
                         name == kUnfinishedBackup || name == kBackupMarkNewName;
    if (is_ours && !kept.contains(name)) ASHLAR_TRY(os::remove_file(disk_, path_of(name)));
  }
  return {};
}

Result<void> BackupStore::write_unfinished(const BackupList& list) {
  const std::string path = path_of(kUnfinishedBackup);
  ASHLAR_TRY(os::remove_file(disk_, path));
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, path, os::OpenMode::kCreate));
  ASHLAR_TRY(file->write(0, encode_backup_list(list)));
  return file->sync();
}

/// The order of the steps is what K6 rests on: the names of the files are durable before that of
/// the list, and that before anything is removed.
Result<void> BackupStore::install(const BackupList& list) {
  ASHLAR_ASSERT(list.number == newest_number_ + 1, "backups are counted one by one");
  ASHLAR_ASSERT(is_sure_, "K6: it is known which list counts");
  ASHLAR_TRY(os::sync_directory(disk_, path_));
  ASHLAR_TRY(write_unfinished(list));
  is_sure_ = false;
  ASHLAR_TRY(os::rename_file(disk_, path_of(kUnfinishedBackup), list_path(list.number)));
  ASHLAR_TRY(os::sync_directory(disk_, path_));
  is_sure_ = true;
  newest_number_ = list.number;
  newest_ = list;
  // What stays only takes space, and the next backup tries again.
  (void)remove_strangers();
  return {};
}

/// Not when either list may be the one that counts: then the files of both have to stay.
void BackupStore::give_up() {
  if (is_sure_) (void)remove_strangers();
}

}  // namespace ashlar::db
