// One handler for SIGBUS and a table of the ranges that it answers for.
//
//     watch     takes a slot, writes its begin, then its length       (release)
//     on_fault  reads the length, then the begin                      (acquire)
//     ~Guard    clears the length, then gives the slot up
//
// The handler runs in the midst of anything, so it takes no lock, allocates nothing and calls only
// what a handler may: it loads and stores atomics and maps one page.

#include "os/fault_guard.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "base/assert.h"
#include "os/disk.h"

namespace ashlar::os {
namespace {

/// A guarded range, or none while `bytes` is 0. Read by a signal handler: atomic, and never freed.
struct Slot {
  std::atomic<bool> is_taken{false};  // Owned by a guard; the handler does not look at it.
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::size_t> bytes{0};  // Written last, with release; read first, with acquire.
  std::atomic<bool> is_lost{false};
};

// A database maps one file or two; the table is looked through by each fault, and those are rare.
constexpr std::size_t kSlotCount = 1024;
constexpr std::size_t kNoSlot = kSlotCount;

// The process has one table of signal handlers, so these are the process's too.
constinit std::array<Slot, kSlotCount> slots;
struct sigaction handler_before;

/// Puts a page of memory in the place of the one at `address`.
bool replace_page(std::uintptr_t address) noexcept {
  const std::uintptr_t page = address / kBlockBytes * kBlockBytes;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the address came as an integer from the system
  void* const at = reinterpret_cast<void*>(page);
  return ::mmap(at, kBlockBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0) == at;
}

/// Does what a SIGBUS did before there were guards.
void pass_on(int signal, siginfo_t* info, void* context) {
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
    handler_before.sa_sigaction(signal, info, context);
  } else if (handler_before.sa_handler != SIG_DFL && handler_before.sa_handler != SIG_IGN) {
    handler_before.sa_handler(signal);
  } else {
    // Ends the process as soon as this handler returns.
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }
}

// Returning makes the processor repeat the access, which meets the page that was put there. The
// rest of the range still is the file: each page that the disk cannot bring faults for itself.
void on_fault(int signal, siginfo_t* info, void* context) {
  const int errno_before = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  bool is_ours = false;
  for (Slot& slot : slots) {
    const std::size_t bytes = slot.bytes.load(std::memory_order_acquire);
    const std::uintptr_t begin = slot.begin.load(std::memory_order_relaxed);
    if (address < begin || address - begin >= bytes) continue;
    // Before the access is made again, so that whoever asks after it is told.
    slot.is_lost.store(true, std::memory_order_seq_cst);
    is_ours = true;
  }
  if (!is_ours || !replace_page(address)) return pass_on(signal, info, context);
  errno = errno_before;
}

/// Returns 0, or the errno of the failure.
// Tried once: a process in which it failed has no guards, and says so at each attempt. SA_ONSTACK,
// since the fault may come to a thread that has no room left on its own stack.
int install_handler() noexcept {
  static std::once_flag once;
  static int failure = 0;
  std::call_once(once, [] {
    struct sigaction ours{};
    ours.sa_sigaction = on_fault;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    failure = ::sigaction(SIGBUS, &ours, &handler_before) == 0 ? 0 : errno;
  });
  return failure;
}

}  // namespace

Result<FaultGuard> FaultGuard::watch(const char* begin, std::size_t bytes) {
  ASHLAR_ASSERT(bytes > 0, "a guarded range holds at least one byte");
  if (const int failure = install_handler(); failure != 0) {
    return std::unexpected(Error(ErrorCode::kUnavailable,
                                 "SIGBUS cannot be handled: error " + std::to_string(failure)));
  }
  for (std::size_t i = 0; i < kSlotCount; ++i) {
    Slot& slot = slots[i];
    if (slot.is_taken.exchange(true, std::memory_order_acquire)) continue;
    ASHLAR_ASSERT(slot.bytes.load(std::memory_order_relaxed) == 0, "a free slot guards nothing");
    slot.is_lost.store(false, std::memory_order_relaxed);
    slot.begin.store(reinterpret_cast<std::uintptr_t>(begin), std::memory_order_relaxed);
    slot.bytes.store(bytes, std::memory_order_release);
    return FaultGuard(i);
  }
  return std::unexpected(
      Error(ErrorCode::kUnavailable,
            std::to_string(kSlotCount) + " mapped files are open, and no more can be guarded"));
}

FaultGuard::FaultGuard(FaultGuard&& other) noexcept : slot_(std::exchange(other.slot_, kNoSlot)) {}

// The range is empty before the slot is free: the next owner's begin must not meet our length.
FaultGuard::~FaultGuard() {
  if (slot_ == kNoSlot) return;
  ASHLAR_ASSERT(slots[slot_].is_taken.load(std::memory_order_relaxed), "a guard has its slot");
  slots[slot_].bytes.store(0, std::memory_order_release);
  slots[slot_].is_taken.store(false, std::memory_order_release);
}

bool FaultGuard::is_lost() const noexcept {
  ASHLAR_DEBUG_ASSERT(slot_ != kNoSlot, "a guard that was moved away is not asked");
  // The access that is asked about comes first, also where the compiler sees both.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return slots[slot_].is_lost.load(std::memory_order_relaxed);
}

}  // namespace ashlar::os
