#include "disk/idle.h"

#include <ctime>
#include <thread>

#include "process_io.h"

namespace ashlar::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Long enough that a thread which waits for the disk is not taken for one that is done.
constexpr std::chrono::milliseconds kLook{25};
constexpr int kIdleLooks = 12;
constexpr double kBusyNs = 1e6;  // In one look; a timer of a store that ticks uses far less.

double processor_ns() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace

double wait_until_idle() {
  const auto begin = Clock::now();
  auto last_busy = begin;
  double processor = processor_ns();
  std::uint64_t written = process_io().written_bytes;
  for (int idle_looks = 0; idle_looks < kIdleLooks && last_busy - begin < kIdleWaitMax;) {
    std::this_thread::sleep_for(kLook);
    const double processor_now = processor_ns();
    const std::uint64_t written_now = process_io().written_bytes;
    const bool is_busy = processor_now - processor > kBusyNs || written_now != written;
    idle_looks = is_busy ? 0 : idle_looks + 1;
    if (is_busy) last_busy = Clock::now();
    processor = processor_now;
    written = written_now;
  }
  return std::chrono::duration<double>(last_busy - begin).count();
}

}  // namespace ashlar::bench
