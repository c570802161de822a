// What lookups rely on: slots keep address and tag apart, and the quick search for a tag finds what
// the plain one finds.

#include "memory/bucket.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::memory {
namespace {

// H2: random buckets, filled from the front, with few tags so that they repeat.
TEST(Bucket, FindsTheSlotsThatThePlainSearchFinds) {
  testing::Random random(testing::seed());
  Bucket bucket{};
  for (int round = 0; round < 5000; ++round) {
    const std::uint64_t filled = random.below(kSlotsPerBucket + 1);
    for (unsigned i = 0; i < kSlotsPerBucket; ++i) {
      const std::uint64_t tag = random.chance(20) ? random.next() & 0xffff : random.below(4);
      const std::uint64_t address = (random.next() & 0xfff'ffff'ffff) | 1;
      bucket.slots[i].store(i < filled ? tag << 48U | address : 0);
    }
    bucket.head.store(random.next());
    for (std::uint16_t tag = 1; tag < 5; ++tag) {
      ASSERT_EQ(match_tag(bucket, tag), match_tag_plain(bucket, tag)) << "tag " << tag;
    }
    const unsigned zero = match_tag(bucket, 0);
    ASSERT_EQ(zero & match_tag_plain(bucket, 0), match_tag_plain(bucket, 0));
    ASSERT_EQ(zero & ~match_tag_plain(bucket, 0) & ((1U << filled) - 1), 0U)
        << "tag 0 names empty slots at most beyond its own";
  }
}

TEST(Bucket, PacksAddressAndHashIntoASlot) {
  alignas(16) char memory[16];
  for (const std::uint64_t hash :
       {std::uint64_t{0}, UINT64_MAX, std::uint64_t{0xfedc'ba98'7654'3210}}) {
    const std::uint64_t slot = slot_of(Record(memory), hash);
    EXPECT_NE(slot, 0U);
    EXPECT_EQ(record_of(slot).address(), memory);
    EXPECT_EQ(tag_of_slot(slot), tag_of(hash));
    for (unsigned bit = 0; bit < 64; ++bit) {
      if (!is_bit_in_slot(bit)) continue;
      EXPECT_EQ(hash_bit_of_slot(slot, bit), (hash >> bit & 1U) != 0) << "bit " << bit;
    }
  }
}

TEST(Bucket, KeepsLockVersionAndOverflowApart) {
  EXPECT_EQ(kOverflowMask & kLockBit, 0U);
  EXPECT_EQ(kLockBit << 1U, kVersionStep);
}

}  // namespace
}  // namespace ashlar::memory
