/// \file
/// One cache line of the hash index: a head and seven slots.
///
///     head   bits 0-31 overflow bucket (0: none), 32 lock, 33-63 version
///     slot   bits 0-43 address of the record / 16, 48-63 tag of the key's hash; 0: empty
///
/// Invariants:
///   H1  Slots are changed only by the holder of the lock in the head of the chain's first bucket,
///   and
///       the version of that head differs before and after.
///   H2  A chain is compact: only its last bucket may have empty slots, and they come last.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/racy.h"
#include "memory/record.h"

namespace ashlar::memory {

inline constexpr unsigned kSlotsPerBucket = 7;

inline constexpr std::uint64_t kOverflowMask = 0xffff'ffff;
inline constexpr std::uint64_t kLockBit = std::uint64_t{1} << 32U;
inline constexpr std::uint64_t kVersionStep = std::uint64_t{1} << 33U;

struct alignas(64) Bucket {
  std::atomic<std::uint64_t> head;
  std::array<std::atomic<std::uint64_t>, kSlotsPerBucket> slots;
};
static_assert(sizeof(Bucket) == 64, "a bucket is one cache line: a lookup costs one miss here");

/// The 16 bits of a hash that a slot keeps. Buckets are chosen by the low bits, tags are the high
/// ones.
constexpr std::uint16_t tag_of(std::uint64_t hash) noexcept {
  return static_cast<std::uint16_t>(hash >> 48U);
}

inline std::uint64_t slot_of(Record record, std::uint16_t tag) noexcept {
  const auto address = reinterpret_cast<std::uint64_t>(record.address());
  ASHLAR_DEBUG_ASSERT(address % 16 == 0 && address >> 48U == 0, "a record's address fits a slot");
  return address >> 4U | std::uint64_t{tag} << 48U;
}

inline Record record_of(std::uint64_t slot) noexcept {
  return Record(reinterpret_cast<char*>((slot & 0xfff'ffff'ffff) << 4U));
}

constexpr std::uint16_t tag_of_slot(std::uint64_t slot) noexcept {
  return static_cast<std::uint16_t>(slot >> 48U);
}

/// The slots of `bucket` that carry `tag`: bit i for slot i. The specification of `match_tag`.
inline unsigned match_tag_plain(const Bucket& bucket, std::uint16_t tag) noexcept {
  unsigned found = 0;
  for (unsigned i = 0; i < kSlotsPerBucket; ++i) {
    // Relaxed: the reader validates the head, the lock holder needs no order.
    const std::uint64_t slot = bucket.slots[i].load(std::memory_order_relaxed);
    found |= static_cast<unsigned>(slot != 0 && tag_of_slot(slot) == tag) << i;
  }
  return found;
}

#ifdef ASHLAR_RACY_PLAIN

inline unsigned match_tag(const Bucket& bucket, std::uint16_t tag) noexcept {
  return match_tag_plain(bucket, tag);
}

#else

/// The same with four compares of eight 16-bit lanes each. A tag of zero may also name empty slots.
inline unsigned match_tag(const Bucket& bucket, std::uint16_t tag) noexcept {
  const char* const line = reinterpret_cast<const char*>(&bucket);
  const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
  const auto equal = [&](int part) {
    return _mm_cmpeq_epi16(base::racy::load_16(line + std::ptrdiff_t{16} * part), wanted);
  };
  // A byte a lane; the tag is every fourth lane, the first of them being that of the head.
  const int low = _mm_movemask_epi8(_mm_packs_epi16(equal(0), equal(1)));
  const int high = _mm_movemask_epi8(_mm_packs_epi16(equal(2), equal(3)));
  const unsigned lanes = static_cast<unsigned>(low) | static_cast<unsigned>(high) << 16U;
  // Gathers bits 7, 11, …, 31 into bits 0 to 6.
  unsigned found = 0;
  for (unsigned i = 0; i < kSlotsPerBucket; ++i) found |= (lanes >> (7 + 4 * i) & 1U) << i;
  return found;
}

#endif

}  // namespace ashlar::memory
