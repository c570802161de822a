/// \file
/// The keys that were written last, for transactions that have scanned ranges: what is written into
/// a range after it was scanned, a hash cannot tell.
///
///     entry   64 bytes   turn 8 | stamp 8 | owner 4 | bytes 2 | the key's first 42
///
/// An entry is announced together with the word of its key, and the same reasoning holds: see
/// conflict_table.h. A key that is longer than what an entry has of it counts for every range that
/// a key with this beginning may be in.
///
/// Entries are written over in turn. A transaction that has scanned and commits after its entries
/// have been written over is in doubt, and is told of a conflict.
///
/// Invariants:
///   X2  An entry that is read whole is the one of its turn.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "ashlar/snapshot.h"
#include "base/memory/mapped_allocator.h"

namespace ashlar::txn {

/// Threads: thread-safe.
class CommitRing {
 public:
  static constexpr std::size_t kKeyBytes = 42;

  /// Who has written an entry: 0 for no transaction.
  using Owner = std::uint32_t;

  /// An entry, copied.
  struct Written {
    Sequence stamp = 0;
    Owner owner = 0;
    bool is_cut = false;  ///< The key goes on behind `key`.
    std::array<char, kKeyBytes> bytes{};
    std::uint16_t key_bytes = 0;

    std::string_view key() const noexcept { return {bytes.data(), key_bytes}; }
  };

  /// Input: entry_count  a power of two; 64 bytes each. May throw std::bad_alloc
  explicit CommitRing(std::size_t entry_count);

  /// A commit of `key` is about to be shown with `stamp`.
  ///
  /// Cost: a line that is shared with other writers, and one that is written
  void announce(std::string_view key, Sequence stamp, Owner owner) noexcept;

  /// How many entries there were so far.
  std::uint64_t head() const noexcept { return head_.load(std::memory_order_seq_cst); }

  /// The entry with the number `at`, below `head()`. Waits for one that is being written.
  ///
  /// Returns: nullopt when it has been written over
  std::optional<Written> read(std::uint64_t at) const noexcept;

  std::size_t bytes() const noexcept { return entries_.size() * sizeof(Entry); }

 private:
  static constexpr std::size_t kBodyBytes = 56;

  /// `turn` is twice the number of the entry that is whole, plus 2; or odd, while it is written.
  struct alignas(64) Entry {
    std::atomic<std::uint64_t> turn{0};
    char body[kBodyBytes]{};
  };
  static_assert(sizeof(Entry) == 64);

  const std::uint64_t mask_;
  base::MappedVector<Entry> entries_;
  alignas(64) std::atomic<std::uint64_t> head_{0};
};

}  // namespace ashlar::txn
