#include "lsm/values/value_ledger.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::lsm {

void ValueLedger::add(std::span<const table::ValueShare> shares) {
  const base::MutexLock lock(mutex_);
  for (const table::ValueShare& share : shares) ++tables_[share.first];
}

void ValueLedger::remove(std::span<const table::ValueShare> shares) noexcept {
  const base::MutexLock lock(mutex_);
  for (const table::ValueShare& share : shares) {
    const auto found = tables_.find(share.first);
    ASHLAR_ASSERT(found != tables_.end(), "V42: a table that goes has been there");
    if (--found->second == 0) tables_.erase(found);
  }
}

bool ValueLedger::refers_to(const engine::ValuePiece& piece) const {
  ASHLAR_ASSERT(piece.first < piece.end, "a piece has a byte");
  const base::MutexLock lock(mutex_);
  if (tables_.contains(piece.first)) return true;
  return std::ranges::any_of(ranges_, [&](const LogRange& range) {
    return range.is_used && range.begin < piece.end && piece.first < range.end;
  });
}

LogRangeHold::LogRangeHold(ValueLedger& ledger, std::uint64_t begin) : ledger_(ledger) {
  const base::MutexLock lock(ledger_.mutex_);
  range_ = ledger_.ranges_.insert(ledger_.ranges_.end(), {.begin = begin});
}

LogRangeHold::~LogRangeHold() {
  const base::MutexLock lock(ledger_.mutex_);
  ledger_.ranges_.erase(range_);
}

void LogRangeHold::use() noexcept {
  const base::MutexLock lock(ledger_.mutex_);
  range_->is_used = true;
}

void LogRangeHold::begin_at(std::uint64_t begin) noexcept {
  const base::MutexLock lock(ledger_.mutex_);
  ASHLAR_ASSERT(range_->begin <= begin, "V42: a range of the log gets no longer by its beginning");
  range_->begin = begin;
}

void LogRangeHold::end_at(std::uint64_t end) noexcept {
  const base::MutexLock lock(ledger_.mutex_);
  ASHLAR_ASSERT(range_->begin <= end, "V42: a range of the log does not go back");
  range_->end = end;
}

}  // namespace ashlar::lsm
