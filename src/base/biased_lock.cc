// The barrier that a visitor imposes on all threads, so that owners need none of their own.

#include "base/biased_lock.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/racy.h"

namespace ashlar::base {
namespace {

long membarrier(int command) noexcept {
  return ::syscall(SYS_membarrier, command, 0, 0);
}

// Private: only the threads of this process. It must be registered once before it can be used, and
// is refused on systems without it; locks are then made with a full barrier in each owner's call.
bool register_barrier() noexcept {
#ifdef ASHLAR_RACY_PLAIN
  return false;  // The race detector cannot see a barrier that another thread imposes.
#else
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
#endif
}

}  // namespace

bool has_global_barrier() noexcept {
  static const bool is_registered = register_barrier();
  return is_registered;
}

void global_barrier() noexcept {
  if (has_global_barrier()) membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

}  // namespace ashlar::base
