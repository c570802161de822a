// Any bytes as a frame: none may be taken for one, except by its checksum, or lead outside them.
// Then the same bytes as what a frame carries: it comes back, and nowhere but in its place (L1).

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "log/frame.h"

namespace {

constexpr ashlar::log::Position kPlace = 4096;
constexpr ashlar::log::LogId kLogId = 1;

void write_and_read(std::string_view bytes) {
  ashlar::log::FrameHeader header;
  if (!ashlar::base::take_number(bytes, header.unsynced_bytes)) return;
  if (!ashlar::base::take_number(bytes, header.commit)) return;
  header.payload_bytes = static_cast<std::uint32_t>(bytes.size());
  std::string stored(header.frame_bytes(), '\0');
  bytes.copy(stored.data() + ashlar::log::FrameHeader::kBytes, bytes.size());
  const std::uint64_t hash = ashlar::log::payload_hash(bytes);
  ashlar::log::encode_frame_header(header, hash, kPlace, kLogId, stored.data());
  const auto frame = ashlar::log::decode_frame(stored, kPlace, kLogId);
  if (!frame || frame->payload != bytes || frame->header.commit != header.commit) std::abort();
  if (ashlar::log::decode_frame(stored, kPlace + 8, kLogId)) std::abort();
  if (ashlar::log::decode_frame(stored, kPlace, kLogId + 1)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto frame = ashlar::log::decode_frame(bytes, kPlace, kLogId);
  if (frame && frame->payload.data() + frame->payload.size() > bytes.data() + bytes.size()) {
    std::abort();
  }
  write_and_read(bytes);
  return 0;
}
