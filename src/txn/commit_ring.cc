#include "txn/commit_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/racy.h"
#include "base/spin_wait.h"

namespace ashlar::txn {
namespace {

/// As it lies in an entry.
struct Body {
  Sequence stamp;
  CommitRing::Owner owner;
  std::uint16_t key_bytes;  // With `kCutBit`.
  char key[CommitRing::kKeyBytes];
};
constexpr std::uint16_t kCutBit = 0x8000;

}  // namespace

CommitRing::CommitRing(std::size_t entry_count) : mask_(entry_count - 1), entries_(entry_count) {
  ASHLAR_ASSERT(std::has_single_bit(entry_count), "an entry is found by a mask");
  static_assert(sizeof(Body) == kBodyBytes);
}

void CommitRing::announce(std::string_view key, Sequence stamp, Owner owner) noexcept {
  Body body{.stamp = stamp, .owner = owner, .key_bytes = 0, .key = {}};
  const std::size_t bytes = std::min(key.size(), kKeyBytes);
  key.copy(body.key, bytes);
  body.key_bytes = static_cast<std::uint16_t>(bytes | (bytes < key.size() ? kCutBit : 0U));

  const std::uint64_t at = head_.fetch_add(1, std::memory_order_seq_cst);
  Entry& entry = entries_[at & mask_];
  // Whoever had the entry a round of the ring ago may still be writing it.
  const std::uint64_t before = at > mask_ ? 2 * (at - mask_ - 1) + 2 : 0;
  base::SpinWait wait;
  while (entry.turn.load(std::memory_order_acquire) != before) wait.pause();
  entry.turn.store(2 * at + 1, std::memory_order_relaxed);
  base::racy::write_fence();
  base::racy::store_bytes(entry.body, reinterpret_cast<const char*>(&body), sizeof(body));
  // Release: who sees the turn finds the entry whole (X2).
  entry.turn.store(2 * at + 2, std::memory_order_release);
}

std::optional<CommitRing::Written> CommitRing::read(std::uint64_t at) const noexcept {
  const Entry& entry = entries_[at & mask_];
  const std::uint64_t whole = 2 * at + 2;
  base::SpinWait wait;
  std::uint64_t turn = entry.turn.load(std::memory_order_acquire);
  while (turn < whole) {
    wait.pause();
    turn = entry.turn.load(std::memory_order_acquire);
  }
  if (turn != whole) return std::nullopt;
  Body body;
  base::racy::load_bytes(reinterpret_cast<char*>(&body), entry.body, sizeof(body));
  base::racy::read_fence();
  if (entry.turn.load(std::memory_order_relaxed) != whole) return std::nullopt;
  Written written{.stamp = body.stamp, .owner = body.owner};
  written.is_cut = (body.key_bytes & kCutBit) != 0;
  written.key_bytes = static_cast<std::uint16_t>(body.key_bytes & ~kCutBit);
  ASHLAR_ASSERT(written.key_bytes <= kKeyBytes, "X2: an entry has no more of a key than its room");
  std::memcpy(written.bytes.data(), body.key, written.key_bytes);
  return written;
}

}  // namespace ashlar::txn
