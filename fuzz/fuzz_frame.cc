// Any bytes as a frame: none may be taken for one, except by its checksum, or lead outside them.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "log/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto frame = ashlar::log::decode_frame(bytes, 4096, 1);
  if (!frame) return 0;
  if (frame->payload.data() + frame->payload.size() > bytes.data() + bytes.size()) std::abort();
  return 0;
}
