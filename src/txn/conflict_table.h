/// \file
/// When the keys of a database were last written, as far as transactions have to know it: a word
/// for each hash, with the sequence of the latest commit that has written a key with that hash.
///
/// A transaction that reads at a snapshot and wants to commit asks whether what it has read is as
/// it was: whether a word is above the snapshot. Keys may share a word, and then it hears of a
/// conflict that is none, about once in as many reads as there are words for each commit beside it.
///
/// How a commit and a validation see each other. A writer holds the locks of its keys and then
///
///     announces its stamp here --> finds its stamp still the one to be used --> shows its rows
///
/// in this order, sequentially consistent; while it does not, it begins again with a new stamp. A
/// transaction does the same for its own writes, and validates between the second and the third.
/// Say its own stamp is t, its snapshot s, and a commit of a key that it has read has stamp p > s.
///
/// - If p was announced before the validation, the validation sees it: p is above s.
/// - If not, p was found good after the validation and so after t was. So no snapshot that shows p
///   does not show the transaction too, and the transaction comes before that commit in the order
///   that all agree about.
///
/// Announcing costs a miss, so nobody does while no transaction is under way (conflicts.h). One
/// that begins then lets writers know before it takes its snapshot. A writer looks after it has
/// read its stamp and before it finds it good: if it has nobody to tell, its stamp is not above
/// that snapshot. Where a snapshot makes no stamp bad, as on the disk engine, whoever begins waits
/// until commits that were on their way have been shown.
///
/// Invariants:
///   X1  While a transaction is under way, the word of a key is at or above the stamp of every
///       commit of it that is above the transaction's snapshot and has been shown.
///
/// Source: "A Critique of Snapshot Isolation", D. Ferro, M. Yabandeh, EuroSys 2012 (validating
///         reads); "Speedy Transactions in Multicore In-Memory Databases", S. Tu et al., SOSP 2013
///         (locks of writes before the validation of reads).
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "ashlar/snapshot.h"
#include "base/hash.h"
#include "base/hints.h"
#include "base/memory/mapped_allocator.h"

namespace ashlar::txn {

/// Threads: thread-safe.
class ConflictTable {
 public:
  /// A stamp with how often the word was announced: tells two commits of one stamp apart.
  using Word = std::uint64_t;
  static constexpr unsigned kCountBits = 16;
  static constexpr Sequence kStampMax = (Sequence{1} << (64 - kCountBits)) - 1;

  /// Input: slot_count  a power of two; 8 bytes each. May throw std::bad_alloc
  ///        seed        of the hashes
  ConflictTable(std::size_t slot_count, std::uint64_t seed);

  std::size_t slot_of(std::string_view key) const noexcept {
    return base::hash_key(key, seed_) & mask_;
  }
  void prefetch(std::size_t slot) const noexcept { base::prefetch(&words_[slot]); }

  /// What a call of `announce` has done to its slot.
  struct Announced {
    Word before = 0;
    Word now = 0;
  };

  /// A commit of a key of `slot` is about to be shown with `stamp`.
  Announced announce(std::size_t slot, Sequence stamp) noexcept;

  Word word(std::size_t slot) const noexcept {
    return words_[slot].load(std::memory_order_seq_cst);
  }
  static constexpr Sequence stamp_in(Word word) noexcept { return word >> kCountBits; }

  std::size_t bytes() const noexcept { return words_.size() * sizeof(Word); }

 private:
  const std::uint64_t seed_;
  const std::size_t mask_;
  base::MappedVector<std::atomic<Word>> words_;
};

}  // namespace ashlar::txn
