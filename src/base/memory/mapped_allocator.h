/// \file
/// Memory for long arrays, each in a mapping of its own.
///
/// The general allocator keeps a heap for each thread, and gives back of it only what is free at
/// its end: an array that stays, among others that come and go, holds on to all of those. What is
/// mapped by itself goes back to the system when it is freed.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <vector>

namespace ashlar::base {

/// From so many bytes on an array has its own mapping; up to a page of it is lost.
inline constexpr std::size_t kMappedBytesMin = std::size_t{32} << 10U;

/// Throws std::bad_alloc, as operator new does.
void* allocate_array(std::size_t bytes, std::align_val_t alignment);
/// Input: bytes, alignment  as they were given to `allocate_array`
void free_array(void* array, std::size_t bytes, std::align_val_t alignment) noexcept;

/// An allocator for containers of the standard library.
///
/// Threads: thread-safe.
/// Cost:    a long array costs two calls to the system and a page fault for each 4 KiB of it
template <typename T>
class MappedAllocator {
 public:
  using value_type = T;

  MappedAllocator() noexcept = default;
  template <typename Other>
  MappedAllocator(const MappedAllocator<Other>& /*other*/) noexcept {}  // NOLINT(google-explicit-*)

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(allocate_array(count * sizeof(T), std::align_val_t{alignof(T)}));
  }
  void deallocate(T* array, std::size_t count) noexcept {
    free_array(array, count * sizeof(T), std::align_val_t{alignof(T)});
  }

  template <typename Other>
  bool operator==(const MappedAllocator<Other>& /*other*/) const noexcept {
    return true;
  }
};

template <typename T>
using MappedVector = std::vector<T, MappedAllocator<T>>;

}  // namespace ashlar::base
