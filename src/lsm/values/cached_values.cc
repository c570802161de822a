#include "lsm/values/cached_values.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/assert.h"

namespace ashlar::lsm {

void CachedValues::fill_head(std::string_view reference, std::span<char> block) noexcept {
  ASHLAR_ASSERT(reference.size() <= kHeadBytes, "a block begins with the reference of its value");
  std::memset(block.data(), 0, kHeadBytes);
  reference.copy(block.data(), reference.size());
}

/// Returns: null for a value that is not to be kept, or when there is no memory for the words
CachedValues::StretchRef CachedValues::stretch_for(const engine::ValueReference& wanted) {
  if (wanted.bytes < stride_bytes_ || wanted.bytes > kValueBytesMax) return {};
  const std::uint64_t number = stretch_number(wanted.position);
  const base::MutexLock lock(mutex_);
  if (const auto found = stretches_.find(number); found != stretches_.end()) return found->second;
  auto slots = table::CacheSlots::make(cache_, kStridesPerStretch);
  if (!slots) return {};
  return stretches_.emplace(number, base::make_ref<Stretch>(*std::move(slots))).first->second;
}

void CachedValues::keep_only(std::span<const engine::ValuePiece> pieces) {
  ASHLAR_ASSERT(std::ranges::is_sorted(pieces, {}, &engine::ValuePiece::first),
                "pieces come in the order of their positions");
  std::vector<StretchRef> leaving;  // Destroyed behind the lock.
  const base::MutexLock lock(mutex_);
  for (auto at = stretches_.begin(); at != stretches_.end();) {
    // The first piece that does not end before the stretch begins.
    const auto piece = std::ranges::partition_point(pieces, [&](const engine::ValuePiece& each) {
      return stretch_number(each.end - 1) < at->first;
    });
    const bool is_needed = piece != pieces.end() && stretch_number(piece->first) <= at->first;
    if (is_needed) {
      ++at;
      continue;
    }
    leaving.push_back(std::move(at->second));
    at = stretches_.erase(at);
  }
}

}  // namespace ashlar::lsm
