/// \file
/// The list of a backup: which files it consists of, and of what state they are. Layout:
/// docs/formats/backup.md.
///
/// A file is told by its kind and number, never by a name: so whoever reads a list that somebody
/// else has made opens and writes nothing outside the directory that the caller names.
///
/// Invariants:
///   K5  A list is read as it was written or refused. Its files fit together: one manifest and its
///       tables, with what they refer to, or one checkpoint; one log; each file once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/options.h"
#include "ashlar/result.h"
#include "engine/operation.h"
#include "log/log_reader.h"
#include "os/disk.h"

namespace ashlar::db {

/// More than this no list has, some sixty million files: what announces more is not read.
inline constexpr std::uint64_t kBackupListBytesMax = std::uint64_t{1} << 30U;

/// One file of a backup.
struct BackupFile {
  enum class Kind : std::uint8_t {
    kTable = 1,     ///< Under the number that it has in the database.
    kManifest = 2,  ///< As all that follow: under the number of the backup.
    kCheckpoint = 3,
    kLog = 4,
    kPiece = 5,      ///< Of the log, with values: under the position at which it begins.
    kTail = 6,       ///< The last piece, up to where the log of the backup begins.
    kCollected = 7,  ///< Values that were collected: under the number of its file.
  };
  Kind kind = Kind::kTable;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  ///< Of the whole file: see file_copy.h.

  bool operator==(const BackupFile&) const = default;

  /// Whether its number is not that of the backup, so that the next backup may have it as well.
  bool has_own_number() const noexcept {
    return kind == Kind::kTable || kind == Kind::kPiece || kind == Kind::kCollected;
  }

  /// The name that the file has in the backup, and in a database: "0000000042.table".
  std::string name() const;
};

struct BackupList {
  std::uint64_t number = 0;  ///< Backups of one directory are counted from 1.
  Engine engine = Engine::kMemory;
  log::LogId log_id = 0;          ///< Of the database: no other has it, nor one that was restored.
  engine::TimeMs moment_ms = 0;   ///< When it was begun.
  log::Start begin;               ///< Where the log goes on behind checkpoint or manifest.
  log::Position end = 0;          ///< Behind the last commit that it holds,
  std::uint64_t last_commit = 0;  ///< which has this number.
  std::vector<BackupFile> files;  ///< Ascending by kind and number.

  /// The one file of `kind`, which is not that of tables.
  const BackupFile& only(BackupFile::Kind kind) const noexcept;
  const BackupFile* find(BackupFile::Kind kind, std::uint64_t file_number) const noexcept;
  const BackupFile* find_table(std::uint64_t table_number) const noexcept {
    return find(BackupFile::Kind::kTable, table_number);
  }

  /// The tail; null without any.
  const BackupFile* tail() const noexcept { return find(BackupFile::Kind::kTail, number); }
  std::uint64_t file_bytes() const noexcept;
};

/// The name of a list: "0000000042.backup".
std::string backup_list_name(std::uint64_t number);

/// Returns: nullopt when `name` is not that of a list
std::optional<std::uint64_t> backup_list_number(std::string_view name);

/// Whether `name` is one that a file of a backup can have.
bool is_backup_file_name(std::string_view name);

/// The bytes of `list`, which is one that could be read (K5, asserted).
std::string encode_backup_list(const BackupList& list);

/// Reads the list `path`, which is that of the backup `number`.
///
/// Errors: kCorruption  it is damaged or missing: names `path` and the offset
///         kIo
Result<BackupList> read_backup_list(os::Disk& disk, const std::string& path, std::uint64_t number);

/// Input:   path  the name for errors
/// Errors:  kCorruption  it is damaged: names `path` and the offset
/// Cost:    memory for no more than `bytes` hold
Result<BackupList> decode_backup_list(std::string_view bytes, const std::string& path);

}  // namespace ashlar::db
