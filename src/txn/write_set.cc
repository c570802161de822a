#include "txn/write_set.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::txn {

void WriteSet::add(const engine::Operation& operation) {
  PendingWrite write{.kind = operation.kind,
                     .deadline_ms = operation.deadline_ms,
                     .value = std::string(operation.value)};
  // So that nothing throws behind the new row.
  if (changes_.size() == changes_.capacity()) changes_.reserve(2 * changes_.size() + 8);
  const auto [row, is_new] = rows_.try_emplace(std::string(operation.key));
  bytes_ += write.value.size() + (is_new ? operation.key.size() : 0);
  std::swap(row->second, write);
  changes_.push_back({.number = ++last_number_, .row = row, .before = std::nullopt});
  if (!is_new) changes_.back().before = std::move(write);
}

bool WriteSet::has(Mark mark) const noexcept {
  return mark == 0 || std::ranges::binary_search(changes_, mark, {}, &Change::number);
}

void WriteSet::undo_to(Mark mark) noexcept {
  ASHLAR_ASSERT(has(mark), "X4: a mark that was undone is gone");
  while (this->mark() > mark) {
    Change& last = changes_.back();
    bytes_ -= last.row->second.value.size();
    if (last.before) {
      last.row->second = *std::move(last.before);
    } else {
      bytes_ -= last.row->first.size();
      rows_.erase(last.row);
    }
    changes_.pop_back();
  }
}

std::vector<engine::Operation> WriteSet::operations() const {
  std::vector<engine::Operation> operations;
  operations.reserve(rows_.size());
  for (const auto& [key, write] : rows_) {
    operations.push_back(
        {.kind = write.kind, .key = key, .value = write.value, .deadline_ms = write.deadline_ms});
  }
  return operations;
}

}  // namespace ashlar::txn
