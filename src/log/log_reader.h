/// \file
/// Reads a log from a position on, frame by frame, and judges where and why it ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "log/frame.h"
#include "log/segment.h"

namespace ashlar::log {

/// Where reading begins: a place between two frames.
struct Start {
  Position position = 0;
  std::uint32_t chain = 0;   ///< Of the frame before; 0 at the beginning of the log.
  std::uint64_t commit = 0;  ///< Of the frame before.
};

/// Frames of the log that had not been written to a segment: the mapped tail (see local_log.h).
struct Tail {
  std::string_view ring;  ///< The byte at position p lies at p modulo the length. May be empty.
  Position durable = 0;   ///< Everything before it was durable, as the ring tells (L9).
};

/// Threads:  externally synchronised.
/// Lifetime: `segments` and the tail must outlive it; a frame lives until the next call.
class LogReader {
 public:
  LogReader(const SegmentSet& segments, Tail tail, LogId log_id, Start start);

  /// Looks into `ring` as well from now on.
  void use_ring(std::string_view ring) noexcept { tail_.ring = ring; }

  /// Reads the next frame.
  ///
  /// Returns: nullopt where no valid frame follows
  /// Errors:  kIo, kCorruption  a segment cannot be read
  Result<std::optional<Frame>> next();

  /// Where the last frame ended, and what a frame after it must carry.
  const Start& at() const noexcept { return at_; }

  /// The end of what was found in segments; later frames were in the tail only.
  Position segments_end() const noexcept { return segments_end_; }

  /// Whether the last frame read said that the log was closed in order.
  bool is_closed() const noexcept { return is_closed_; }

  /// To be asked once `next` has found nothing: is this the end of the log?
  ///
  /// Returns: how many bytes behind the end hold the torn rest of frames that were not durable
  /// Errors:  kCorruption  a later frame proves that one which was durable is damaged: names file
  ///                       and offset
  Result<std::uint64_t> judge_end();

  /// What is behind the end.
  struct Judgement {
    std::uint64_t torn_bytes = 0;  ///< As `judge_end` tells, where nothing is damaged.
    std::string proof;  ///< What proves that a frame is damaged, or missing; empty: nothing.
  };

  /// The same, with damage as an answer.
  ///
  /// Errors: kIo
  Result<Judgement> judge_behind();

  /// The first valid frame at or after `position`, whether or not it follows any other: for those
  /// who take stock of a log that is damaged. Reading goes on where it was.
  ///
  /// Errors: kIo
  /// Cost:   looks at every eighth byte up to it, of all segments if there is none
  Result<std::optional<Frame>> find_from(Position position);

 private:
  /// Which frames are looked for: those of commits behind the end, or whatever proves valid.
  enum class Sought : std::uint8_t { kLaterCommits, kAll };

  Result<std::string_view> view(Position position, std::size_t bytes);
  Result<std::optional<Frame>> frame_in_segments(Position position);
  std::optional<Frame> frame_in_ring(Position position, Sought sought);
  std::string_view ring_bytes(Position position, std::size_t bytes);
  Result<std::string_view> rest_of_window(Position position);
  bool is_sought(const FrameHeader& header, Position position, Sought sought) const noexcept;
  Result<std::optional<Frame>> later_in_segments(Position position, Sought sought);
  std::optional<Frame> later_in_ring(Position position, Sought sought);
  bool proves_damage(const Frame& later) const noexcept;

  const SegmentSet& segments_;
  Tail tail_;
  const LogId log_id_;
  Start at_;
  Position segments_end_;
  bool is_closed_ = false;
  std::string window_;  // Bytes of the segments from window_begin_ on.
  Position window_begin_ = 0;
  std::string unrolled_;  // A frame out of the ring.
};

}  // namespace ashlar::log
