/// \file
/// Copies of a database that are made while it is used, and databases made of them. What a backup
/// consists of: docs/formats/backup.md.
#pragma once

#include <cstdint>
#include <functional>
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

/// Where a restore takes a database from, and where it goes.
struct RestorePaths {
  std::string backup;
  std::string directory;  ///< Not there, or empty; the directory above it must exist.
};

/// Makes a database of a backup. It gets its name when all of it is on the disk and was read back;
/// until then it is called that and ".unfinished". The backup stays as it is.
///
/// Returns: what was restored
/// Errors:  kInvalidArgument  there is no backup; or the directory is not empty, or inside of the
///                            backup; or an unfinished one is in the way: nothing was made
///          kUnavailable      a backup is being written to it
///          kCorruption       the backup is damaged: names file and offset
///          kIo, kOutOfSpace
/// Cost:    reads it, writes as much, and reads that
Result<BackupReport> restore_backup(const RestorePaths& paths, const BackupObserver& observer = {});

}  // namespace ashlar
