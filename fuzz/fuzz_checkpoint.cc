// Any file as a checkpoint: it is read or refused, with no more memory than it is long, and what is
// left of it is found without going astray. Then the same file with checksums that are right, so
// that what they protect is read as well.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/coding.h"
#include "base/hash.h"
#include "memory/checkpoint/checkpoint_layout.h"
#include "memory/checkpoint/checkpoint_reader.h"
#include "os/simulated_disk.h"

namespace {

using ashlar::memory::checkpoint_layout::block_checksum;
using ashlar::memory::checkpoint_layout::kBlockHeaderBytes;
using ashlar::memory::checkpoint_layout::kFooterBytes;
using ashlar::memory::checkpoint_layout::kHeaderBytes;

void read_as_checkpoint(std::string_view bytes) {
  ashlar::os::SimulatedDisk disk;
  {
    const auto file = ashlar::os::File::open(disk, "/c", ashlar::os::OpenMode::kCreate);
    if (!file || !(*file)->write(0, bytes)) return;
  }
  const auto report = ashlar::memory::read_checkpoint(
      disk, "/c", [](std::string_view) -> ashlar::Result<void> { return {}; });
  const auto salvage = ashlar::memory::salvage_checkpoint(
      disk, "/c", [](std::string_view) -> ashlar::Result<void> { return {}; });
  // Both ways of reading agree on what is sound.
  if (!salvage || (salvage->damages.empty() && !report)) std::abort();
}

/// `bytes` with the beginning of a checkpoint and every checksum as it should be.
std::string repaired(std::string bytes) {
  using ashlar::base::hash_key;
  using ashlar::base::load_number;
  bytes.resize(std::max(bytes.size(), kHeaderBytes + kBlockHeaderBytes + kFooterBytes));
  bytes.replace(0, 8, "ashlrckp");
  ashlar::base::store_number(bytes.data() + 8, std::uint32_t{1});
  const std::string_view header = std::string_view(bytes).substr(0, kHeaderBytes - 8);
  ashlar::base::store_number(bytes.data() + kHeaderBytes - 8, hash_key(header, 0));
  std::size_t at = kHeaderBytes;
  for (std::uint64_t index = 0; at + kBlockHeaderBytes <= bytes.size(); ++index) {
    char* const block = bytes.data() + at;
    at += kBlockHeaderBytes;
    const auto raw_bytes = load_number<std::uint32_t>(block + 4);
    std::size_t stored_bytes = load_number<std::uint32_t>(block) % (bytes.size() - at + 1);
    ashlar::base::store_number(block, static_cast<std::uint32_t>(stored_bytes));
    if (stored_bytes == 0) stored_bytes = std::min(kFooterBytes, bytes.size() - at);
    const auto stored = std::string_view(bytes).substr(at, stored_bytes);
    ashlar::base::store_number(block + 8, block_checksum(stored, index, raw_bytes));
    at += stored_bytes;
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_checkpoint(bytes);
  read_as_checkpoint(repaired(std::string(bytes)));
  return 0;
}
