#include "machine.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): getloadavg is not in <cstdlib>.
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

struct ProcessorSeconds {
  double busy = 0;
  double total = 0;
};

ProcessorSeconds processor_seconds() {
  // user nice system idle iowait irq softirq steal, in ticks.
  constexpr std::size_t kIdle = 3;
  constexpr std::size_t kWaiting = 4;
  std::ifstream file("/proc/stat");
  std::string name;
  std::array<double, 8> ticks = {};
  file >> name;
  for (auto& each : ticks) file >> each;

  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  ProcessorSeconds seconds;
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    seconds.total += ticks[i] / ticks_per_second;
    if (i != kIdle && i != kWaiting) seconds.busy += ticks[i] / ticks_per_second;
  }
  return seconds;
}

/// Of this process and of the children that it has waited for.
double own_seconds() {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  double sum = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage = {};
    getrusage(who, &usage);
    sum += seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return sum;
}

}  // namespace

OthersMeter::OthersMeter() : own_begin_(own_seconds()) {
  const auto seconds = processor_seconds();
  busy_begin_ = seconds.busy;
  total_begin_ = seconds.total;
}

double OthersMeter::share() const {
  const auto seconds = processor_seconds();
  const double total = seconds.total - total_begin_;
  if (total <= 0) return 0;
  const double others = seconds.busy - busy_begin_ - (own_seconds() - own_begin_);
  return std::clamp(others / total, 0.0, 1.0);
}

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
