// Numbers of threads, lowest first, so that arrays with a place a thread are used from the front.

#include "base/thread_index.h"

#include <bitset>

#include "base/assert.h"
#include "base/thread_safety.h"

namespace ashlar::base {
namespace {

// The one table of the process. Never destroyed: threads may end after main has.
struct Registry {
  Mutex mutex;
  std::bitset<kThreadIndexCount> taken ASHLAR_GUARDED_BY(mutex);
};

Registry& registry() noexcept {
  alignas(Registry) static char storage[sizeof(Registry)];
  static auto* const the_registry = new (storage) Registry;
  return *the_registry;
}

// The mutex is what orders the memory of an ended thread before that of the next with its number.
std::size_t take_index() noexcept {
  Registry& all = registry();
  const MutexLock lock(all.mutex);
  for (std::size_t index = 0; index < kThreadIndexCount; ++index) {
    if (all.taken[index]) continue;
    all.taken[index] = true;
    return index;
  }
  return kThreadIndexCount;
}

/// Has the number for as long as its thread lives.
struct Owner {
  std::size_t index = take_index();
  Owner() = default;
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    if (index == kThreadIndexCount) return;
    Registry& all = registry();
    const MutexLock lock(all.mutex);
    ASHLAR_ASSERT(all.taken[index], "a thread gives its number back once");
    all.taken[index] = false;
  }
};

}  // namespace

// The number stands beside the owner, whose destructor makes every access to it a guarded one.
std::size_t detail::find_thread_index() noexcept {
  thread_local const Owner owner;
  known_thread_index = owner.index;
  return owner.index;
}

}  // namespace ashlar::base
