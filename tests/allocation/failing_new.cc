#include "failing_new.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "base/assert.h"

namespace ashlar::allocation {
namespace {

struct Plan {
  bool is_armed = false;
  bool has_fired = false;
  FailureMode mode = FailureMode::kOnce;
  std::uint64_t failing_allocation = 0;
  std::uint64_t count = 0;
};

constinit thread_local Plan plan;

bool must_fail() noexcept {
  if (!plan.is_armed) return false;
  ++plan.count;
  const bool is_reached = plan.mode == FailureMode::kOnce ? plan.count == plan.failing_allocation
                                                          : plan.count >= plan.failing_allocation;
  plan.has_fired = plan.has_fired || is_reached;
  return is_reached;
}

void* allocate(std::size_t bytes) noexcept {
  return must_fail() ? nullptr : std::malloc(std::max<std::size_t>(bytes, 1));
}

void* allocate_aligned(std::size_t bytes, std::align_val_t alignment) noexcept {
  if (must_fail()) return nullptr;
  const auto step = std::max(static_cast<std::size_t>(alignment), sizeof(void*));
  void* memory = nullptr;
  return ::posix_memalign(&memory, step, std::max<std::size_t>(bytes, 1)) == 0 ? memory : nullptr;
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

FailureScope::FailureScope(std::uint64_t failing_allocation, FailureMode mode) noexcept {
  ASHLAR_ASSERT(!plan.is_armed, "one plan at a time fails allocations");
  plan = {.is_armed = true,
          .has_fired = false,
          .mode = mode,
          .failing_allocation = failing_allocation,
          .count = 0};
}

void FailureScope::disarm() noexcept {
  plan.is_armed = false;
}

bool FailureScope::has_fired() noexcept {
  return plan.has_fired;
}

}  // namespace ashlar::allocation

// The functions that the standard lets a program replace, all of them.
// NOLINTBEGIN(cppcoreguidelines-no-malloc,misc-new-delete-overloads)
void* operator new(std::size_t bytes) {
  return ashlar::allocation::or_throw(ashlar::allocation::allocate(bytes));
}
void* operator new[](std::size_t bytes) {
  return ashlar::allocation::or_throw(ashlar::allocation::allocate(bytes));
}
void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return ashlar::allocation::allocate(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
  return ashlar::allocation::allocate(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return ashlar::allocation::or_throw(ashlar::allocation::allocate_aligned(bytes, alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return ashlar::allocation::or_throw(ashlar::allocation::allocate_aligned(bytes, alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment,
                   const std::nothrow_t& /*tag*/) noexcept {
  return ashlar::allocation::allocate_aligned(bytes, alignment);
}
void* operator new[](std::size_t bytes, std::align_val_t alignment,
                     const std::nothrow_t& /*tag*/) noexcept {
  return ashlar::allocation::allocate_aligned(bytes, alignment);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*bytes*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t& /*tag*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t /*bytes*/,
                       std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
// NOLINTEND(cppcoreguidelines-no-malloc,misc-new-delete-overloads)
