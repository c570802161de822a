/// \file
/// Memory for blocks of the usual size: frames of 8 KiB in chunks of a huge page.
///
///     data      frame 0 | frame 1 | … | frame 255 | frame 256 …       2 MiB a chunk, huge pages
///     entries   64 bytes a frame                                    16 KiB a chunk
///     heats     1 byte a frame, dense: see entry.h
///
/// Three ranges of address space, as long as the budget would ever allow; a frame's number leads to
/// its place in each. Frames keep their size and alignment because nothing else is in their range,
/// and 256 of them share a translation.
///
/// Chunks are taken lowest first, and given back when all their frames are free: `empty_chunk`
/// keeps those of one from being taken again. Heats are kept once taken, 1/8192 of the most there
/// was.
///
/// Invariants:
///   W11  All memory here is in the budget while it is held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/memory/memory_budget.h"
#include "base/memory/reservation.h"
#include "table/cache/entry.h"

namespace ashlar::table {

inline constexpr std::size_t kFrameBytes = 8192;
inline constexpr std::size_t kFramesPerChunk = base::kHugePageBytes / kFrameBytes;

/// Where things lie. A copy is as good as the original.
///
/// Threads:  immutable.
/// Lifetime: that of the arena.
struct FrameMap {
  char* frames = nullptr;
  Heat* heats = nullptr;
  CacheEntry* entries = nullptr;
  std::size_t frame_bytes = 0;  // Of all frames that there could ever be.

  bool contains(const char* block) const noexcept {
    const auto offset =
        reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(frames);
    return offset < frame_bytes;
  }
  std::size_t number_of(const char* block) const noexcept {
    return static_cast<std::size_t>(block - frames) / kFrameBytes;
  }
  Heat& heat_of(const char* block) const noexcept { return heats[number_of(block)]; }
  CacheEntry& entry_of(const char* block) const noexcept { return entries[number_of(block)]; }
};

/// Threads: externally synchronised.
class FrameArena {
 public:
  /// What one chunk costs.
  static constexpr std::size_t kChunkCost =
      base::kHugePageBytes + kFramesPerChunk * sizeof(CacheEntry);

  /// Returns: nullopt when the system refuses address space for all of `budget`
  static std::optional<FrameArena> make(base::MemoryBudget& budget);

  FrameArena(FrameArena&& other) noexcept = default;
  FrameArena& operator=(FrameArena&&) = delete;
  FrameArena(const FrameArena&) = delete;
  FrameArena& operator=(const FrameArena&) = delete;
  ~FrameArena();

  /// Takes a chunk more. Returns: false when the budget refuses
  bool grow() noexcept;

  /// A free frame, not cleared; null when there is none.
  CacheEntry* take() noexcept;
  void put(CacheEntry& entry) noexcept;

  /// The chunk whose frames were read least lately, free ones counting as cold, among those that
  /// are not being emptied yet.
  ///
  /// Cost: a pass over the heats of all frames, 128 KiB for a gigabyte
  std::optional<std::size_t> coldest_chunk() const noexcept;

  /// Begins to empty a chunk: its free frames are taken no more, and it is given back with the last
  /// that comes free. The caller frees those that are in use.
  void empty_chunk(std::size_t number) noexcept;
  bool is_emptying(const CacheEntry& entry) const noexcept;

  /// Calls `visit(entry)` for each frame of a chunk that is not free. `visit` frees none: the chunk
  /// might go with it.
  template <typename Visit>
  void for_each_in_use(std::size_t chunk, Visit visit) {
    for (std::size_t i = 0; i < kFramesPerChunk; ++i) {
      CacheEntry& entry = map_.entries[chunk * kFramesPerChunk + i];
      if (entry.place != Place::kFree) visit(entry);
    }
  }

  const FrameMap& map() const noexcept { return map_; }
  std::size_t frame_count() const noexcept { return chunk_count_ * kFramesPerChunk; }
  std::size_t free_count() const noexcept { return free_.count(); }
  std::size_t used_bytes() const noexcept { return chunk_count_ * kChunkCost + heat_bytes_; }
  /// Of `used_bytes`, what goes when the chunks that are being emptied are empty.
  std::size_t emptying_bytes() const noexcept { return emptying_count_ * kChunkCost; }

  void check() const;

 private:
  struct Chunk {
    std::uint16_t free_count = 0;
    bool is_used = false;
    bool is_emptying = false;
  };

  FrameArena(base::MemoryBudget& budget, base::Reservation frames, base::Reservation entries,
             base::Reservation heats);

  std::size_t chunk_of(const CacheEntry& entry) const noexcept {
    return static_cast<std::size_t>(&entry - map_.entries) / kFramesPerChunk;
  }
  bool take_heats_for(std::size_t chunk) noexcept;
  void give_back(std::size_t number) noexcept;

  base::MemoryBudget* budget_;
  base::Reservation frames_;
  base::Reservation entries_;
  base::Reservation heats_;
  FrameMap map_;
  std::vector<Chunk> chunks_;  // As many as there could ever be.
  EntryList free_;             // Frames of chunks that are not being emptied.
  std::size_t chunk_count_ = 0;
  std::size_t emptying_count_ = 0;
  std::size_t heat_bytes_ = 0;
};

}  // namespace ashlar::table
