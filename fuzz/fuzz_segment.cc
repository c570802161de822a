// Any block as the header of a segment, and any name as that of one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "log/segment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string block(bytes);
  block.resize(ashlar::os::kBlockBytes, '\0');
  const auto header = ashlar::log::decode_segment_header(block);
  if (header && header->end() < header->first) std::abort();
  const auto number = ashlar::log::segment_number(bytes);
  if (number && ashlar::log::segment_number(ashlar::log::segment_name(*number)) != number) {
    std::abort();
  }
  return 0;
}
