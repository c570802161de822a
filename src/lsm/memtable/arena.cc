// Taking room in steps, and giving it back.

#include "lsm/memtable/arena.h"

#include <algorithm>
#include <cstring>

namespace ashlar::lsm {

std::optional<Arena> Arena::make(base::MemoryBudget& budget, std::size_t address_bytes) noexcept {
  // Whole steps, so that the last one is as good as any other.
  const std::size_t step_count = (address_bytes + kStepBytes - 1) / kStepBytes;
  auto region = base::Reservation::make(step_count * kStepBytes);
  if (!region) return std::nullopt;
  // A random load from what lies here costs 150 ns, from 4 KiB pages 275 (1 GiB, 2 cores). The
  // first step has small pages: of an arena that stays small the rest is given back, and the system
  // does not take a part of a huge page back.
  region->prefer_huge_pages(kStepBytes, region->bytes() - kStepBytes);
  return Arena(*std::move(region), budget);
}

bool Arena::reserve(std::size_t bytes) noexcept {
  if (!has_addresses(bytes)) return false;
  const std::size_t end = used_bytes() + round_up(bytes);
  const std::size_t taken = taken_bytes();
  if (end <= taken) return true;
  // Up to the end of a step.
  const std::size_t missing = (end + kStepBytes - 1) / kStepBytes * kStepBytes - taken;
  ASHLAR_ASSERT(taken + missing <= region_.bytes(), "an arena has as many steps as addresses");
  if (!budget_->try_take(missing)) return false;
  taken_bytes_.store(taken + missing, std::memory_order_relaxed);
  return true;
}

char* Arena::allocate_zeroed(std::size_t bytes) noexcept {
  const std::size_t begin = used_bytes();
  char* const memory = allocate(bytes);
  if (begin < touched_bytes_) {
    std::memset(memory, 0, std::min(used_bytes(), touched_bytes_) - begin);
  }
  return memory;
}

void Arena::begin_anew() noexcept {
  touched_bytes_ = std::max(touched_bytes_, used_bytes());
  ASHLAR_ASSERT(touched_bytes_ <= taken_bytes(), "M1: what was touched is taken");
  used_bytes_.store(0, std::memory_order_relaxed);
}

void Arena::give_back_down_to(std::size_t taken_bytes) noexcept {
  const std::size_t taken = this->taken_bytes();
  ASHLAR_ASSERT(taken_bytes <= taken, "an arena gives back what it has taken");
  ASHLAR_ASSERT(taken_bytes >= used_bytes(), "Q2: what was handed out is kept");
  budget_->give_back(taken - taken_bytes);
  taken_bytes_.store(taken_bytes, std::memory_order_relaxed);
}

void Arena::give_back_unused() noexcept {
  const std::size_t kept = (used_bytes() + kPageBytes - 1) / kPageBytes * kPageBytes;
  const std::size_t taken = taken_bytes();
  if (kept >= taken) return;
  region_.give_back(kept, taken - kept);  // It reads as zeroes from then on.
  touched_bytes_ = std::min(touched_bytes_, kept);
  give_back_down_to(kept);
}

}  // namespace ashlar::lsm
