// Chunks come and go whole; everything between is a list of free frames.

#include "table/cache/frame_arena.h"

#include <new>
#include <utility>

#include "base/assert.h"

namespace ashlar::table {
namespace {

constexpr std::size_t kEntryBytesPerChunk = kFramesPerChunk * sizeof(CacheEntry);
// Heats are taken from the budget as the system gives them: by the page.
constexpr std::size_t kPageBytes = 4096;
static_assert(kEntryBytesPerChunk % kPageBytes == 0,
              "the entries of a chunk are pages of their own");

}  // namespace

std::optional<FrameArena> FrameArena::make(base::MemoryBudget& budget) {
  const std::size_t chunk_count = budget.limit_bytes() / kChunkCost + 1;
  auto frames = base::Reservation::make(chunk_count * base::kHugePageBytes);
  auto entries = base::Reservation::make(chunk_count * kEntryBytesPerChunk);
  auto heats = base::Reservation::make(chunk_count * kFramesPerChunk);
  if (!frames || !entries || !heats) return std::nullopt;
  return FrameArena(budget, std::move(*frames), std::move(*entries), std::move(*heats));
}

FrameArena::FrameArena(base::MemoryBudget& budget, base::Reservation frames,
                       base::Reservation entries, base::Reservation heats)
    : budget_(&budget),
      frames_(std::move(frames)),
      entries_(std::move(entries)),
      heats_(std::move(heats)),
      map_{.frames = frames_.begin(),
           .heats = reinterpret_cast<Heat*>(heats_.begin()),
           .entries = reinterpret_cast<CacheEntry*>(entries_.begin()),
           .frame_bytes = frames_.bytes()},
      chunks_(frames_.bytes() / base::kHugePageBytes) {}

// What was taken goes back, whatever is in the frames: the owner has seen to their readers. A
// moved-from arena has no chunks.
FrameArena::~FrameArena() {
  if (!chunks_.empty()) budget_->give_back(used_bytes());
}

bool FrameArena::take_heats_for(std::size_t chunk) noexcept {
  const std::size_t needed_bytes =
      ((chunk + 1) * kFramesPerChunk + kPageBytes - 1) / kPageBytes * kPageBytes;
  if (needed_bytes <= heat_bytes_) return true;
  if (!budget_->try_take(needed_bytes - heat_bytes_)) return false;
  heat_bytes_ = needed_bytes;
  return true;
}

bool FrameArena::grow() noexcept {
  std::size_t chunk = 0;
  while (chunk < chunks_.size() && chunks_[chunk].is_used) ++chunk;
  if (chunk == chunks_.size() || !take_heats_for(chunk)) return false;
  if (!budget_->try_take(kChunkCost)) return false;
  frames_.prefer_huge_pages(chunk * base::kHugePageBytes, base::kHugePageBytes);
  chunks_[chunk] = {.free_count = kFramesPerChunk, .is_used = true, .is_emptying = false};
  ++chunk_count_;
  for (std::size_t i = 0; i < kFramesPerChunk; ++i) {
    const std::size_t number = chunk * kFramesPerChunk + i;
    auto* const entry = new (&map_.entries[number]) CacheEntry;
    entry->block = map_.frames + number * kFrameBytes;
    entry->heat = new (&map_.heats[number]) Heat(0);
    entry->bytes = kFrameBytes;
    entry->slot_kind = kSlotFrame;
    free_.push_back(*entry);
  }
  return true;
}

CacheEntry* FrameArena::take() noexcept {
  CacheEntry* const entry = free_.pop_front();
  if (entry == nullptr) return nullptr;
  ASHLAR_ASSERT(entry->place == Place::kFree, "a frame is taken once");
  entry->place = Place::kLoading;
  --chunks_[chunk_of(*entry)].free_count;
  return entry;
}

void FrameArena::put(CacheEntry& entry) noexcept {
  ASHLAR_ASSERT(entry.place != Place::kFree, "a frame is put back once");
  ASHLAR_ASSERT(!entry.is_pinned(), "a frame comes free without pins");
  const std::size_t number = chunk_of(entry);
  Chunk& chunk = chunks_[number];
  entry.place = Place::kFree;
  entry.heat->store(0, std::memory_order_relaxed);
  ++chunk.free_count;
  if (!chunk.is_emptying) return free_.push_back(entry);
  if (chunk.free_count == kFramesPerChunk) give_back(number);
}

std::optional<std::size_t> FrameArena::coldest_chunk() const noexcept {
  std::optional<std::size_t> coldest;
  std::size_t least = ~std::size_t{0};
  for (std::size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
    if (!chunks_[chunk].is_used || chunks_[chunk].is_emptying) continue;
    // A cached block that nobody has read again weighs more than no block.
    std::size_t warmth = kFramesPerChunk - chunks_[chunk].free_count;
    for (std::size_t i = 0; i < kFramesPerChunk; ++i) {
      warmth +=
          std::size_t{4} * map_.heats[chunk * kFramesPerChunk + i].load(std::memory_order_relaxed);
    }
    if (warmth >= least) continue;
    least = warmth;
    coldest = chunk;
  }
  return coldest;
}

void FrameArena::empty_chunk(std::size_t number) noexcept {
  Chunk& chunk = chunks_[number];
  ASHLAR_ASSERT(chunk.is_used, "only a chunk that is there is emptied");
  ASHLAR_ASSERT(!chunk.is_emptying, "a chunk is emptied once");
  for (std::size_t i = 0; i < kFramesPerChunk; ++i) {
    CacheEntry& entry = map_.entries[number * kFramesPerChunk + i];
    if (entry.place == Place::kFree) free_.remove(entry);
  }
  chunk.is_emptying = true;
  ++emptying_count_;
  if (chunk.free_count == kFramesPerChunk) give_back(number);
}

bool FrameArena::is_emptying(const CacheEntry& entry) const noexcept {
  return entry.is_frame() && chunks_[chunk_of(entry)].is_emptying;
}

void FrameArena::give_back(std::size_t number) noexcept {
  ASHLAR_ASSERT(chunks_[number].is_emptying, "a chunk goes when it has been emptied");
  chunks_[number] = {};
  --chunk_count_;
  --emptying_count_;
  frames_.give_back(number * base::kHugePageBytes, base::kHugePageBytes);
  entries_.give_back(number * kEntryBytesPerChunk, kEntryBytesPerChunk);
  budget_->give_back(kChunkCost);
}

void FrameArena::check() const {
  std::size_t free_count = 0;
  std::size_t used_count = 0;
  for (const Chunk& chunk : chunks_) {
    used_count += chunk.is_used ? 1 : 0;
    if (!chunk.is_emptying) free_count += chunk.free_count;
  }
  ASHLAR_ASSERT(free_count == free_.count(), "the free frames are those that the chunks count");
  ASHLAR_ASSERT(used_count == chunk_count_, "each chunk is counted once (W11)");
  ASHLAR_ASSERT(budget_->used_bytes() >= used_bytes(), "what is held is in the budget (W11)");
}

}  // namespace ashlar::table
