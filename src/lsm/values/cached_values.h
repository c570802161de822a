/// \file
/// Large values that were read, in the cache of blocks, so that one policy decides for both what
/// stays in memory.
///
/// A value is known by its position, which never leads to other bytes (J3 of
/// src/db/values/value_store.h). Each that is kept is at least a stride long, so in every stride of
/// positions at most one of them begins: a word for each stride is where it is found. The words of
/// 1024 strides are made when the first value among them is read.
///
///     block of the cache   reference 20 | zero 4 | the value
///
/// Invariants:
///   V40 of value_reference.h: what is handed out was proved when it was read from the disk, and
///   its whole reference is compared.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>

#include "ashlar/result.h"
#include "ashlar/value.h"
#include "base/epoch.h"
#include "base/ref.h"
#include "base/thread_safety.h"
#include "engine/large_values.h"
#include "engine/value_reference.h"
#include "table/block_cache.h"

namespace ashlar::lsm {

/// Threads:  thread-safe.
/// Lifetime: the cache and the domain, which is the cache's, outlive it.
class CachedValues {
 public:
  /// A longer one is read from the disk each time: there the page cache is as good.
  static constexpr std::size_t kValueBytesMax = std::size_t{1} << 20U;

  /// Input: stride_bytes  shorter values are not kept; at least 1
  CachedValues(table::BlockCache& cache, base::EpochDomain& domain,
               std::size_t stride_bytes) noexcept
      : cache_(cache), domain_(domain), stride_bytes_(stride_bytes) {}
  CachedValues(const CachedValues&) = delete;
  CachedValues& operator=(const CachedValues&) = delete;

  /// Copies the value of `reference` to `to`, and keeps it where it was not in memory.
  ///
  /// Input:  load  called as `Result<void>(std::span<char>)`, without a lock: reads the value from
  ///               the disk and proves it
  /// Errors: of `load`. Where the budget has no room the value is read and not kept.
  /// Cost:   a short lock and a copy, when it is in memory
  template <typename Load>
  Result<void> read(std::string_view reference, const engine::ValueReference& decoded, Value& to,
                    Load load) {
    const base::EpochGuard guard(domain_);
    if (const StretchRef stretch = stretch_for(decoded)) {
      const auto block = cache_.get_or_load(stretch->slots, slot_of(decoded.position),
                                            kHeadBytes + decoded.bytes, [&](std::span<char> all) {
                                              fill_head(reference, all);
                                              return load(all.subspan(kHeadBytes));
                                            });
      if (block && is_of(*block, reference)) {
        to.assign({*block + kHeadBytes, decoded.bytes});
        return {};
      }
      if (!block && block.error().code() != ErrorCode::kOutOfSpace)
        return std::unexpected(block.error());
    }
    return load(std::span(to.resize(decoded.bytes), decoded.bytes));
  }

  /// Lets go of what was kept of other pieces than these: nobody reads from them any more.
  void keep_only(std::span<const engine::ValuePiece> pieces);

 private:
  static constexpr std::uint64_t kStridesPerStretch = 1024;
  static constexpr std::size_t kHeadBytes = 24;
  static_assert(kHeadBytes >= engine::ValueReference::kBytes);

  struct Stretch final : base::Counted {
    explicit Stretch(table::CacheSlots its_slots) noexcept : slots(std::move(its_slots)) {}
    mutable table::CacheSlots slots;
  };
  using StretchRef = base::Ref<const Stretch>;

  static void fill_head(std::string_view reference, std::span<char> block) noexcept;
  static bool is_of(const char* block, std::string_view reference) noexcept {
    return std::string_view(block, reference.size()) == reference;
  }

  std::uint64_t stretch_number(std::uint64_t position) const noexcept {
    return position / stride_bytes_ / kStridesPerStretch;
  }
  std::size_t slot_of(std::uint64_t position) const noexcept {
    return position / stride_bytes_ % kStridesPerStretch;
  }
  StretchRef stretch_for(const engine::ValueReference& wanted);

  table::BlockCache& cache_;
  base::EpochDomain& domain_;
  const std::size_t stride_bytes_;

  base::Mutex mutex_;  // Before that of the cache.
  std::map<std::uint64_t, StretchRef> stretches_ ASHLAR_GUARDED_BY(mutex_);
};

}  // namespace ashlar::lsm
