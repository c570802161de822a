// Any bytes as a file of collected values, and as a reference to one.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/value_reference.h"
#include "lsm/values/collected_file.h"
#include "os/file.h"
#include "os/simulated_disk.h"

namespace {

constexpr const char* kPath = "/0000000007.values";
constexpr ashlar::lsm::CollectedIdentity kIdentity{.database_id = 1, .number = 7};

void read_as_reference(std::string_view bytes) {
  const auto reference = ashlar::engine::decode_value_reference(bytes);
  if (!reference) return;
  if (reference->bytes == 0 || reference->end() < reference->position) std::abort();
  std::string again(ashlar::engine::ValueReference::kBytes, '\0');
  ashlar::engine::encode_value_reference(*reference, again.data());
  if (again != bytes) std::abort();
}

void read_as_file(std::string_view bytes) {
  ashlar::os::SimulatedDisk disk;
  {
    const auto file = ashlar::os::File::open(disk, kPath, ashlar::os::OpenMode::kCreate);
    if (!file || !(*file)->write(0, bytes)) return;
  }
  const auto opened = ashlar::lsm::CollectedFile::open(disk, kPath, kIdentity);
  if (!opened) return;
  const ashlar::engine::ValuePiece piece = (*opened)->piece();
  if (piece.end - piece.first != bytes.size()) std::abort();
  std::string all(bytes.size(), '\0');
  if (!(*opened)->read(0, all) || all != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_reference(bytes);
  read_as_file(bytes);
  return 0;
}
