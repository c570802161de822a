/// \file
/// Which key makes room when memory is used up: S3-FIFO.
///
/// New keys queue in `small`, a tenth of the memory. At its end, those that have been read more
/// than once move on to `main` and the others are evicted, leaving a fingerprint in `ghost`; a key
/// that comes back while its fingerprint is there goes straight to `main`. In `main` a key that was
/// read goes round again, with one reading less. A hit only sets two bits in a byte of its own
/// (`Heat`), and none once they are set: readers never wait for the evictor.
///
/// Queues hold handles: the hash of a key, with its size class in bits that choose no bucket. A
/// handle whose key is gone is dropped when it comes up.
///
/// Source: "FIFO queues are all you need for cache eviction", J. Yang et al., SOSP 2023.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/chunked_queue.h"
#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "memory/heap/record_heap.h"

namespace ashlar::memory {

/// How often each record has been read lately: 0 to 3, a byte for each 64 bytes of record memory.
///
/// Threads: thread-safe; lost updates are harmless.
class Heat {
 public:
  static constexpr std::uint8_t kMax = 3;

  explicit Heat(base::Reservation region) noexcept : region_(std::move(region)) {}

  /// Counts one reading of the record at `offset`.
  void touch(std::size_t offset) noexcept {
    // Relaxed, and not one step: of two readings at a time one may be lost, and the line stays with
    // the readers once the record is as hot as it gets.
    std::atomic<std::uint8_t>& heat = at(offset);
    const std::uint8_t before = heat.load(std::memory_order_relaxed);
    if (before < kMax) heat.store(before + 1, std::memory_order_relaxed);
  }
  std::uint8_t of(std::size_t offset) noexcept {
    return at(offset).load(std::memory_order_relaxed);
  }
  void set(std::size_t offset, std::uint8_t heat) noexcept {
    at(offset).store(heat, std::memory_order_relaxed);
  }

  static std::size_t bytes_for(std::size_t region_bytes) noexcept {
    return region_bytes / kBytesPerEntry + 1;
  }

 private:
  static constexpr std::size_t kBytesPerEntry = 64;

  std::atomic<std::uint8_t>& at(std::size_t offset) noexcept {
    return reinterpret_cast<std::atomic<std::uint8_t>*>(region_.begin())[offset / kBytesPerEntry];
  }

  base::Reservation region_;
};

/// A key in a queue of the evictor.
class Handle {
 public:
  explicit constexpr Handle(std::uint64_t word) noexcept : word_(word) {}
  static constexpr Handle of(std::uint64_t hash, std::size_t record_bytes) noexcept {
    const std::uint64_t size_class =
        record_bytes > kSlabBytesMax ? kLargeClass : size_class_of(record_bytes);
    return Handle((hash & ~kClassMask) | size_class << kClassShift);
  }

  constexpr std::uint64_t word() const noexcept { return word_; }
  /// The hash of the key as far as it chooses bucket and tag.
  constexpr std::uint64_t hash() const noexcept { return word_ & ~kClassMask; }
  constexpr std::size_t bytes() const noexcept {
    const std::uint64_t size_class = (word_ & kClassMask) >> kClassShift;
    return size_class == kLargeClass ? 2 * kSlabBytesMax : size_of_class(size_class);
  }
  constexpr std::uint32_t fingerprint() const noexcept {
    return static_cast<std::uint32_t>((hash() * 0x9e37'79b9'7f4a'7c15) >> 32U);
  }

 private:
  static constexpr unsigned kClassShift = 40;
  static constexpr std::uint64_t kClassMask = std::uint64_t{0xff} << kClassShift;
  static constexpr std::uint64_t kLargeClass = 0xff;

  std::uint64_t word_;
};

/// The queues and the policy; what a handle stands for, the caller knows.
///
/// Threads: externally synchronised.
class Evictor {
 public:
  /// What the caller found behind a handle.
  enum class Found : std::uint8_t { kGone, kPinned, kCold, kWarm, kHot };

  explicit Evictor(base::MemoryBudget& budget);

  /// Takes in a key that was just stored. A key there is no room for cannot be evicted later.
  void admit(Handle handle) noexcept;

  /// Picks the next handle to look at; nullopt when there is none.
  struct Candidate {
    Handle handle;
    bool is_in_main;
  };
  std::optional<Candidate> pick() noexcept;

  /// Decides about a picked candidate. Returns true when it is to be evicted now; otherwise it is
  /// back in a queue, or forgotten when its key is gone.
  bool judge(const Candidate& candidate, Found found) noexcept;

  /// Notes that a candidate has been evicted.
  void remember(const Candidate& candidate) noexcept;

  std::size_t count() const noexcept { return small_.count() + main_.count(); }

 private:
  void put(base::ChunkedQueue& queue, std::size_t& bytes, Handle handle) noexcept;

  base::ChunkedQueue small_;
  base::ChunkedQueue main_;
  // By the size classes in the handles. A handle whose key is gone counts until it comes up.
  std::size_t small_bytes_ = 0;
  std::size_t main_bytes_ = 0;

  // Fingerprints with the eviction count at which they were left, so that old ones do not count.
  struct Ghost {
    std::uint32_t fingerprint = 0;
    std::uint32_t evicted_at = 0;
  };
  std::vector<Ghost> ghosts_;
  std::uint32_t evicted_count_ = 0;
};

}  // namespace ashlar::memory
