#include "base/memory/mapped_allocator.h"

#include <sys/mman.h>

#include "base/assert.h"

namespace ashlar::base {
namespace {

constexpr std::size_t kPageBytes = 4096;

}  // namespace

void* allocate_array(std::size_t bytes, std::align_val_t alignment) {
  ASHLAR_ASSERT(static_cast<std::size_t>(alignment) <= kPageBytes, "a mapping begins a page");
  if (bytes < kMappedBytesMin) return ::operator new(bytes, alignment);
  void* const mapping =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  return mapping;
}

void free_array(void* array, std::size_t bytes, std::align_val_t alignment) noexcept {
  if (bytes < kMappedBytesMin) return ::operator delete(array, alignment);
  ASHLAR_ASSERT(array != nullptr, "a long array has a mapping");
  ::munmap(array, bytes);
}

}  // namespace ashlar::base
