#include "memory/local.h"

#include "base/assert.h"

namespace ashlar::memory {

Locals::~Locals() {
  for (auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
}

Local* Locals::make(std::size_t index) {
  auto made = std::make_unique<Local>(budget_);
  // Release: partner of the acquire in `for_each`. Nobody else has this index.
  slots_[index].store(made.get(), std::memory_order_release);
  return made.release();
}

Locals::Hold::Hold(Locals& locals) {
  const std::size_t index = base::thread_index();
  if (index == base::kThreadIndexCount) [[unlikely]] {
    shared_ = &locals.shared_mutex_;
    shared_->lock();
  }
  // Relaxed: this thread stored it, or the thread index was handed over with a lock.
  local_ = locals.slots_[index].load(std::memory_order_relaxed);
  if (local_ == nullptr) [[unlikely]] {
    try {
      local_ = locals.make(index);
    } catch (...) {
      if (shared_ != nullptr) shared_->unlock();
      throw;
    }
  }
  local_->lock.lock_owner();
}

Locals::Hold::~Hold() {
  local_->lock.unlock_owner();
  if (shared_ != nullptr) shared_->unlock();
}

}  // namespace ashlar::memory
