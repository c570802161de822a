/// \file
/// Copies of a database that are made while it is used, and databases made of them. What a backup
/// consists of: docs/formats/backup.md.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "ashlar/options.h"
#include "ashlar/result.h"

namespace ashlar {

/// How far a backup, a verification or a restore has got.
struct BackupProgress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;  ///< Of what has to be read; a little more may come.
};

/// Is told now and then, in the calling thread. It must not throw, nor call `checkpoint`, `backup`
/// or `close` of the database.
using BackupObserver = std::function<void(const BackupProgress&)>;

/// What a backup holds.
struct BackupReport {
  std::uint64_t number = 0;  ///< Backups of one directory are counted from 1.
  Engine engine = Engine::kMemory;
  std::int64_t moment_ms = 0;     ///< When it was begun, in milliseconds since 1970.
  std::uint64_t last_commit = 0;  ///< By its number in the log: each up to it is in the backup.
  std::uint64_t file_count = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t reused_file_count = 0;  ///< Were in the backup before it.
  std::uint64_t linked_file_count = 0;  ///< Share their space with the database.
  std::uint64_t written_bytes = 0;      ///< Of files that were copied or made.
};

/// A place in a backup that is not as it was written.
struct BackupDamage {
  std::string path;
  std::uint64_t offset = 0;
  std::string what;
};

/// What looking at a backup has found.
struct BackupCheck {
  BackupReport backup;
  std::uint64_t checked_bytes = 0;
  std::vector<BackupDamage> damages;

  bool is_sound() const noexcept { return damages.empty(); }
};

/// Reads every byte of the backup in the directory `path` and holds it against its checksums.
///
/// Returns: also of a backup that is damaged
/// Errors:  kInvalidArgument  there is no backup, or one of a later version
///          kUnavailable      a backup is being written to it
///          kCorruption       no backup in it was ever finished; kIo
/// Cost:    reads it twice, and decompresses it
Result<BackupCheck> verify_backup(const std::string& path, const BackupObserver& observer = {});

/// Where a restore takes a database from, where it goes, and up to which commit.
struct RestoreOptions {
  std::string backup = {};
  std::string directory = {};  ///< Not there, or empty; the directory above it must exist.

  /// Where commits behind those of the backup are found: the directory of the database that was
  /// backed up, open or not, or one with segments that were copied out of its `log` and `history`.
  /// Empty: what the backup holds is all.
  std::string log = {};

  /// The last commit that is restored, by its sequence (ashlar/changes.h). Not before the end of
  /// the backup. Default: as far as there are any.
  std::uint64_t sequence_max = std::numeric_limits<std::uint64_t>::max();

  /// Commits that were made later, in milliseconds since 1970, are left out: the first such one and
  /// all behind it. Exact to the millisecond for commits made with Options::history_bytes_max.
  std::int64_t moment_ms_max = std::numeric_limits<std::int64_t>::max();
};

/// Makes a database of a backup. It gets its name when all of it is on the disk and was read back;
/// until then it is called that and ".unfinished". The backup stays as it is.
///
/// Returns: what was restored
/// Errors:  kInvalidArgument  there is no backup; or the directory is not empty, or inside of the
///                            backup; or an unfinished one is in the way: nothing was made. Or the
///                            log is that of another database, or the backup itself goes beyond
///                            what was asked for
///          kUnavailable      a backup is being written to it; or the log does not reach back to
///                            the end of the backup, or not up to `sequence_max`: says how far
///          kCorruption       the backup is damaged: names file and offset
///          kIo, kOutOfSpace
/// Cost:    reads it, writes as much, and reads that
Result<BackupReport> restore_backup(const RestoreOptions& options,
                                    const BackupObserver& observer = {});

}  // namespace ashlar
