/// \file
/// The directory of a database: who has it open, and which format it is in.
///
/// Invariants:
///   D6  In a directory that is neither empty nor a database nothing is made or changed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "os/file.h"

namespace ashlar::db {

// Names in a directory.
inline constexpr std::string_view kLockName = "LOCK";
inline constexpr std::string_view kLogFolder = "log";
inline constexpr std::string_view kCheckpointFolder = "checkpoint";
inline constexpr std::string_view kTableFolder = "tables";

/// A directory, locked against every other opener while this lives. Layout:
/// docs/formats/directory.md.
class Directory {
 public:
  /// Opens `path`, or makes it; the directory above must exist.
  ///
  /// Errors:   kUnavailable      somebody else has it open: names the process; or looks at it
  ///           kInvalidArgument  it is neither empty nor a database, or of a newer format
  ///           kCorruption       its format is damaged, or a repair was stopped in the midst
  ///           kIo
  /// Lifetime: `disk` must outlive it
  static Result<std::unique_ptr<Directory>> open(os::Disk& disk, const std::string& path);

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
  std::string table_path() const { return path_ + "/" + std::string(kTableFolder); }
  std::string checkpoint_path() const { return path_ + "/" + std::string(kCheckpointFolder); }

  /// Whether a lock file was there to be locked.
  bool is_locked() const noexcept { return lock_ != nullptr; }

 private:
  Directory(std::string path, std::unique_ptr<os::File> lock) noexcept
      : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::string path_;
  const std::unique_ptr<os::File> lock_;
};

}  // namespace ashlar::db
