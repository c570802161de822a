// What the kernel asks of the other side of its rings. Whoever writes a tail releases it, whoever
// reads it acquires it, and likewise with heads: so an entry is whole when the other side sees it.

#include "os/ring/read_ring.h"

#include <linux/io_uring.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace ashlar::os {
namespace {

// A longer read comes back short, and is gone on from.
constexpr std::size_t kReadBytesMax = std::size_t{1} << 30U;

int setup(io_uring_params& params) noexcept {
  return static_cast<int>(::syscall(SYS_io_uring_setup, ReadRing::kPartsMax, &params));
}

// Returns: how many submissions the kernel took, or a negative errno
int enter(int fd, std::uint32_t submit_count, std::uint32_t wait_count) noexcept {
  const long answer = ::syscall(SYS_io_uring_enter, fd, submit_count, wait_count,
                                IORING_ENTER_GETEVENTS, nullptr, 0);
  return answer < 0 ? -errno : static_cast<int>(answer);
}

// The kernel is asked not to interrupt the thread for a completion: it waits in the kernel anyway.
int setup_quiet(io_uring_params& params) noexcept {
  params.flags = IORING_SETUP_CLAMP | IORING_SETUP_COOP_TASKRUN;
  const int fd = setup(params);
  if (fd >= 0 || errno != EINVAL) return fd;
  params = {};  // Before Linux 5.19.
  params.flags = IORING_SETUP_CLAMP;
  return setup(params);
}

std::uint32_t* word_at(char* begin, std::uint32_t offset) noexcept {
  return reinterpret_cast<std::uint32_t*>(begin + offset);
}

// Acquire and release: the partner is the kernel, see the head of this file.
std::uint32_t load_shared(std::uint32_t& word) noexcept {
  return std::atomic_ref(word).load(std::memory_order_acquire);
}
void store_shared(std::uint32_t& word, std::uint32_t value) noexcept {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

char* map_memory(int fd, std::size_t bytes, std::uint64_t what) noexcept {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                              static_cast<off_t>(what));
  return mapped == MAP_FAILED ? nullptr : static_cast<char*>(mapped);
}

}  // namespace

std::unique_ptr<ReadRing> ReadRing::make() {
  io_uring_params params{};
  const int fd = setup_quiet(params);
  if (fd < 0) return nullptr;
  std::unique_ptr<ReadRing> ring(new ReadRing(fd));
  // Both rings in one mapping, and with Linux 5.6 the operation that reads.
  constexpr std::uint32_t kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_RW_CUR_POS;
  const bool is_able = (params.features & kNeeded) == kNeeded && params.sq_entries >= kPartsMax;
  return is_able && ring->map(params) ? std::move(ring) : nullptr;
}

bool ReadRing::map(const io_uring_params& params) {
  const std::size_t bytes =
      std::max(params.sq_off.array + params.sq_entries * sizeof(std::uint32_t),
               params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
  rings_ = {.begin = map_memory(fd_, bytes, IORING_OFF_SQ_RING), .bytes = bytes};
  if (rings_.begin == nullptr) return false;
  const std::size_t entry_bytes = params.sq_entries * sizeof(io_uring_sqe);
  entries_ = {.begin = map_memory(fd_, entry_bytes, IORING_OFF_SQES), .bytes = entry_bytes};
  if (entries_.begin == nullptr) return false;
  submissions_ = {.head = word_at(rings_.begin, params.sq_off.head),
                  .tail = word_at(rings_.begin, params.sq_off.tail),
                  .mask = params.sq_entries - 1,
                  .entries = reinterpret_cast<io_uring_sqe*>(entries_.begin)};
  completions_ = {.head = word_at(rings_.begin, params.cq_off.head),
                  .tail = word_at(rings_.begin, params.cq_off.tail),
                  .mask = params.cq_entries - 1,
                  .entries = reinterpret_cast<io_uring_cqe*>(rings_.begin + params.cq_off.cqes)};
  // The kernel looks up submissions by way of an array: each stands for itself, for good.
  std::uint32_t* const array = word_at(rings_.begin, params.sq_off.array);
  for (std::uint32_t i = 0; i < params.sq_entries; ++i) array[i] = i;
  return true;
}

ReadRing::~ReadRing() {
  if (entries_.begin != nullptr) ::munmap(entries_.begin, entries_.bytes);
  if (rings_.begin != nullptr) ::munmap(rings_.begin, rings_.bytes);
  ::close(fd_);
}

bool ReadRing::read(std::span<ReadPart> parts) {
  ASHLAR_ASSERT(parts.size() <= kPartsMax, "a ring has a place for every part");
  prepare(parts);
  bool is_good = true;
  std::size_t unsent = parts.size();
  std::size_t under_way = 0;
  // Whatever the kernel says: what it has begun it writes to, so all of that is waited for (F12).
  while (unsent + under_way > 0) {
    const int answer = enter(fd_, static_cast<std::uint32_t>(unsent),
                             static_cast<std::uint32_t>(unsent + under_way));
    const std::size_t taken = answer > 0 ? static_cast<std::size_t>(answer) : 0;
    ASHLAR_ASSERT(taken <= unsent, "the kernel takes no more than it was given");
    unsent -= taken;
    under_way += taken;
    if (unsent > 0 && taken == 0 && answer != -EINTR) {
      withdraw();
      unsent = 0;
      is_good = false;
    } else if (answer < 0 && answer != -EINTR) {
      is_good = false;
      ::sched_yield();  // It cannot be waited for; completions still come.
    }
    under_way -= reap(parts);
  }
  return is_good;
}

void ReadRing::prepare(std::span<ReadPart> parts) noexcept {
  const std::uint32_t tail = *submissions_.tail;  // Written by this side only.
  ASHLAR_ASSERT(load_shared(*submissions_.head) == tail, "nothing is left from an earlier call");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ReadPart& part = parts[i];
    part.result = -EAGAIN;
    io_uring_sqe& entry = submissions_.entries[(tail + i) & submissions_.mask];
    std::memset(&entry, 0, sizeof(entry));
    entry.opcode = IORING_OP_READ;
    entry.fd = part.handle;
    entry.off = part.offset;
    entry.addr = reinterpret_cast<std::uint64_t>(part.to);
    entry.len = static_cast<std::uint32_t>(std::min(part.bytes, kReadBytesMax));
    entry.user_data = i;
  }
  store_shared(*submissions_.tail, tail + static_cast<std::uint32_t>(parts.size()));
}

/// Takes back what the kernel has not taken. It looks at the tail inside of `enter` only.
void ReadRing::withdraw() noexcept {
  store_shared(*submissions_.tail, load_shared(*submissions_.head));
}

/// Returns: how many parts have been answered
std::size_t ReadRing::reap(std::span<ReadPart> parts) noexcept {
  const std::uint32_t begin = *completions_.head;  // Written by this side only.
  const std::uint32_t end = load_shared(*completions_.tail);
  for (std::uint32_t at = begin; at != end; ++at) {
    const io_uring_cqe& done = completions_.entries[at & completions_.mask];
    ASHLAR_ASSERT(done.user_data < parts.size(), "an answer is to a part that was asked for");
    const bool is_given_up = done.res == -ECANCELED;
    parts[done.user_data].result = is_given_up ? -EAGAIN : done.res;
  }
  store_shared(*completions_.head, end);
  return end - begin;
}

}  // namespace ashlar::os
