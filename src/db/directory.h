/// \file
/// The directory of a database: who has it open, which format it is in, and of which engine it is.
///
/// Invariants:
///   D6  In a directory that is neither empty nor a database nothing is made or changed.
///   D7  A directory is of the engine that it was made for: no other opens it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ashlar/options.h"
#include "ashlar/result.h"
#include "os/file.h"

namespace ashlar::db {

// Names in a directory.
inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kLogFolder = "log";
inline constexpr std::string_view kCheckpointFolder = "checkpoint";  // Of the memory engine,
inline constexpr std::string_view kTableFolder = "tables";           // and of the disk engine,
inline constexpr std::string_view kValueFolder = "values";     // with what it keeps of the log.
inline constexpr std::string_view kHistoryFolder = "history";  // Of the log, for those who follow.
inline constexpr std::string_view kUnfinishedHistoryName =
    "unfinished";  // In it, a copy under way.

/// The folder in which `engine` keeps what is not in the log.
constexpr std::string_view rows_folder(Engine engine) noexcept {
  return engine == Engine::kDisk ? kTableFolder : kCheckpointFolder;
}

/// A directory, locked against every other opener while this lives. Layout:
/// docs/formats/directory.md.
class Directory {
 public:
  /// Opens `path`, or makes it for `engine`; the directory above must exist.
  ///
  /// Errors:   kUnavailable      somebody else has it open: names the process; or looks at it
  ///           kInvalidArgument  it is neither empty nor a database, or of a newer format, or of
  ///                             the other engine (D7): names that, and `ashlar convert`
  ///           kCorruption       its format is damaged, or a repair was stopped in the midst
  ///           kIo
  /// Lifetime: `disk` must outlive it
  static Result<std::unique_ptr<Directory>> open(os::Disk& disk, const std::string& path,
                                                 Engine engine = Engine::kMemory);

  /// Locks `path` as it is and changes nothing in it: for those who look at a directory that `open`
  /// may refuse. Others may look at the same time. Without a lock file nothing is locked.
  ///
  /// Errors:   kUnavailable      somebody else has it open: names the process
  ///           kInvalidArgument  it is no directory of a database
  ///           kIo               also: there is no such directory
  /// Lifetime: `disk` must outlive it
  static Result<std::unique_ptr<Directory>> open_as_is(os::Disk& disk, const std::string& path);

  /// The same for those who are going to change it: makes the lock file if there is none, and tells
  /// others who they are.
  ///
  /// Errors: as open_as_is
  static Result<std::unique_ptr<Directory>> open_for_repair(os::Disk& disk,
                                                            const std::string& path);

  const std::string& path() const noexcept { return path_; }
  std::string log_path() const { return path_ + "/" + std::string(kLogFolder); }
  std::string checkpoint_path() const { return path_ + "/" + std::string(kCheckpointFolder); }
  std::string table_path() const { return path_ + "/" + std::string(kTableFolder); }
  std::string value_path() const { return path_ + "/" + std::string(kValueFolder); }
  std::string history_path() const { return path_ + "/" + std::string(kHistoryFolder); }

  /// Whether a lock file was there to be locked.
  bool is_locked() const noexcept { return lock_ != nullptr; }

 private:
  Directory(std::string path, std::unique_ptr<os::File> lock) noexcept
      : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::string path_;
  const std::unique_ptr<os::File> lock_;
};

/// Which engine the database in `path` is of, as its format tells, or else its folders.
///
/// Returns: nullopt when there is no directory, or none of a database, or nothing that tells
/// Errors:  kIo
/// Threads: beside an opener it is right as well, since the format changes at once (D5)
Result<std::optional<Engine>> engine_of(os::Disk& disk, const std::string& path);

}  // namespace ashlar::db
