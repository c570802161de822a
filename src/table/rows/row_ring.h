/// \file
/// Memory of the row cache: rows one behind the other in segments, which go round.
///
///     open - full --> closed, oldest first - taken, retired --> leaving - seen by nobody --> free
///       ^---------------------------------------------------------------------------------- |
///
/// A segment is filled from front to back and given up as a whole, so rows of any length leave no
/// holes. Eight segments are a chunk, a huge page: what is taken from the budget and given back at
/// a time.
///
/// Invariants:
///   W20  A segment is filled again only when no guard is open that could have seen its rows.
///   M1 of memory_budget.h: a chunk is in the budget as long as it has memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/epoch.h"
#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"

namespace ashlar::table {

/// Threads:  externally synchronised. Rows that were handed out are read by anyone in a guard.
/// Lifetime: `budget` and `domain` outlive it.
class RowRing {
 public:
  static constexpr std::size_t kSegmentBytes = std::size_t{256} << 10U;
  static constexpr std::size_t kChunkBytes = base::kHugePageBytes;
  static constexpr std::size_t kSegmentsPerChunk = kChunkBytes / kSegmentBytes;

  /// A segment that is to be given up: its rows lie in [begin, end).
  struct Taken {
    std::uint32_t number = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  /// Returns: nullopt when the system refuses address space for all of `budget`
  static std::optional<RowRing> make(base::MemoryBudget& budget, base::EpochDomain& domain);

  RowRing(RowRing&& other) noexcept = default;
  RowRing& operator=(RowRing&&) = delete;
  RowRing(const RowRing&) = delete;
  RowRing& operator=(const RowRing&) = delete;
  ~RowRing();

  char* at(std::uint64_t offset) const noexcept { return region_.begin() + offset; }

  /// Room for `bytes` in the open segment. Returns: its offset; nullopt when the segment is full
  std::optional<std::uint64_t> append(std::size_t bytes) noexcept;

  /// Closes the open segment and opens a free one, of a new chunk where the capacity and the budget
  /// have room. Returns: false, with nothing closed, when there is none
  bool open_next() noexcept;

  /// Whether so few segments are free or leaving that another should be given up now.
  bool is_short() const noexcept;

  /// The oldest closed segment; the open one when there is no other. The caller makes its rows
  /// unreachable and then calls `retire`.
  std::optional<Taken> take_oldest() noexcept;
  /// Whether segments that were retired wait for guards.
  bool has_leaving() const noexcept { return leaving_.count > 0; }
  void retire(const Taken& taken) noexcept;

  /// Frees what nobody can see any more, and gives chunks back that are too many.
  void reclaim() noexcept { reclaim(domain_->settle()); }
  void reclaim(base::Epoch settled) noexcept;

  /// How many chunks there may be. While `is_too_large` the caller gives segments up.
  void set_capacity(std::size_t chunk_count) noexcept { capacity_ = chunk_count; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool is_too_large() const noexcept { return used_chunk_count_ > capacity_; }

  std::size_t bytes() const noexcept { return chunk_count_ * kChunkBytes; }

  void check() const;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Segment {
    std::uint32_t next = kNone;
    std::uint32_t used_bytes = 0;
    base::Epoch retired_at = 0;
  };
  struct Chunk {
    bool has_memory = false;
    std::uint8_t used_count = 0;  // Its segments that are open or closed,
    std::uint8_t free_count = 0;  // and that are free. The rest are leaving.
  };
  /// First in, first out, so that segments are filled in the order of their chunks.
  struct Line {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::size_t count = 0;
  };

  RowRing(base::MemoryBudget& budget, base::EpochDomain& domain, base::Reservation region);

  void push(Line& line, std::uint32_t number) noexcept;
  std::uint32_t pop(Line& line) noexcept;
  Chunk& chunk_of(std::uint32_t number) noexcept { return chunks_[number / kSegmentsPerChunk]; }
  bool add_chunk() noexcept;
  std::uint32_t take_free() noexcept;
  void use(std::uint32_t number) noexcept;
  void give_back_free_chunks() noexcept;

  base::MemoryBudget* budget_;
  base::EpochDomain* domain_;
  base::Reservation region_;
  std::vector<Segment> segments_;  // As many as there could ever be.
  std::vector<Chunk> chunks_;
  Line closed_;
  Line leaving_;
  Line free_;
  std::uint32_t open_ = kNone;
  std::size_t capacity_ = 0;
  std::size_t chunk_count_ = 0;
  std::size_t used_chunk_count_ = 0;  // Those with an open or a closed segment.
};

}  // namespace ashlar::table
