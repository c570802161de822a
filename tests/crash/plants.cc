// The frames of the log, its ring and the checkpoints, each with bugs that can be switched on. What
// stands here is all that frame.cc, ring.cc, checkpoint_file.cc and checkpoint_reader.cc define, so
// the linker takes none of them from the library; were a function missing, it would find others
// twice and say so.

#include "plants.h"

#include <cstdint>
#include <limits>
#include <map>
#include <string>

#include "base/hash.h"
#include "engine/operation_codec.h"

namespace {

enum class Bug : std::uint8_t {
  kNone,
  kFrameChecksum,       ///< The checksum of a frame says nothing of its payload.
  kCheckpointChecksum,  ///< The same for checkpoints.
  kDamageIsEnd,         ///< Damage in the middle of the log counts as its end.
  kBatchTail,           ///< The last operation of a batch is left out when the log is read.
};

Bug planted = Bug::kNone;

}  // namespace

namespace ashlar::base {

/// What frame.cc has for a checksum: of payloads, and of what covers header and place.
inline std::uint64_t hash_or_place(std::string_view bytes, std::uint64_t seed) noexcept {
  constexpr std::size_t kPlaceBytes = 48;
  const bool is_payload = bytes.size() != kPlaceBytes;
  return is_payload && planted == Bug::kFrameChecksum ? 0 : hash_key(bytes, seed);
}

/// What ring.cc has for a checksum of its marks: with the bug no two are the same, so none counts.
inline std::uint64_t hash_or_never(std::string_view bytes, std::uint64_t seed) noexcept {
  static std::uint64_t call_count = 0;
  return planted == Bug::kDamageIsEnd ? ++call_count : hash_key(bytes, seed);
}

/// What writer and reader of checkpoints have for a checksum.
inline std::uint64_t hash_or_none(std::string_view bytes, std::uint64_t seed) noexcept {
  return planted == Bug::kCheckpointChecksum ? 0 : hash_key(bytes, seed);
}

}  // namespace ashlar::base

#define hash_key hash_or_place
#define decode_frame decode_sound_frame
#define encode_frame_header encode_sound_frame_header
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "log/frame.cc"
#undef decode_frame
#undef encode_frame_header
#undef hash_key

#define hash_key hash_or_never
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "log/ring.cc"
#undef hash_key

#define hash_key hash_or_none
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "memory/checkpoint/checkpoint_file.cc"
// NOLINTNEXTLINE(bugprone-suspicious-include)
#include "memory/checkpoint/checkpoint_reader.cc"
#undef hash_key

namespace ashlar::log {
namespace {

/// The payload without the last of several operations.
std::string_view without_last(std::string_view payload) {
  engine::PayloadReader reader(payload);
  std::string_view shorter = payload;
  std::size_t end = 0;  // Of the operation before.
  while (const auto stored = reader.next()) {
    if (end != 0) shorter = payload.substr(0, end);
    const std::string_view last = stored->value.data() != nullptr ? stored->value : stored->key;
    end = static_cast<std::size_t>(last.data() + last.size() - payload.data());
  }
  return shorter;
}

}  // namespace

std::uint64_t encode_frame_header(const FrameHeader& header, std::uint64_t payload_hash,
                                  Position position, LogId log_id, char* to) noexcept {
  FrameHeader written = header;
  // A frame that claims that nothing before it was durable proves no damage. Nor do marks: see
  // above.
  if (planted == Bug::kDamageIsEnd)
    written.unsynced_bytes = std::numeric_limits<std::uint32_t>::max();
  return encode_sound_frame_header(written, payload_hash, position, log_id, to);
}

std::optional<Frame> decode_frame(std::string_view bytes, Position position,
                                  LogId log_id) noexcept {
  std::optional<Frame> frame = decode_sound_frame(bytes, position, log_id);
  if (frame && planted == Bug::kBatchTail) frame->payload = without_last(frame->payload);
  return frame;
}

}  // namespace ashlar::log

namespace ashlar::crash {

bool plant_bug(std::string_view name) {
  static const std::map<std::string, Bug, std::less<>> bugs = {
      {"", Bug::kNone},
      {"frame-checksum", Bug::kFrameChecksum},
      {"checkpoint-checksum", Bug::kCheckpointChecksum},
      {"damage-is-end", Bug::kDamageIsEnd},
      {"batch-tail", Bug::kBatchTail},
  };
  const auto found = bugs.find(name);
  if (found == bugs.end()) {
    return plant_table_bug(name) || plant_transaction_bug(name) || plant_change_bug(name);
  }
  planted = found->second;
  return true;
}

}  // namespace ashlar::crash
