/// \file
/// The unit of the log: one commit, with a checksum that also says where it belongs.
///
/// The log is one endless string of bytes; a frame lies at a `Position` in it, a multiple of 8, and
/// nothing else does. Layout: docs/formats/log.md.
///
/// Invariants:
///   L1  A frame is valid at one position of one log only: old bytes in recycled space never pass
///       as new ones.
///   L2  A frame names the checksum of the one before: a valid frame in the wrong company is found.
///   L3  A frame tells how much before it was not durable when it was appended. So a bad frame
///       before a later good one is either the torn end of what nobody was promised, or damage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ashlar::log {

/// A byte of the endless log, counted from its beginning.
using Position = std::uint64_t;

/// A number that no other log has, drawn when a log is made.
using LogId = std::uint64_t;

/// The longest payload, in bytes: a batch of the largest allowed size with room for its coding.
inline constexpr std::size_t kPayloadBytesMax = (std::size_t{1} << 30U) + (std::size_t{64} << 20U);

enum class FrameKind : std::uint8_t {
  kCommit = 1,  ///< The operations of one commit.
  kClose = 2,   ///< The log was closed in order, all before it is durable. No payload.
};

/// What stands before a payload.
struct FrameHeader {
  FrameKind kind = FrameKind::kCommit;
  std::uint32_t payload_bytes = 0;
  std::uint32_t chain = 0;           ///< Of the frame before (`chain_of`), L2.
  std::uint32_t unsynced_bytes = 0;  ///< Before this frame, when it was appended (L3).
  std::uint64_t commit = 0;  ///< Number of the commit, one more than that of the one before.

  static constexpr std::size_t kBytes = 32;

  /// Bytes of the whole frame, filled up to a multiple of 8.
  std::size_t frame_bytes() const noexcept;
};

/// Bytes of a frame with so much payload.
constexpr std::size_t frame_bytes_for(std::size_t payload_bytes) noexcept {
  return (FrameHeader::kBytes + payload_bytes + 7) / 8 * 8;
}

inline std::size_t FrameHeader::frame_bytes() const noexcept {
  return frame_bytes_for(payload_bytes);
}

/// The hash that stands for a payload in the checksum of its frame.
std::uint64_t payload_hash(std::string_view payload) noexcept;

/// Writes the header of a frame at `position` to `to` (kBytes bytes). Returns: its checksum
std::uint64_t encode_frame_header(const FrameHeader& header, std::uint64_t payload_hash,
                                  Position position, LogId log_id, char* to) noexcept;

/// What the frame after one with `checksum` has as its chain.
constexpr std::uint32_t chain_of(std::uint64_t checksum) noexcept {
  return static_cast<std::uint32_t>(checksum >> 32U) | 1U;  // Never 0: that is the first frame's.
}

/// A frame that has proved valid.
struct Frame {
  FrameHeader header;
  Position position = 0;
  std::uint64_t checksum = 0;
  std::string_view payload;  ///< In the memory that it was decoded from.

  Position end() const noexcept { return position + header.frame_bytes(); }
};

/// The header of the frame that begins with `bytes` (at least kBytes), should it be one at all: no
/// check but of its plausibility. Returns: nullopt when it cannot be a frame
std::optional<FrameHeader> plausible_header(std::string_view bytes) noexcept;

/// The frame at `position` whose bytes `bytes` begins with. Returns: nullopt when there is no valid
/// one (L1)
std::optional<Frame> decode_frame(std::string_view bytes, Position position, LogId log_id) noexcept;

}  // namespace ashlar::log
