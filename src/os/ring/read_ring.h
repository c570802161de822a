/// \file
/// Reads of several places at once: one call gives all of them to the kernel, which answers when
/// the last is done. A disk that takes 100 µs for one read takes little more for thirty-two.
///
/// It speaks to the kernel itself: four calls and two mapped rings are less than a library.
///
/// Invariants:
///   F12  No memory is written to by a read once `ReadRing::read` has returned.
///
/// Source: "Efficient IO with io_uring", J. Axboe, 2019.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "os/disk.h"

// NOLINTBEGIN(readability-identifier-naming): the names are the kernel's.
struct io_uring_cqe;
struct io_uring_params;
struct io_uring_sqe;
// NOLINTEND(readability-identifier-naming)

namespace ashlar::os {

/// A pair of rings between this process and the kernel.
///
/// Threads: externally synchronised: by whoever has it out of its pool (ring_pool.h).
class ReadRing {
 public:
  /// Of so many parts all are read side by side.
  static constexpr std::size_t kPartsMax = 64;

  /// Returns: null when the kernel has no such rings, or keeps this process from them
  static std::unique_ptr<ReadRing> make();
  ReadRing(const ReadRing&) = delete;
  ReadRing& operator=(const ReadRing&) = delete;
  ~ReadRing();

  /// Reads up to `kPartsMax` parts. Those that the kernel did not take, or gave up, have the result
  /// -EAGAIN.
  ///
  /// Returns: false when the kernel has refused something: the ring is then to be used no more
  /// Cost:    one call of the system, as a rule; no allocation
  bool read(std::span<ReadPart> parts);

 private:
  // The part of a ring that both sides write to, and what it is a ring of.
  template <typename Entry>
  struct Queue {
    std::uint32_t* head = nullptr;
    std::uint32_t* tail = nullptr;
    std::uint32_t mask = 0;
    Entry* entries = nullptr;
  };
  struct Memory {
    char* begin = nullptr;
    std::size_t bytes = 0;
  };

  explicit ReadRing(int fd) noexcept : fd_(fd) {}
  bool map(const io_uring_params& params);
  void prepare(std::span<ReadPart> parts) noexcept;
  void withdraw() noexcept;
  std::size_t reap(std::span<ReadPart> parts) noexcept;

  const int fd_;
  Memory rings_;    // Heads, tails and completions.
  Memory entries_;  // Submissions.
  Queue<io_uring_sqe> submissions_;
  Queue<io_uring_cqe> completions_;
};

}  // namespace ashlar::os
