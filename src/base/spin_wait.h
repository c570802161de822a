/// \file
/// Waiting for something that another thread finishes within a microsecond.
#pragma once

#include <thread>

#include "base/hints.h"

namespace ashlar::base {

/// One wait: a few turns on the spot, then the core is given away, since with few cores the holder
/// may be waiting for this one.
class SpinWait {
 public:
  void pause() noexcept {
    if (turn_count_ < kSpinTurns) {
      ++turn_count_;
      spin_pause();
    } else {
      std::this_thread::yield();
    }
  }

 private:
  // Some microseconds, the time of a short critical section on a core of its own.
  static constexpr int kSpinTurns = 64;
  int turn_count_ = 0;
};

}  // namespace ashlar::base
