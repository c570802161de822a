#include "watched.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"
#include "shared_memory.h"

namespace ashlar::crash {
namespace {

constexpr auto kPatience = std::chrono::minutes(1);
constexpr int kLookEveryMs = 20;

/// The case that the child is at; the end when it is through.
using At = std::atomic<std::uint64_t>;

/// Waits until `child` has ended. Returns: how it came to its end; empty when all was well
std::string wait_for(pid_t child, const At& at) {
  std::uint64_t seen = at.load();
  auto since = std::chrono::steady_clock::now();
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    poll(nullptr, 0, kLookEveryMs);
    const auto now = std::chrono::steady_clock::now();
    if (at.load() != seen) {
      seen = at.load();
      since = now;
    }
    if (now - since < kPatience) continue;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return "hangs";
  }
  if (WIFSIGNALED(status)) return "dies of signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exits with " + std::to_string(WEXITSTATUS(status));
  return {};
}

}  // namespace

void run_watched(const CaseRange& cases, const std::function<void(std::uint64_t)>& run,
                 const std::function<void(std::uint64_t, const std::string& how)>& report) {
  const SharedMemory<At> at;
  *at = cases.begin;
  while (at->load() < cases.end) {
    std::fflush(stdout);
    const pid_t child = fork();
    ASHLAR_ASSERT(child >= 0, "the system has room for a child");
    if (child == 0) {
      for (; at->load() < cases.end; at->fetch_add(1)) run(at->load());
      std::fflush(stdout);
      _exit(0);
    }
    const std::string how = wait_for(child, *at);
    if (how.empty()) continue;
    report(at->load(), how);
    at->fetch_add(1);
  }
}

}  // namespace ashlar::crash
