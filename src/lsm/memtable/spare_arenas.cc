#include "lsm/memtable/spare_arenas.h"

#include <utility>

namespace ashlar::lsm {

std::optional<MemtableArenas> SpareArenas::take() noexcept {
  {
    const base::MutexLock lock(mutex_);
    if (kept_) return std::exchange(kept_, std::nullopt);
  }
  auto records = Arena::make(budget_, address_bytes_);
  auto arrivals = Arena::make(budget_, address_bytes_);
  if (!records || !arrivals) return std::nullopt;
  return MemtableArenas{.records = *std::move(records), .arrivals = *std::move(arrivals)};
}

// What is not kept goes without the mutex: to unmap it takes long.
void SpareArenas::keep(MemtableArenas arenas) noexcept {
  const std::size_t bytes = arenas.records.taken_bytes() + arenas.arrivals.taken_bytes();
  if (bytes == 0 || bytes > kept_bytes_max_) return;
  arenas.records.begin_anew();
  arenas.arrivals.begin_anew();
  const base::MutexLock lock(mutex_);
  if (!kept_) kept_.emplace(std::move(arenas));
}

// All of it under the mutex: who comes second finds the memory given back.
void SpareArenas::drop() noexcept {
  const base::MutexLock lock(mutex_);
  if (kept_) ASHLAR_ASSERT(kept_->records.used_bytes() == 0, "Q4: nobody uses what is kept");
  kept_.reset();
}

}  // namespace ashlar::lsm
