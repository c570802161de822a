// Any file as a checkpoint: it is read or refused, with no more memory than it is long, and what is
// left of it is found without going astray.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "memory/checkpoint/checkpoint_reader.h"
#include "os/simulated_disk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ashlar::os::SimulatedDisk disk;
  {
    const auto file = ashlar::os::File::open(disk, "/c", ashlar::os::OpenMode::kCreate);
    if (!file) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (!(*file)->write(0, bytes)) return 0;
  }
  const auto report = ashlar::memory::read_checkpoint(
      disk, "/c", [](std::string_view) -> ashlar::Result<void> { return {}; });
  const auto salvage = ashlar::memory::salvage_checkpoint(
      disk, "/c", [](std::string_view) -> ashlar::Result<void> { return {}; });
  // Both ways of reading agree on what is sound, but for a number of rows that is a lie.
  if (!salvage || (salvage->damages.empty() && !report)) std::abort();
  return 0;
}
