#include "lsm/states.h"

namespace ashlar::lsm {

States::States(base::EpochDomain& domain, base::Ref<State> first) noexcept : domain_(domain) {
  const base::MutexLock lock(mutex_);
  publish(std::move(first));
}

States::~States() {
  State* const last = current_.load(std::memory_order_relaxed);
  const base::Ref<State> owner = std::move(last->self_);
  ASHLAR_ASSERT(owner.get() == last, "V15: the current state owns itself");
}

void States::publish(base::Ref<State> next) noexcept {
  State* const state = next.get();
  state->self_ = std::move(next);
  // Release: who finds the state finds what it consists of.
  State* const before = current_.exchange(state, std::memory_order_acq_rel);
  if (before == nullptr) return;
  ASHLAR_ASSERT(before->self_.get() == before, "V15: the current state owns itself");
  domain_.retire(*before, [](base::Retired& retired) noexcept {
    // What is moved out goes at the end, and with it the state, unless somebody holds it.
    const base::Ref<State> last = std::move(static_cast<State&>(retired).self_);
  });
}

}  // namespace ashlar::lsm
