/// \file
/// The rings of a disk, for whoever reads several places at the moment.
///
/// A ring is made when nobody has put one back, up to `kRingsMax` in all; who comes when all are in
/// use reads place by place. A kernel that has refused one is not asked again: `io_uring` is
/// missing or forbidden for good, as a rule, and where it is not only speed is lost.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/thread_safety.h"
#include "os/ring/read_ring.h"

namespace ashlar::os {

/// Threads: thread-safe.
class RingPool {
 public:
  /// Two readers for each of eight cores: where there are more they keep a disk busy without rings.
  static constexpr std::size_t kRingsMax = 16;

  /// Returns: null when all are in use, or the kernel refuses more
  /// Cost:    a mutex; some 50 µs for a new ring
  std::unique_ptr<ReadRing> take();

  /// Takes back a ring that is still good.
  void put(std::unique_ptr<ReadRing> ring);

  /// Takes note of a ring that is not, and has gone.
  void forget();

  /// How many there are, those in use included.
  std::size_t ring_count() const;

 private:
  mutable base::Mutex mutex_;
  std::vector<std::unique_ptr<ReadRing>> idle_ ASHLAR_GUARDED_BY(mutex_);
  std::size_t ring_count_ ASHLAR_GUARDED_BY(mutex_) = 0;
  bool is_refused_ ASHLAR_GUARDED_BY(mutex_) = false;
};

}  // namespace ashlar::os
