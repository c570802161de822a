/// \file
/// An object that a process and its forked children share.
#pragma once

#include <sys/mman.h>

#include <new>

#include "base/assert.h"

namespace ashlar::crash {

/// Lifetime: of the object, that of this one in the process that made it; children leave with
/// _exit.
template <typename T>
class SharedMemory {
 public:
  SharedMemory() : object_(::new(take()) T) {}
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory() { munmap(static_cast<void*>(object_), sizeof(T)); }

  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }

 private:
  static void* take() {
    void* const memory =
        mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASHLAR_ASSERT(memory != MAP_FAILED, "the system has memory to share");
    return memory;
  }

  T* const object_;
};

}  // namespace ashlar::crash
