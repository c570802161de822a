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

void Locals::Hold::lock_shared(Locals& locals) {
  shared_ = &locals.shared_mutex_;
  shared_->lock();
}

void Locals::Hold::make(Locals& locals, std::size_t index) {
  try {
    local_ = locals.make(index);
  } catch (...) {
    if (shared_ != nullptr) shared_->unlock();
    throw;
  }
}

}  // namespace ashlar::memory
