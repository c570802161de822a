/// \file
/// One cache line of the hash index: a head and seven slots.
///
///     head   bits 0-31 overflow bucket (0: none), 32 lock, 33-63 version
///     slot   bits 0-43 address of the record / 16, 44-63 bits 12-31 of the key's hash; 0: empty
///
/// The upper sixteen of those hash bits are the tag that lookups match. Together with the bucket's
/// number the twenty bits tell where a slot goes when its bucket is split, without a look at the
/// record. In an index of more than 2^16 buckets some bits of the tag also choose the bucket and
/// no longer tell keys apart: at 77 million keys eight are left, and one lookup in fifty meets a
/// wrong record first.
///
/// Invariants:
///   H1  Slots are changed only by the holder of the lock in the head of the chain's first bucket,
///       and the version of that head differs before and after.
///   H2  A chain is compact: only its last bucket may have empty slots, and they come last.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/racy.h"
#include "memory/record.h"

namespace ashlar::memory {

inline constexpr unsigned kSlotsPerBucket = 7;

// The version has 31 bits: to be deceived a reader would have to sleep, between two instructions,
// through two thousand million changes of one bucket and wake at just the right one; or while the
// index gives the memory of the bucket back and has it again, which begins its version anew.
inline constexpr std::uint64_t kOverflowMask = 0xffff'ffff;
inline constexpr std::uint64_t kLockBit = std::uint64_t{1} << 32U;
inline constexpr std::uint64_t kVersionStep = std::uint64_t{1} << 33U;

struct alignas(64) Bucket {
  std::atomic<std::uint64_t> head;
  std::array<std::atomic<std::uint64_t>, kSlotsPerBucket> slots;
};
static_assert(sizeof(Bucket) == 64, "a bucket is one cache line: a lookup costs one miss here");

inline constexpr unsigned kSlotHashShift = 12;  // The first bit of the hash that a slot keeps,
inline constexpr unsigned kSlotHashEnd = 32;    // and the first one after.
inline constexpr unsigned kSlotAddressBits = 44;
inline constexpr std::uint64_t kSlotAddressMask = (std::uint64_t{1} << kSlotAddressBits) - 1;

/// The bits of a hash that are matched in a bucket.
constexpr std::uint16_t tag_of(std::uint64_t hash) noexcept {
  return static_cast<std::uint16_t>(hash >> 16U);
}

inline std::uint64_t slot_of(Record record, std::uint64_t hash) noexcept {
  const auto address = reinterpret_cast<std::uint64_t>(record.address());
  ASHLAR_DEBUG_ASSERT(address % 16 == 0 && address >> 48U == 0, "a record's address fits a slot");
  return address >> 4U | hash >> kSlotHashShift << kSlotAddressBits;
}

inline Record record_of(std::uint64_t slot) noexcept {
  return Record(reinterpret_cast<char*>((slot & kSlotAddressMask) << 4U));
}

constexpr std::uint16_t tag_of_slot(std::uint64_t slot) noexcept {
  return static_cast<std::uint16_t>(slot >> 48U);
}

/// Whether a slot keeps bit `bit` of its key's hash.
constexpr bool is_bit_in_slot(unsigned bit) noexcept {
  return bit >= kSlotHashShift && bit < kSlotHashEnd;
}

/// That bit.
constexpr bool hash_bit_of_slot(std::uint64_t slot, unsigned bit) noexcept {
  return (slot >> (kSlotAddressBits - kSlotHashShift + bit) & 1U) != 0;
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

/// The same with one compare of eight 16-bit lanes. A tag of zero may also name empty slots.
inline unsigned match_tag(const Bucket& bucket, std::uint16_t tag) noexcept {
  const char* const line = reinterpret_cast<const char*>(&bucket);
  // The upper halves of four words at a time, as floats only to be shuffled.
  const auto upper_halves = [&](std::ptrdiff_t offset) {
    const __m128 first = _mm_castsi128_ps(base::racy::load_16(line + offset));
    const __m128 second = _mm_castsi128_ps(base::racy::load_16(line + offset + 16));
    const __m128 upper = _mm_shuffle_ps(first, second, _MM_SHUFFLE(3, 1, 3, 1));
    return _mm_srai_epi32(_mm_castps_si128(upper), 16);  // The tag, in range for the pack.
  };
  const __m128i tags = _mm_packs_epi32(upper_halves(0), upper_halves(32));
  const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
  const int lanes = _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
  return static_cast<unsigned>(lanes) >> 1U;  // The first lane is the head's.
}

#endif

}  // namespace ashlar::memory
