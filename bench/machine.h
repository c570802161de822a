/// \file
/// Where the figures were taken.
#pragma once

#include <ostream>

namespace ashlar::bench {

/// Writes one line on processor, kernel and huge pages, and a warning when others are at work.
void write_machine(std::ostream& out);

/// Tells how much of the machine others had since it was made: other processes, and the host when
/// it is a virtual one.
///
/// Threads: confined.
class OthersMeter {
 public:
  OthersMeter();

  /// Their share of the time of all processors, 0 to 1; 0 when the system does not tell.
  double share() const;

 private:
  double busy_begin_ = 0;   // Seconds of all processors, our own among them.
  double total_begin_ = 0;  // The same with idle ones.
  double own_begin_;
};

}  // namespace ashlar::bench
