#include "table/rows/row_index.h"

#include <new>

#include "base/assert.h"

namespace ashlar::table {

std::unique_ptr<RowIndex> RowIndex::make(base::MemoryBudget& budget,
                                         std::size_t bucket_count) noexcept {
  ASHLAR_ASSERT(bucket_count > 0, "an index has buckets");
  const std::size_t bytes = sizeof(RowIndex) + bucket_count * sizeof(Bucket);
  if (!budget.try_take(bytes)) return nullptr;
  Bucket* const buckets = new (std::nothrow) Bucket[bucket_count];
  std::unique_ptr<RowIndex> index;
  if (buckets != nullptr) {
    index.reset(new (std::nothrow) RowIndex(budget, {buckets, bucket_count}));
  }
  if (index == nullptr) {
    delete[] buckets;
    budget.give_back(bytes);
  }
  return index;
}

RowIndex::~RowIndex() {
  budget_.give_back(bytes());
  delete[] buckets_.data();
}

/// The slot of a bucket that has no row: one with nothing before one with a ghost, an old ghost
/// before a young one. Null when all have rows.
RowIndex::Slot* RowIndex::free_slot(std::uint64_t identity) noexcept {
  Slot* free = nullptr;
  std::uint64_t free_middle = 0;
  for (Slot& slot : bucket_of(identity)) {
    // Relaxed: words are stored by one thread at a time.
    const std::uint64_t word = slot.load(std::memory_order_relaxed);
    if (is_row(word)) continue;
    if (free != nullptr && free_middle <= middle_of(word)) continue;
    free = &slot;
    free_middle = middle_of(word);
  }
  return free;
}

const RowIndex::Slot* RowIndex::slot_of(std::uint64_t identity,
                                        std::uint64_t offset) const noexcept {
  const std::uint64_t wanted = row_word(identity, offset);
  for (const Slot& slot : bucket_of(identity)) {
    if (slot.load(std::memory_order_relaxed) == wanted) return &slot;
  }
  return nullptr;
}

RowIndex::Slot& RowIndex::own_slot_of(std::uint64_t identity, std::uint64_t offset) noexcept {
  const Slot* const slot = slot_of(identity, offset);
  ASHLAR_ASSERT(slot != nullptr, "W19: the word of a row that is known is in its bucket");
  return *const_cast<Slot*>(slot);
}

void RowIndex::move(std::uint64_t identity, std::uint64_t from, std::uint64_t to) noexcept {
  // Release: as in `insert`.
  own_slot_of(identity, from).store(row_word(identity, to), std::memory_order_release);
}

void RowIndex::evict(std::uint64_t identity, std::uint64_t offset, Moment now) noexcept {
  ASHLAR_ASSERT((now & kMiddleMask) != 0, "a ghost is told from nothing by its moment");
  // Relaxed: there is nothing behind a ghost.
  own_slot_of(identity, offset).store(word_of(identity, now, 0), std::memory_order_relaxed);
  --row_count_;
}

std::optional<RowIndex::Moment> RowIndex::take_ghost(std::uint64_t identity) noexcept {
  for (Slot& slot : bucket_of(identity)) {
    const std::uint64_t word = slot.load(std::memory_order_relaxed);
    if (!is_ghost(word) || !has_tag(word, identity)) continue;
    slot.store(0, std::memory_order_relaxed);
    return middle_of(word);
  }
  return std::nullopt;
}

}  // namespace ashlar::table
