/// \file
/// How long operations took, in a fixed space: so that taking times does not add to the memory that
/// is measured meanwhile.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ashlar::bench {

/// Counts times by their size, sixteen steps to a doubling: a percentile is right to about 6 %.
///
/// Threads: confined.
class LatencyHistogram {
 public:
  void add(std::uint64_t ns) noexcept {
    ++counts_[step_of(ns)];
    ++count_;
  }

  std::uint64_t count() const noexcept { return count_; }

  /// A time that `percent` of all do not exceed, never less than the true one; 0 of none.
  double percentile_ns(double percent) const noexcept {
    const double wanted = percent / 100 * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < counts_.size(); ++step) {
      seen += counts_[step];
      if (seen > 0 && static_cast<double>(seen) >= wanted) {
        return static_cast<double>(longest_of(step));
      }
    }
    return 0;
  }

 private:
  static constexpr unsigned kBits = 4;  // Of each time that are kept behind its first.
  static constexpr std::uint64_t kSteps = std::uint64_t{1} << kBits;

  static std::size_t step_of(std::uint64_t ns) noexcept {
    if (ns < kSteps) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kBits - 1;
    return (shift + 1) * kSteps + ((ns >> shift) - kSteps);
  }

  static std::uint64_t longest_of(std::size_t step) noexcept {
    if (step < kSteps) return step;
    const auto shift = static_cast<unsigned>(step / kSteps - 1);
    return ((kSteps + step % kSteps + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - kBits + 1) * kSteps> counts_ = {};
  std::uint64_t count_ = 0;
};

}  // namespace ashlar::bench
