#include "testing/isolation/versions.h"

#include <algorithm>
#include <bit>
#include <string>

#include "base/assert.h"

namespace ashlar::testing {

Result<Versions> Versions::of(const TransactionHistory& history) {
  Versions versions;
  versions.add_initial(history.key_count());
  for (std::uint32_t i = 0; i < history.count(); ++i) versions.add_of(history, i);
  versions.first_of_.push_back(versions.count());
  for (std::uint32_t i = 0; i < history.count(); ++i) versions.mark_intermediate(i);
  ASHLAR_TRY(versions.index(history));
  return versions;
}

void Versions::add_initial(std::uint32_t key_count) {
  for (std::uint32_t key = 0; key < key_count; ++key) all_.push_back({.key = key});
  earliest_erase_.assign(key_count, UINT64_MAX);
}

void Versions::add_of(const TransactionHistory& history, std::uint32_t transaction) {
  first_of_.push_back(count());
  const TransactionHistory::Header& header = history.header(transaction);
  for (const TransactionHistory::Step& step : history.steps(transaction)) {
    switch (step.kind) {
      case OperationKind::kAppend:
      case OperationKind::kWrite:
        all_.push_back({.value = step.value, .key = step.key, .writer = transaction});
        break;
      case OperationKind::kErase:
        all_.push_back({.value = kAbsent, .key = step.key, .writer = transaction});
        if (header.outcome != Outcome::kAborted) {
          earliest_erase_[step.key] = std::min(earliest_erase_[step.key], header.begin);
        }
        break;
      case OperationKind::kReadList:
      case OperationKind::kRead:
      case OperationKind::kReadRange:
        break;
    }
  }
  ASHLAR_ASSERT(all_.size() < kNoNumber, "the number of a version has 32 bits");
}

void Versions::mark_intermediate(std::uint32_t transaction) {
  const std::span own =
      std::span(all_).subspan(first_of_[transaction], end_of(transaction) - first_of(transaction));
  for (std::size_t i = 0; i < own.size(); ++i) {
    own[i].is_final = std::ranges::none_of(
        own.subspan(i + 1), [&](const Version& later) { return later.key == own[i].key; });
  }
}

Result<void> Versions::index(const TransactionHistory& history) {
  slots_.assign(std::bit_ceil(all_.size() * 2 + 2), kNoNumber);
  for (std::uint32_t i = 0; i < count(); ++i) {
    if (all_[i].value == kAbsent) continue;
    std::uint32_t& slot = slots_[slot_of(all_[i].value)];
    if (slot != kNoNumber) {
      return std::unexpected(Error(
          ErrorCode::kInvalidArgument,
          "history: value " + std::to_string(all_[i].value) + " is written twice, to keys '" +
              history.key_name(all_[slot].key) + "' and '" + history.key_name(all_[i].key) + "'"));
    }
    slot = i;
  }
  return {};
}

/// The slot that holds `value`, or the free one where it would be.
std::size_t Versions::slot_of(std::uint64_t value) const {
  ASHLAR_ASSERT(std::has_single_bit(slots_.size()), "slots are a power of two");
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = ((value * 0x9e3779b97f4a7c15U) >> 20U) & mask;
  while (slots_[slot] != kNoNumber && all_[slots_[slot]].value != value) slot = (slot + 1) & mask;
  return slot;
}

std::optional<std::uint32_t> Versions::find(std::uint32_t key, std::uint64_t value) const {
  if (value == kAbsent) return std::nullopt;
  const std::uint32_t version = slots_[slot_of(value)];
  if (version == kNoNumber || all_[version].key != key) return std::nullopt;
  return version;
}

std::uint32_t Versions::final_of(std::uint32_t version) const {
  const std::uint32_t key = all_[version].key;
  while (!all_[version].is_final || all_[version].key != key) ++version;
  return version;
}

}  // namespace ashlar::testing
