/// \file
/// Values that were collected out of pieces of which little was needed any more, in a file of the
/// engine's own: docs/formats/values.md.
///
///     header   offset  size  field
///                   0     8  magic "ashlrval"
///                   8     4  version
///                  12     4  zero
///                  16     8  database id
///                  24     8  number of the file
///                  32     8  checksum of the bytes before
///     values   one behind the other
///
/// A value's position (engine/value_reference.h) tells the number of its file and the offset in it.
/// What a value's bytes should be, its reference knows: the file has no checksums of them.
///
/// Invariants:
///   V43  A collected file is written once, is durable with its name before a table refers to it,
///        and is removed when nobody refers to it any more.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "base/ref.h"
#include "engine/large_values.h"
#include "engine/value_reference.h"
#include "os/file.h"

namespace ashlar::lsm {

/// Which collected file of which directory.
struct CollectedIdentity {
  std::uint64_t database_id = 0;
  std::uint64_t number = 0;  ///< One of those of tables.
};

/// The name of a collected file: "0000000042.values".
std::string collected_name(std::uint64_t number);

/// Returns: nullopt when `name` is not that of a collected file
std::optional<std::uint64_t> collected_number(std::string_view name);

/// Bytes that a file may have: bits of a position.
inline constexpr unsigned kCollectedOffsetBits = 36;
inline constexpr std::uint64_t kCollectedNumberMax =
    (engine::kCollectedBit >> kCollectedOffsetBits) - 1;

constexpr bool is_collected(std::uint64_t position) noexcept {
  return (position & engine::kCollectedBit) != 0;
}
constexpr std::uint64_t collected_position(std::uint64_t number, std::uint64_t offset) noexcept {
  return engine::kCollectedBit | number << kCollectedOffsetBits | offset;
}
constexpr std::uint64_t collected_number_of(std::uint64_t position) noexcept {
  return (position & ~engine::kCollectedBit) >> kCollectedOffsetBits;
}
constexpr std::uint64_t collected_offset_of(std::uint64_t position) noexcept {
  return position & ((std::uint64_t{1} << kCollectedOffsetBits) - 1);
}

/// Threads: immutable.
class CollectedFile final : public base::Counted {
 public:
  static constexpr std::size_t kHeaderBytes = 40;

  /// Errors: kCorruption   it is missing, damaged in its header, or another file
  ///         kUnavailable  a later version wrote it
  ///         kIo
  static Result<base::Ref<const CollectedFile>> open(os::Disk& disk, const std::string& path,
                                                     const CollectedIdentity& identity);
  ~CollectedFile() override = default;

  const std::string& path() const noexcept { return file_->path(); }
  std::uint64_t number() const noexcept { return number_; }
  engine::ValuePiece piece() const noexcept {
    return {.first = collected_position(number_, 0),
            .end = collected_position(number_, file_bytes_),
            .is_kept = true};
  }

  /// Errors: kIo; kCorruption  the file ends before
  Result<void> read(std::uint64_t offset, std::span<char> to) const {
    return file_->read(offset, to);
  }

 private:
  CollectedFile(std::unique_ptr<os::File> file, std::uint64_t number,
                std::uint64_t file_bytes) noexcept;

  const std::unique_ptr<os::File> file_;
  const std::uint64_t number_;
  const std::uint64_t file_bytes_;
};

/// Threads:  externally synchronised.
/// Lifetime: the disk must outlive it.
class CollectedWriter {
 public:
  /// Creates the file `path`, which must not exist.
  ///
  /// Errors: kIo, kOutOfSpace
  static Result<std::unique_ptr<CollectedWriter>> create(os::Disk& disk, const std::string& path,
                                                         const CollectedIdentity& identity);

  /// Adds `value`, of `hash` (value_hash).
  ///
  /// Returns: what refers to it from now on
  /// Errors:  kIo, kOutOfSpace
  Result<engine::ValueReference> add(std::string_view value, std::uint64_t hash);

  /// Makes all but the name durable.
  ///
  /// Errors: kIo, kOutOfSpace
  Result<void> finish();

  std::uint64_t file_bytes() const noexcept { return written_bytes_ + out_.size(); }

 private:
  CollectedWriter(std::unique_ptr<os::File> file, const CollectedIdentity& identity);
  Result<void> write_out();

  const std::unique_ptr<os::File> file_;
  const std::uint64_t number_;
  std::string out_;  // What has not been written yet.
  std::uint64_t written_bytes_ = 0;
};

}  // namespace ashlar::lsm
