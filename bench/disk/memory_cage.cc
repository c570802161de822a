#include "disk/memory_cage.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace ashlar::bench {
namespace {

/// The group of version 1 that counts the memory of this process; empty when there is none.
std::filesystem::path home_group() {
  std::ifstream groups("/proc/self/cgroup");
  constexpr std::string_view kController = ":memory:";
  for (std::string line; std::getline(groups, line);) {
    const auto found = line.find(kController);
    if (found == std::string::npos) continue;
    std::filesystem::path path("/sys/fs/cgroup/memory" + line.substr(found + kController.size()));
    if (std::filesystem::exists(path / "cgroup.procs")) return path;
    // Inside a container the path may be that of the host; its own group is then the root.
    path = "/sys/fs/cgroup/memory";
    if (std::filesystem::exists(path / "cgroup.procs")) return path;
  }
  return {};
}

bool try_write(const std::filesystem::path& file, std::size_t number) {
  std::ofstream stream(file);
  stream << number << std::flush;
  return stream.good();
}

bool try_move_to(const std::filesystem::path& group) {
  return try_write(group / "cgroup.procs", static_cast<std::size_t>(::getpid()));
}

}  // namespace

bool MemoryCage::is_available() {
  const auto home = home_group();
  return !home.empty() && ::access((home / "cgroup.procs").c_str(), W_OK) == 0 &&
         ::access(home.c_str(), W_OK) == 0;
}

MemoryCage::MemoryCage(const std::string& name, std::size_t limit_bytes)
    : home_(home_group()), path_(home_ / ("bench-" + std::to_string(::getpid()) + "-" + name)) {
  std::filesystem::create_directory(path_);
  if (!try_write(path_ / "memory.limit_in_bytes", limit_bytes)) {
    throw std::runtime_error("cannot limit the memory of " + path_.string());
  }
}

MemoryCage::~MemoryCage() {
  ::rmdir(path_.c_str());  // What it still counts goes to its parent.
}

MemoryCage::Stay::Stay(const MemoryCage& cage) : cage_(cage) {
  if (!try_move_to(cage.path_)) throw std::runtime_error("cannot enter " + cage.path_.string());
}

MemoryCage::Stay::~Stay() {
  try_move_to(cage_.home_);
}

void drop_from_page_cache(const std::string& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ::fdatasync(fd);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

}  // namespace ashlar::bench
