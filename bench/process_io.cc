#include "process_io.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace ashlar::bench {

ProcessIo process_io() {
  std::ifstream file("/proc/self/io");
  ProcessIo io;
  std::string field;
  std::uint64_t count = 0;
  while (file >> field >> count) {
    if (field == "wchar:") io.written_bytes = count;
    if (field == "write_bytes:") io.dirtied_bytes = count;
  }
  return io;
}

DirectoryBytes directory_bytes(const std::string& directory) {
  constexpr std::uint64_t kBlockBytes = 512;  // What st_blocks counts, whatever the file system.
  DirectoryBytes bytes;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat status = {};
    if (!entry.is_regular_file() || ::stat(entry.path().c_str(), &status) != 0) continue;
    const auto& path = entry.path();
    const bool is_log = path.extension() == ".log" || path.parent_path().filename() == "log";
    (is_log ? bytes.log : bytes.data) += static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
  }
  return bytes;
}

}  // namespace ashlar::bench
