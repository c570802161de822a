// A fuzzer without its engine: runs the inputs of the folders that it is given, so that what was
// found once is tried by every compiler. Fails when there is none.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "os/file.h"
#include "os/posix_disk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// Returns: false when the file cannot be read
bool replay(ashlar::os::Disk& disk, const std::string& path) {
  const auto file = ashlar::os::File::open(disk, path, ashlar::os::OpenMode::kRead);
  if (!file || *file == nullptr) return false;
  const auto bytes = (*file)->size();
  if (!bytes) return false;
  std::string input(*bytes, '\0');
  if (!(*file)->read(0, input)) return false;
  std::printf("replay: %s, %zu bytes\n", path.c_str(), input.size());
  std::fflush(stdout);  // It may be the last word.
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  return true;
}

}  // namespace

int main(int argument_count, char** argument_list) {
  ashlar::os::PosixDisk disk;
  int input_count = 0;
  for (int i = 1; i < argument_count; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argument_list[i], error)) {
      if (!replay(disk, entry.path().string())) return 1;
      ++input_count;
    }
    if (error) return 1;
  }
  return input_count > 0 ? 0 : 1;
}
