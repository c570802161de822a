#include "process_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace ashlar::bench {
namespace {

std::string proc_path(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

}  // namespace

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double proportional_bytes(pid_t pid) {
  std::ifstream file(proc_path(pid, "smaps_rollup"));
  std::ostringstream text;
  text << file.rdbuf();
  return field_bytes(text.str(), "Pss");
}

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file(proc_path(pid, "task/" + std::to_string(pid) + "/children"));
  return {std::istream_iterator<pid_t>(file), std::istream_iterator<pid_t>()};
}

double field_bytes(std::string_view text, std::string_view field) {
  constexpr double kUnit = 1024;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.starts_with(field) || !line.substr(field.size()).starts_with(':')) continue;
    line.remove_prefix(field.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::uint64_t count = 0;
    std::from_chars(line.data(), line.data() + line.size(), count);
    return static_cast<double>(count) * kUnit;
  }
  return 0;
}

void trim_memory() {
  malloc_trim(0);
}

}  // namespace ashlar::bench
