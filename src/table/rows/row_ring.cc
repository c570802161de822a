#include "table/rows/row_ring.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace ashlar::table {
namespace {

// More than this much rows do not get: what is known of each segment is held for all of them.
constexpr std::size_t kBytesMax = std::size_t{64} << 30U;

// Segments that are free or on their way: the guard of the one who gives a segment up keeps it from
// being free at once.
constexpr std::size_t kSpareCount = 2;

}  // namespace

std::optional<RowRing> RowRing::make(base::MemoryBudget& budget, base::EpochDomain& domain) {
  const std::size_t bytes = std::min(budget.limit_bytes(), kBytesMax);
  const std::size_t chunk_count = std::max<std::size_t>(bytes / kChunkBytes, 1);
  auto region = base::Reservation::make(chunk_count * kChunkBytes);
  if (!region) return std::nullopt;
  return RowRing(budget, domain, std::move(*region));
}

RowRing::RowRing(base::MemoryBudget& budget, base::EpochDomain& domain, base::Reservation region)
    : budget_(&budget),
      domain_(&domain),
      region_(std::move(region)),
      segments_(region_.bytes() / kSegmentBytes),
      chunks_(region_.bytes() / kChunkBytes) {}

RowRing::~RowRing() {
  budget_->give_back(bytes());
}

void RowRing::push(Line& line, std::uint32_t number) noexcept {
  segments_[number].next = kNone;
  (line.last != kNone ? segments_[line.last].next : line.first) = number;
  line.last = number;
  ++line.count;
}

std::uint32_t RowRing::pop(Line& line) noexcept {
  const std::uint32_t number = line.first;
  if (number == kNone) return kNone;
  line.first = segments_[number].next;
  if (line.first == kNone) line.last = kNone;
  --line.count;
  return number;
}

std::optional<std::uint64_t> RowRing::append(std::size_t bytes) noexcept {
  ASHLAR_ASSERT(bytes <= kSegmentBytes, "a row fits into a segment");
  if (open_ == kNone) return std::nullopt;
  Segment& segment = segments_[open_];
  if (bytes > kSegmentBytes - segment.used_bytes) return std::nullopt;
  const std::uint64_t offset = std::uint64_t{open_} * kSegmentBytes + segment.used_bytes;
  segment.used_bytes += static_cast<std::uint32_t>(bytes);
  return offset;
}

bool RowRing::open_next() noexcept {
  if (free_.count == 0 && leaving_.count > 0) reclaim();
  std::uint32_t next = take_free();
  if (next == kNone && add_chunk()) next = take_free();
  if (next == kNone) return false;
  if (open_ != kNone) push(closed_, open_);
  open_ = next;
  use(next);
  return true;
}

bool RowRing::is_short() const noexcept {
  return chunk_count_ >= capacity_ && free_.count + leaving_.count < kSpareCount;
}

std::optional<RowRing::Taken> RowRing::take_oldest() noexcept {
  std::uint32_t number = pop(closed_);
  if (number == kNone) number = std::exchange(open_, kNone);
  if (number == kNone) return std::nullopt;
  const std::uint64_t begin = std::uint64_t{number} * kSegmentBytes;
  return Taken{.number = number, .begin = begin, .end = begin + segments_[number].used_bytes};
}

void RowRing::retire(const Taken& taken) noexcept {
  Chunk& chunk = chunk_of(taken.number);
  ASHLAR_ASSERT(chunk.used_count > 0, "only a segment that is used is given up");
  if (--chunk.used_count == 0) --used_chunk_count_;
  segments_[taken.number].retired_at = domain_->stamp();
  push(leaving_, taken.number);
}

void RowRing::reclaim(base::Epoch settled) noexcept {
  // In the order in which they were stamped (W20).
  while (leaving_.first != kNone && segments_[leaving_.first].retired_at < settled) {
    const std::uint32_t number = pop(leaving_);
    ++chunk_of(number).free_count;
    push(free_, number);
  }
  if (chunk_count_ > capacity_) give_back_free_chunks();
}

void RowRing::give_back_free_chunks() noexcept {
  const auto goes = [&](std::uint32_t number) {
    const Chunk& chunk = chunk_of(number);
    return chunk.free_count == kSegmentsPerChunk;
  };
  Line kept;
  for (std::uint32_t number = pop(free_); number != kNone; number = pop(free_)) {
    if (chunk_count_ > capacity_ && goes(number)) {
      const std::size_t index = number / kSegmentsPerChunk;
      region_.give_back(index * kChunkBytes, kChunkBytes);
      budget_->give_back(kChunkBytes);
      chunks_[index] = Chunk{};
      --chunk_count_;
    } else if (chunk_of(number).has_memory) {
      push(kept, number);
    }  // The others of a chunk that has just gone.
  }
  free_ = kept;
}

/// A free segment that does not make more chunks be in use than there may be.
std::uint32_t RowRing::take_free() noexcept {
  for (std::size_t left = free_.count; left > 0; --left) {
    const std::uint32_t number = pop(free_);
    if (chunk_of(number).used_count > 0 || used_chunk_count_ < capacity_) {
      --chunk_of(number).free_count;
      return number;
    }
    push(free_, number);
  }
  return kNone;
}

void RowRing::use(std::uint32_t number) noexcept {
  Chunk& chunk = chunk_of(number);
  ASHLAR_ASSERT(chunk.has_memory, "M1: a segment is filled while its chunk is in the budget");
  if (chunk.used_count++ == 0) ++used_chunk_count_;
  segments_[number].used_bytes = 0;
}

bool RowRing::add_chunk() noexcept {
  if (chunk_count_ >= std::min(capacity_, chunks_.size())) return false;
  if (!budget_->try_take(kChunkBytes)) return false;
  const auto at = std::ranges::find_if(chunks_, [](const Chunk& c) { return !c.has_memory; });
  ASHLAR_ASSERT(at != chunks_.end(), "there are as many chunks as the budget could hold");
  const auto index = static_cast<std::size_t>(at - chunks_.begin());
  region_.prefer_huge_pages(index * kChunkBytes, kChunkBytes);
  *at = Chunk{.has_memory = true, .free_count = kSegmentsPerChunk};
  ++chunk_count_;
  for (std::size_t i = 0; i < kSegmentsPerChunk; ++i) {
    push(free_, static_cast<std::uint32_t>(index * kSegmentsPerChunk + i));
  }
  return true;
}

void RowRing::check() const {
  std::size_t chunk_count = 0;
  std::size_t used_chunk_count = 0;
  std::size_t used_count = 0;
  std::size_t free_count = 0;
  for (const Chunk& chunk : chunks_) {
    chunk_count += chunk.has_memory ? 1 : 0;
    used_chunk_count += chunk.used_count > 0 ? 1 : 0;
    used_count += chunk.used_count;
    free_count += chunk.free_count;
    const std::size_t known_count = std::size_t{chunk.used_count} + chunk.free_count;
    ASHLAR_ASSERT(known_count <= kSegmentsPerChunk, "a segment is in one place");
    if (known_count > 0) ASHLAR_ASSERT(chunk.has_memory, "M1: what is used or free has memory");
  }
  ASHLAR_ASSERT(chunk_count == chunk_count_, "chunks are counted");
  ASHLAR_ASSERT(used_chunk_count == used_chunk_count_, "chunks in use are counted");
  ASHLAR_ASSERT(used_count == closed_.count + (open_ != kNone ? 1 : 0), "used segments stand once");
  ASHLAR_ASSERT(free_count == free_.count, "W20: a free segment is in the line of the free");
}

}  // namespace ashlar::table
