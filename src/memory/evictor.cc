// The policy of S3-FIFO over handles; what stands behind a handle is the caller's to know.
//
//     admit --> small ----- cold, warm --> evicted, fingerprint left in ghosts_
//       |         +-------- hot, pinned --> main
//       |                                   main ----- cold --> evicted
//       +-- fingerprint known ------------> main <---- any other, round again

#include "memory/evictor.h"

#include <bit>

#include "base/assert.h"

namespace ashlar::memory {
namespace {

// One fingerprint for so many bytes of budget: as many as there are records of that size.
constexpr std::size_t kBytesPerGhost = 256;
// `small` gets one part in ten: enough to see whether a key is read again, and little to lose to
// keys that are not.
constexpr std::size_t kSmallShare = 10;

}  // namespace

Evictor::Evictor(base::MemoryBudget& budget)
    : small_(budget), main_(budget), ghosts_(std::bit_ceil(budget.limit_bytes() / kBytesPerGhost)) {
  ASHLAR_ASSERT(std::has_single_bit(ghosts_.size()), "a mask chooses among the fingerprints");
}

// Without memory for its place in a queue a key is simply not known here: it stays until it is
// erased or expires. The evictor is asked for room just when there is none, so it must not insist.
void Evictor::put(base::ChunkedQueue& queue, std::size_t& bytes, Handle handle) noexcept {
  try {
    if (!queue.reserve(1)) return;
  } catch (const std::bad_alloc&) {
    return;
  }
  queue.push(handle.word());
  bytes += handle.bytes();
}

void Evictor::admit(Handle handle) noexcept {
  const std::uint32_t fingerprint = handle.fingerprint();
  Ghost& ghost = ghosts_[fingerprint & (ghosts_.size() - 1)];
  // A fingerprint counts for as many evictions as `main` holds keys.
  const bool is_back = ghost.fingerprint == fingerprint && ghost.evicted_at != 0 &&
                       evicted_count_ - ghost.evicted_at <= main_.count() + small_.count();
  if (is_back) {
    // Used up: the next time it has to be evicted again first.
    ghost = {};
    put(main_, main_bytes_, handle);
  } else {
    put(small_, small_bytes_, handle);
  }
}

// `small` gives while it has more than its share: a load that touches each key once passes through
// it and leaves `main` alone.
std::optional<Evictor::Candidate> Evictor::pick() noexcept {
  const bool is_small_over = small_bytes_ * kSmallShare >= small_bytes_ + main_bytes_;
  const bool takes_small = !small_.empty() && (is_small_over || main_.empty());
  base::ChunkedQueue& queue = takes_small ? small_ : main_;
  if (queue.empty()) return std::nullopt;
  const Handle handle(queue.pop());
  std::size_t& bytes = takes_small ? small_bytes_ : main_bytes_;
  ASHLAR_ASSERT(bytes >= handle.bytes(), "a handle leaves a queue as large as it came in");
  bytes -= handle.bytes();
  return Candidate{.handle = handle, .is_in_main = !takes_small};
}

// Must say yes exactly where `MemoryEngine::look_at` has removed the key.
bool Evictor::judge(const Candidate& candidate, Found found) noexcept {
  switch (found) {
    case Found::kGone:
      return false;
    case Found::kPinned:
      put(main_, main_bytes_, candidate.handle);
      return false;
    case Found::kCold:
      return true;
    case Found::kWarm:
      if (!candidate.is_in_main) return true;
      break;
    case Found::kHot:
      break;
  }
  put(main_, main_bytes_, candidate.handle);
  return false;
}

void Evictor::remember(const Candidate& candidate) noexcept {
  ++evicted_count_;
  if (candidate.is_in_main) return;
  const std::uint32_t fingerprint = candidate.handle.fingerprint();
  // Whatever other fingerprint was there is forgotten: the table bounds how much is remembered.
  ghosts_[fingerprint & (ghosts_.size() - 1)] = {.fingerprint = fingerprint,
                                                 .evicted_at = evicted_count_};
}

}  // namespace ashlar::memory
