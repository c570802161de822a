/// \file
/// The file `ring` of a log: the bytes that were appended last, mapped, and behind them a block of
/// marks that tell how far the log was durable. Layout: docs/formats/log.md.
///
/// Invariants:
///   L9  A mark of what is durable is written after what it tells has come true. So a log that ends
///       before its mark has been damaged.
///   L10  The mark of closing is there only while the log ends with the close it tells of: it has
///        gone from the disk before another frame may follow.
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

  /// Where the log was closed, when it was and nothing follows (L10); 0 otherwise.
  Position closed(LogId log_id) const noexcept;
};

/// Reads the ring at `path`.
///
/// Errors: kIo
Result<RingImage> read_ring(os::Disk& disk, const std::string& path);

/// Reads all of it but `bytes`.
///
/// Errors: kIo
Result<RingImage> read_ring_marks(os::Disk& disk, const std::string& path);

/// Whether what a ring holds may still matter.
enum class RingRest : std::uint8_t {
  kCleared,  ///< Torn frames may be among it.
  kLeft,  ///< All of it lies before the end of a log that was closed: it passes for nothing (L1).
};

/// The ring of an open log.
///
/// Threads: externally synchronised; `note_durable` may run beside the others.
class Ring {
 public:
  /// How long the file of a ring for so many bytes is.
  static constexpr std::uint64_t file_bytes(std::uint64_t ring_bytes) noexcept {
    return ring_bytes + os::kBlockBytes;
  }

  /// Begins a ring in `directory`, for a log that is durable up to `durable`. One of the same
  /// length is used again. No mark of closing is left on the disk (L10).
  ///
  /// Errors:   kIo, kOutOfSpace
  /// Lifetime: `disk` must outlive it
  static Result<std::unique_ptr<Ring>> renew(os::Disk& disk, const std::string& directory,
                                             std::uint64_t ring_bytes, LogId log_id,
                                             Position durable, RingRest rest);

  /// Puts `bytes` where they belong.
  void store(Position position, std::string_view bytes) noexcept;

  /// Up to `count` bytes from `position` on; fewer where the ring begins again.
  std::string_view view(Position position, std::uint64_t count) const noexcept;

  /// Leaves a mark: everything before `position` is durable.
  void note_durable(Position position) noexcept;

  /// Leaves the mark of closing: the log ends at `position`, and all of it is in segments. Nothing
  /// is stored after that.
  void note_closed(Position position) noexcept;

  /// Whether an access has not reached the file: see os::Mapping.
  bool is_lost() const noexcept { return mapping_->is_lost(); }

 private:
  Result<void> forget_closing();
  Ring(std::unique_ptr<os::File> file, std::unique_ptr<os::Mapping> mapping, LogId log_id) noexcept;

  const std::unique_ptr<os::File> file_;
  const std::unique_ptr<os::Mapping> mapping_;
  const std::uint64_t ring_bytes_;
  const LogId log_id_;
  unsigned mark_count_ = 0;  // Written so far. Confined to the one who flushes.
};

}  // namespace ashlar::log
