/// \file
/// The directory of a database: who has it open, and which format it is in.
#pragma once

#include <memory>
#include <string>

#include "ashlar/result.h"
#include "os/file.h"

namespace ashlar::db {

/// A directory, locked against every other opener while this lives. Layout:
/// docs/formats/directory.md.
class Directory {
 public:
  /// Opens `path`, or makes it; the directory above must exist.
  ///
  /// Errors:   kUnavailable      somebody else has it open: names the process
  ///           kInvalidArgument  it is neither empty nor a database, or of a newer format
  ///           kIo
  /// Lifetime: `disk` must outlive it
  static Result<std::unique_ptr<Directory>> open(os::Disk& disk, const std::string& path);

  const std::string& path() const noexcept { return path_; }
  std::string log_path() const { return path_ + "/log"; }
  std::string checkpoint_path() const { return path_ + "/checkpoint"; }

 private:
  Directory(std::string path, std::unique_ptr<os::File> lock) noexcept
      : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::string path_;
  const std::unique_ptr<os::File> lock_;
};

}  // namespace ashlar::db
