/// \file
/// The list of tables as a file, with what else must be known to go on: docs/formats/manifest.md.
///
///     header   offset  size  field
///                   0     8  magic "ashlrman"
///                   8     4  version
///                  12     4  log place: chain
///                  16     8  bytes of the file
///                  24     8  database id
///                  32     8  hash seed
///                  40     8  next file number
///                  48     8  last sequence
///                  56     8  log place: position
///                  64     8  log place: commit
///                  72     8  number of tables
///     tables   level by level, each as its level stands in a version
///     checksum       8  of all bytes before
///
/// Invariants:
///   V5  Every byte of a manifest is covered by its checksum, its length included: one that is cut
///       short, or goes on, or has a bit changed, is refused.
///   V6  What is read is what a version may be: V2 to V4 hold, every table's figures fit together
///       and its number is below the next file number. One manifest has one form in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "engine/log_place.h"
#include "lsm/table.h"
#include "lsm/version.h"

namespace ashlar::lsm {

/// More than this no manifest has, some ten million tables: what announces more is not read.
inline constexpr std::uint64_t kManifestBytesMax = std::uint64_t{1} << 30U;

/// All that a disk engine has to know to open a directory.
struct Manifest {
  /// A table and where it stands. In level 0 from new to old, in the others ascending by key.
  struct Entry {
    std::uint32_t level = 0;
    TableInfo table = {};

    bool operator==(const Entry&) const = default;
  };

  std::uint64_t database_id = 0;
  std::uint64_t hash_seed = 0;         ///< Of the directory's filters and block tags.
  std::uint64_t next_file_number = 1;  ///< No file has this number or a larger one.
  std::uint64_t last_sequence = 0;     ///< Of the commits that are in tables.
  engine::LogPlace log_place = {};     ///< Behind the last commit that is in tables.
  std::vector<Entry> tables = {};

  bool operator==(const Manifest&) const = default;

  /// Takes the tables of `version`.
  void set_tables(const Version& version);
};

/// The bytes of `manifest`, which is one that could be read (V6, asserted).
std::string encode_manifest(const Manifest& manifest);

/// Input:   path  the name for errors
/// Errors:  kCorruption  it is damaged: names `path` and the offset
/// Cost:    memory for no more than `bytes` hold
Result<Manifest> decode_manifest(std::string_view bytes, const std::string& path);

}  // namespace ashlar::lsm
