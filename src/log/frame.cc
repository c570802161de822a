#include "log/frame.h"

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"

namespace ashlar::log {
namespace {

//     offset  size  field
//          0     8  checksum
//          8     4  payload bytes
//         12     4  chain
//         16     4  unsynced bytes
//         20     1  kind
//         21     3  zero
//         24     8  commit
constexpr std::size_t kChecksummedFrom = 8;

/// Covers the header, the payload by its hash, and the place (L1).
std::uint64_t checksum_of(const char* header, std::uint64_t payload_hash, Position position,
                          LogId log_id) noexcept {
  constexpr std::size_t kHeaderPart = FrameHeader::kBytes - kChecksummedFrom;
  constexpr std::size_t kPlaceBytes = 24;
  char covered[kHeaderPart + kPlaceBytes];
  std::memcpy(covered, header + kChecksummedFrom, kHeaderPart);
  base::store_number(covered + kHeaderPart, payload_hash);
  base::store_number(covered + kHeaderPart + 8, position);
  base::store_number(covered + kHeaderPart + 16, log_id);
  return base::hash_key({covered, sizeof(covered)}, 0);
}

}  // namespace

std::uint64_t payload_hash(std::string_view payload) noexcept {
  return base::hash_key(payload, 0);
}

std::uint64_t encode_frame_header(const FrameHeader& header, std::uint64_t payload_hash,
                                  Position position, LogId log_id, char* to) noexcept {
  ASHLAR_ASSERT(position % 8 == 0, "a frame begins at a multiple of 8");
  ASHLAR_ASSERT(header.payload_bytes <= kPayloadBytesMax, "a payload is within its limit");
  base::store_number(to + 8, header.payload_bytes);
  base::store_number(to + 12, header.chain);
  base::store_number(to + 16, header.unsynced_bytes);
  base::store_number(to + 20, static_cast<std::uint32_t>(header.kind));
  base::store_number(to + 24, header.commit);
  const std::uint64_t checksum = checksum_of(to, payload_hash, position, log_id);
  base::store_number(to, checksum);
  return checksum;
}

std::optional<FrameHeader> plausible_header(std::string_view bytes) noexcept {
  ASHLAR_ASSERT(bytes.size() >= FrameHeader::kBytes, "a whole header is looked at");
  const auto payload_bytes = base::load_number<std::uint32_t>(bytes.data() + 8);
  const auto kind = base::load_number<std::uint32_t>(bytes.data() + 20);
  const bool is_commit = kind == static_cast<std::uint32_t>(FrameKind::kCommit);
  const bool is_close = kind == static_cast<std::uint32_t>(FrameKind::kClose);
  if ((!is_commit && !is_close) || payload_bytes > kPayloadBytesMax) return std::nullopt;
  return FrameHeader{.kind = static_cast<FrameKind>(kind),
                     .payload_bytes = payload_bytes,
                     .chain = base::load_number<std::uint32_t>(bytes.data() + 12),
                     .unsynced_bytes = base::load_number<std::uint32_t>(bytes.data() + 16),
                     .commit = base::load_number<std::uint64_t>(bytes.data() + 24)};
}

std::optional<Frame> decode_frame(std::string_view bytes, Position position,
                                  LogId log_id) noexcept {
  if (bytes.size() < FrameHeader::kBytes) return std::nullopt;
  const std::optional<FrameHeader> header = plausible_header(bytes);
  if (!header || header->frame_bytes() > bytes.size()) return std::nullopt;
  const Frame frame{.header = *header,
                    .position = position,
                    .checksum = base::load_number<std::uint64_t>(bytes.data()),
                    .payload = bytes.substr(FrameHeader::kBytes, header->payload_bytes)};
  const std::uint64_t expected =
      checksum_of(bytes.data(), payload_hash(frame.payload), position, log_id);
  if (expected != frame.checksum) return std::nullopt;
  return frame;
}

}  // namespace ashlar::log
