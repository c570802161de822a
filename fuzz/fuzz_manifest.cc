// Any bytes as a manifest: they are read or refused, with no more memory than they are, and what is
// read has these bytes and no others. Then the same bytes with a beginning, a length and a checksum
// that are right, so that what they protect is read as well.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/hash.h"
#include "lsm/manifest.h"

namespace {

constexpr std::size_t kHeaderBytes = 80;
constexpr std::size_t kChecksumBytes = 8;

void read_as_manifest(std::string_view bytes) {
  const auto manifest = ashlar::lsm::decode_manifest(bytes, "manifest");
  if (manifest && ashlar::lsm::encode_manifest(*manifest) != bytes) std::abort();
}

std::string repaired(std::string bytes) {
  bytes.resize(std::max(bytes.size(), kHeaderBytes + kChecksumBytes));
  bytes.replace(0, 8, "ashlrman");
  ashlar::base::store_number(bytes.data() + 8, std::uint32_t{1});
  ashlar::base::store_number(bytes.data() + 16, std::uint64_t{bytes.size()});
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - kChecksumBytes);
  ashlar::base::store_number(bytes.data() + covered.size(), ashlar::base::hash_key(covered, 0));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_manifest(bytes);
  read_as_manifest(repaired(std::string(bytes)));
  return 0;
}
