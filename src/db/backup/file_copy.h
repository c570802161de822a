/// \file
/// Copies of files, and the checksum by which a copy is told from what it should be.
///
/// The checksum begins with 0, and for each mebibyte of the file, and for the rest, becomes the
/// XXH3 of those bytes seeded with the checksum so far: so a file of any length is read in pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ashlar/result.h"
#include "os/disk.h"

namespace ashlar::db {

/// What all bytes of a file come to.
struct FileSum {
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;

  bool operator==(const FileSum&) const = default;
};

/// Is told of each piece that was read.
using PieceObserver = std::function<void(std::uint64_t bytes)>;

/// Reads the file `path`.
///
/// Errors: kCorruption  there is none; kIo
Result<FileSum> sum_file(os::Disk& disk, const std::string& path, const PieceObserver& observer);

/// Where a copy goes.
struct CopyPaths {
  const std::string& from;
  const std::string& to;  ///< Must not exist.
};

/// Copies a file, durably but for the name. Returns: what was read and written
///
/// Errors: kCorruption  there is none; kIo, kOutOfSpace
Result<FileSum> copy_file(os::Disk& disk, const CopyPaths& paths, const PieceObserver& observer);

}  // namespace ashlar::db
