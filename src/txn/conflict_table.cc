#include "txn/conflict_table.h"

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace ashlar::txn {

ConflictTable::ConflictTable(std::size_t slot_count, std::uint64_t seed)
    : seed_(seed), mask_(slot_count - 1), words_(slot_count) {
  ASHLAR_ASSERT(std::has_single_bit(slot_count), "a slot is found by a mask");
}

ConflictTable::Announced ConflictTable::announce(std::size_t slot, Sequence stamp) noexcept {
  ASHLAR_DEBUG_ASSERT(slot <= mask_, "a slot is one of the table's");
  ASHLAR_ASSERT(stamp <= kStampMax, "a stamp leaves room for the count");
  constexpr Word kCountMask = (Word{1} << kCountBits) - 1;
  Word before = words_[slot].load(std::memory_order_relaxed);
  Word now = 0;
  do {
    const Sequence newest = std::max(stamp_in(before), stamp);
    now = newest << kCountBits | ((before + 1) & kCountMask);
  } while (!words_[slot].compare_exchange_weak(before, now, std::memory_order_seq_cst,
                                               std::memory_order_relaxed));
  return {.before = before, .now = now};
}

}  // namespace ashlar::txn
