// The rare paths of taking a local: a thread's first call, and threads beyond the count.

#include "memory/local.h"

#include "base/assert.h"

namespace ashlar::memory {

Locals::~Locals() {
  // Relaxed: the engine goes when nobody calls it any more.
  for (auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
}

Local* Locals::make(std::size_t index) {
  auto made = std::make_unique<Local>(budget_);
  // Relaxed: nobody else has this index, and the shared one is guarded by its mutex.
  ASHLAR_ASSERT(slots_[index].load(std::memory_order_relaxed) == nullptr, "a local is made once");
  // Release: partner of the acquire in `for_each`.
  slots_[index].store(made.get(), std::memory_order_release);
  return made.release();
}

// Threads that have no index of their own take turns at one local. The mutex is held as long as
// that local, since a BiasedLock knows one owner at a time only.
void Locals::Hold::lock_shared(Locals& locals) {
  shared_ = &locals.shared_mutex_;
  shared_->lock();
}

// The destructor of a Hold does not run when its constructor throws: the mutex is given up here.
void Locals::Hold::make(Locals& locals, std::size_t index) {
  try {
    local_ = locals.make(index);
  } catch (...) {
    if (shared_ != nullptr) shared_->unlock();
    throw;
  }
}

}  // namespace ashlar::memory
