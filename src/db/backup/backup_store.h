/// \file
/// The directory of a backup: whether it is one, who is at it, which list counts, and how the next
/// backup takes the place of the one before. Layout: docs/formats/backup.md.
///
/// A backup is written beside the one before, under names that no list has yet. When all of it is
/// durable its list gets a name; only after that what nothing needs any more is removed.
///
/// Invariants:
///   K6  Once a backup was finished, at every moment and after every power cut the newest list is
///       whole and so is every file that it names; once an installation has returned, it is the new
///       one.
///   K7  Nothing that the newest list names is written to or removed; in a directory that is
///       neither empty nor one of backups nothing is made or changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "db/backup/backup_list.h"
#include "os/file.h"

namespace ashlar::db {

/// The file that says that a directory is one of backups, and what it says.
inline constexpr std::string_view kBackupMarkName = "BACKUP";
inline constexpr std::string_view kBackupMarkNewName = "BACKUP.new";
inline constexpr std::string_view kBackupMarkText = "ashlar backup 1\n";

/// Of the list that is being written. It counts for nothing.
inline constexpr std::string_view kUnfinishedBackup = "unfinished-backup";

/// A directory of backups, locked while this lives: alone for who writes, shared for who reads.
///
/// Threads:  externally synchronised.
/// Lifetime: the disk must outlive it.
class BackupStore {
 public:
  /// Opens `path`, or makes it there, to write a backup to it, and removes what earlier ones left
  /// unfinished.
  ///
  /// Errors: kInvalidArgument  it is neither empty nor a backup, or of a later version
  ///         kUnavailable      somebody else is at it
  ///         kCorruption       the newest list is damaged: names file and offset; nothing was
  ///                           removed
  ///         kIo
  static Result<std::unique_ptr<BackupStore>> open(os::Disk& disk, const std::string& path);

  /// Opens `path` to read from it, damaged or not, and changes nothing.
  ///
  /// Errors: kInvalidArgument  it is no backup, or of a later version
  ///         kUnavailable      a backup is being written to it
  ///         kCorruption       no backup in it was ever finished; kIo
  static Result<std::unique_ptr<BackupStore>> open_as_is(os::Disk& disk, const std::string& path);

  const std::string& path() const noexcept { return path_; }

  /// Whether the mark says what it should.
  bool is_mark_good() const noexcept { return mark_ == kBackupMarkText; }
  std::string mark_path() const { return path_of(kBackupMarkName); }

  /// Of the newest list; 0 without any.
  std::uint64_t newest_number() const noexcept { return newest_number_; }
  std::string list_path(std::uint64_t number) const { return path_of(backup_list_name(number)); }
  std::string path_of(const BackupFile& file) const { return path_of(file.name()); }

  /// The newest list, of which there is one.
  ///
  /// Errors: as read_backup_list
  Result<BackupList> read_newest() const;

  /// Of a store that was opened to write: the newest list; null without any.
  const BackupList* newest() const noexcept { return newest_ ? &*newest_ : nullptr; }

  /// Puts `list`, whose number is the next and whose files are durable, in the place of the newest.
  ///
  /// Errors: kIo, kOutOfSpace
  Result<void> install(const BackupList& list);

  /// Removes what has been written and is not installed. What cannot be removed now the next backup
  /// removes.
  void give_up();

 private:
  BackupStore(os::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  std::string path_of(std::string_view name) const { return path_ + "/" + std::string(name); }
  Result<void> check_is_not_foreign() const;
  Result<void> read_mark();
  Result<void> write_mark();
  Result<void> find_newest();
  Result<void> write_unfinished(const BackupList& list);
  Result<void> remove_strangers();

  os::Disk& disk_;
  const std::string path_;
  std::unique_ptr<os::File> lock_;  // Null where there is nothing to be locked.
  std::string mark_;
  std::uint64_t newest_number_ = 0;
  std::optional<BackupList> newest_;
  bool is_sure_ = true;  // Not between a rename and the sync that makes it durable.
};

}  // namespace ashlar::db
