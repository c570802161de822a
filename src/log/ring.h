/// \file
/// The file `ring` of a log: the bytes that were appended last, mapped, and behind them a block of
/// marks that tell how far the log was durable. Layout: docs/formats/log.md.
///
/// Invariants:
///   L9  A mark is written after what it tells has come true. So a log that ends before its mark
///       has been damaged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "log/frame.h"
#include "os/file.h"

namespace ashlar::log {

/// What a process left in a ring.
struct RingImage {
  bool is_there = false;
  std::uint64_t file_bytes = 0;
  std::string bytes;  ///< The byte at position p lies at p modulo the length.
  std::string marks;  ///< The block behind them; empty when the file is too short for one.

  /// Everything before it was durable, as far as the marks of the log tell; 0 without any.
  Position durable(LogId log_id) const noexcept;
};

/// Reads the ring at `path`.
///
/// Errors: kIo
Result<RingImage> read_ring(os::Disk& disk, const std::string& path);

/// The ring of an open log.
///
/// Threads: externally synchronised; `note_durable` may run beside the others.
class Ring {
 public:
  /// How long the file of a ring for so many bytes is.
  static constexpr std::uint64_t file_bytes(std::uint64_t ring_bytes) noexcept {
    return ring_bytes + os::kBlockBytes;
  }

  /// Begins an empty ring at `path`, in `directory`, for a log that is durable up to `durable`. One
  /// of the same length is used again.
  ///
  /// Errors:   kIo, kOutOfSpace
  /// Lifetime: `disk` must outlive it
  static Result<std::unique_ptr<Ring>> renew(os::Disk& disk, const std::string& directory,
                                             std::uint64_t ring_bytes, LogId log_id,
                                             Position durable);

  /// Puts `bytes` where they belong.
  void store(Position position, std::string_view bytes) noexcept;

  /// Up to `count` bytes from `position` on; fewer where the ring begins again.
  std::string_view view(Position position, std::uint64_t count) const noexcept;

  /// Leaves a mark: everything before `position` is durable.
  void note_durable(Position position) noexcept;

  /// Whether an access has not reached the file: see os::Mapping.
  bool is_lost() const noexcept { return mapping_->is_lost(); }

 private:
  Ring(std::unique_ptr<os::File> file, std::unique_ptr<os::Mapping> mapping, LogId log_id) noexcept;

  const std::unique_ptr<os::File> file_;
  const std::unique_ptr<os::Mapping> mapping_;
  const std::uint64_t ring_bytes_;
  const LogId log_id_;
  unsigned mark_count_ = 0;  // Written so far. Confined to the one who flushes.
};

}  // namespace ashlar::log
