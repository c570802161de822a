// What the parts of the cache rely on: words of slots that tell what they are, lists that keep
// their order, heat that rises to its most and no further.

#include "table/cache/entry.h"

#include <gtest/gtest.h>

#include <array>

namespace ashlar::table {
namespace {

TEST(SlotWord, TellsAnAddressAndItsKind) {
  alignas(64) char block[64];
  for (const std::uint64_t kind : {kSlotFrame, kSlotLoading, kSlotOwn}) {
    const std::uint64_t word = slot_word_of(block, kind);
    EXPECT_EQ(word & kSlotKindMask, kind);
    EXPECT_EQ(address_in<char>(word), block);
    EXPECT_EQ(is_block_in(word), kind != kSlotLoading);
  }
  EXPECT_FALSE(is_block_in(kSlotEmpty));
  EXPECT_FALSE(is_block_in(std::uint64_t{7} << kSlotKindBits));
}

TEST(Heat, RisesToItsMost) {
  Heat heat{0};
  for (int i = 1; i <= 10; ++i) {
    touch(heat);
    EXPECT_EQ(heat.load(), std::min<int>(i, kHeatMax));
  }
}

TEST(EntryList, KeepsTheOrderInWhichEntriesCame) {
  std::array<CacheEntry, 4> entries;
  EntryList list;
  EXPECT_EQ(list.pop_front(), nullptr);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].bytes = i + 1;
    list.push_back(entries[i]);
  }
  EXPECT_EQ(list.count(), 4U);
  EXPECT_EQ(list.bytes(), 10U);
  list.remove(entries[1]);  // From the middle,
  list.remove(entries[3]);  // and the end.
  EXPECT_EQ(list.bytes(), 4U);
  EXPECT_EQ(list.pop_front(), entries.data());
  EXPECT_EQ(list.pop_front(), &entries[2]);
  EXPECT_TRUE(list.empty());
  list.push_back(entries[3]);
  EXPECT_EQ(list.front(), &entries[3]);
}

TEST(EntryListDeathTest, RefusesToRemoveFromAnEmptyList) {
  EntryList list;
  CacheEntry entry;
  EXPECT_DEATH(list.remove(entry), "the list that it is in");
}

}  // namespace
}  // namespace ashlar::table
