// Extents, found by a bit for each block of 4 KiB; set: taken.
//
//     map_   1111 1110 0000 0111 1000 ...
//                 next_block_ ^ the next search begins here, and comes round once
//
// Searching on from there leaves short gaps behind instead of filling them: address space is four
// times what the budget can fill, and a gap costs no memory.

#include "memory/heap/extent_store.h"

#include <utility>

#include "base/assert.h"

namespace ashlar::memory {

ExtentStore::ExtentStore(const base::Reservation& region, std::size_t begin, std::size_t bytes,
                         base::Reservation map, base::MemoryBudget& budget) noexcept
    : region_(region),
      budget_(budget),
      begin_(begin),
      block_count_(bytes / kBlockBytes),
      map_(std::move(map)) {
  ASHLAR_ASSERT(begin + bytes <= region.bytes(), "extents lie in the region");
}

char* ExtentStore::take(std::size_t bytes) noexcept {
  const std::size_t taken_bytes = rounded_bytes(bytes);
  if (!budget_.try_take(taken_bytes)) return nullptr;
  // M1: charged before the search, so that two takers cannot both count on the last bytes.
  const std::size_t count = taken_bytes / kBlockBytes;
  {
    const base::MutexLock lock(mutex_);
    std::size_t block = find_locked(count, next_block_, block_count_);
    if (block == kNone) block = find_locked(count, 0, block_count_);
    if (block != kNone) {
      set_taken_locked(block, count, true);
      next_block_ = block + count;
      taken_bytes_ += taken_bytes;
      return region_.begin() + begin_ + block * kBlockBytes;
    }
  }
  budget_.give_back(taken_bytes);
  return nullptr;
}

void ExtentStore::give_back(const char* address, std::size_t bytes) noexcept {
  const std::size_t taken_bytes = rounded_bytes(bytes);
  const auto offset = static_cast<std::size_t>(address - region_.begin());
  ASHLAR_ASSERT(offset >= begin_ && offset % kBlockBytes == 0, "an extent starts on a block");
  // The memory goes before the bits: once they are clear the next taker may be writing there, and
  // its bytes would go with ours. The budget comes last, when others may have the room (M1).
  region_.give_back(offset, taken_bytes);
  {
    const base::MutexLock lock(mutex_);
    set_taken_locked((offset - begin_) / kBlockBytes, taken_bytes / kBlockBytes, false);
    taken_bytes_ -= taken_bytes;
  }
  budget_.give_back(taken_bytes);
}

std::size_t ExtentStore::taken_bytes() const noexcept {
  const base::MutexLock lock(mutex_);
  return taken_bytes_;
}

void ExtentStore::set_taken_locked(std::size_t begin, std::size_t count, bool is_taken) noexcept {
  for (std::size_t block = begin; block < begin + count; ++block) {
    ASHLAR_ASSERT(is_taken_locked(block) != is_taken, "P2: a block changes hands one at a time");
    words()[block / 64] ^= std::uint64_t{1} << block % 64;
  }
}

/// The first of `count` free blocks in a row between `from` and `to`; kNone when there are none.
/// Full words are passed over at once, so a search costs an instruction for 64 blocks in use.
std::size_t ExtentStore::find_locked(std::size_t count, std::size_t from,
                                     std::size_t to) const noexcept {
  std::size_t run_begin = from;
  std::size_t block = from;
  while (block < to) {
    if (block % 64 == 0 && words()[block / 64] == UINT64_MAX) {
      block += 64;
      run_begin = block;
      continue;
    }
    if (is_taken_locked(block)) run_begin = block + 1;
    ++block;
    if (block - run_begin == count) return run_begin;
  }
  return kNone;
}

}  // namespace ashlar::memory
