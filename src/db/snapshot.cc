#include "ashlar/snapshot.h"

#include <utility>

#include "base/assert.h"
#include "engine/storage_engine.h"

namespace ashlar {

Snapshot::Snapshot(Snapshot&& other) noexcept
    : engine_(std::exchange(other.engine_, nullptr)),
      sequence_(other.sequence_),
      taken_at_ms_(other.taken_at_ms_) {}

Snapshot& Snapshot::operator=(Snapshot&& other) noexcept {
  if (this == &other) return *this;
  release();
  ASHLAR_ASSERT(engine_ == nullptr, "a snapshot holds on to one moment at a time");
  engine_ = std::exchange(other.engine_, nullptr);
  sequence_ = other.sequence_;
  taken_at_ms_ = other.taken_at_ms_;
  return *this;
}

void Snapshot::release() noexcept {
  if (engine_ == nullptr) return;
  std::exchange(engine_, nullptr)->release_snapshot(sequence_);
}

}  // namespace ashlar
