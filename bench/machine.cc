#include "machine.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): getloadavg is not in <cstdlib>.
#include <sys/utsname.h>

#include <fstream>
#include <string>
#include <thread>

#include "report.h"

namespace ashlar::bench {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

// The kernel marks the mode in force: "always [madvise] never".
std::string huge_page_mode() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(file, line);
  const auto begin = line.find('[');
  const auto end = line.find(']');
  if (begin == std::string::npos || end == std::string::npos) return "unknown";
  return line.substr(begin + 1, end - begin - 1);
}

std::string kernel() {
  utsname names = {};
  return uname(&names) == 0 ? std::string(names.sysname) + " " + names.release : "unknown kernel";
}

}  // namespace

void write_machine(std::ostream& out) {
  out << processor() << ", " << std::thread::hardware_concurrency() << " cores, " << kernel()
      << ", transparent huge pages: " << huge_page_mode() << '\n';
  constexpr double kQuiet = 0.5;
  double load = 0;
  if (getloadavg(&load, 1) == 1 && load > kQuiet) {
    out << "load average " << fixed(load, 2)
        << ": others are at work, trust the ratios more than the times\n";
  }
}

}  // namespace ashlar::bench
