#include "process_figures.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <system_error>

namespace ashlar::crash {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{20};
constexpr std::uint64_t kBlockBytes = 512;  // In which stat counts, whatever the disk has.
constexpr std::uint64_t kKibibyte = 1024;

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/status");
  std::uint64_t total = 0;
  std::string name;
  while (file >> name) {
    std::uint64_t kibibytes = 0;
    if (name == "RssAnon:" || name == "RssShmem:") file >> kibibytes;
    total += kibibytes * kKibibyte;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return total;
}

std::uint64_t open_file_count() {
  std::error_code failed;
  const std::filesystem::directory_iterator files("/proc/self/fd", failed);
  return static_cast<std::uint64_t>(std::distance(begin(files), end(files)));
}

std::uint64_t bytes_on_disk(const std::filesystem::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  std::filesystem::recursive_directory_iterator at(directory, failed);
  for (; !failed && at != end(at); at.increment(failed)) {
    struct stat status{};
    // One that went in between takes nothing.
    if (::stat(at->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    bytes += static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
  }
  return bytes;
}

ResidentWatch::ResidentWatch()
    : thread_([this](const std::stop_token& stop) { look_until(stop); }) {}

void ResidentWatch::look_until(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    bytes_max_.store(std::max(bytes_max_.load(), resident_bytes()));
    look_count_.fetch_add(1);
    wake_.wait_for(lock, stop, kBetweenLooks, [] { return false; });
  }
}

}  // namespace ashlar::crash
