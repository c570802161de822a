// A word never falls, tells each announcement from the one before, and forgets none.

#include "txn/conflict_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace ashlar::txn {
namespace {

TEST(ConflictTable, KeepsTheHighestStamp) {
  ConflictTable table(4096, 7);
  const std::size_t slot = table.slot_of("key");
  EXPECT_EQ(ConflictTable::stamp_in(table.word(slot)), 0U);
  const auto first = table.announce(slot, 10);
  EXPECT_EQ(ConflictTable::stamp_in(first.before), 0U);
  EXPECT_EQ(first.now, table.word(slot));
  const auto lower = table.announce(slot, 9);
  EXPECT_EQ(lower.before, first.now);
  EXPECT_EQ(ConflictTable::stamp_in(lower.now), 10U);
  EXPECT_NE(lower.now, first.now) << "it was announced";
  (void)table.announce(slot, ConflictTable::kStampMax);
  EXPECT_EQ(ConflictTable::stamp_in(table.word(slot)), ConflictTable::kStampMax);
}

TEST(ConflictTable, TellsManyAnnouncementsOfOneStampApart) {
  ConflictTable table(1, 7);
  auto last = table.announce(0, 3);
  for (int i = 0; i < 100'000; ++i) {
    const auto next = table.announce(0, 3);
    ASSERT_EQ(next.before, last.now);
    ASSERT_NE(next.now, last.now);
    ASSERT_EQ(ConflictTable::stamp_in(next.now), 3U) << "the count stays out of the stamp";
    last = next;
  }
}

// X1: what two threads announce at once, both find there.
TEST(ConflictTable, LosesNoAnnouncementOfManyThreads) {
  ConflictTable table(2, 7);
  constexpr Sequence kCount = 20'000;
  {
    std::vector<std::jthread> threads;
    for (Sequence thread = 0; thread < 3; ++thread) {
      threads.emplace_back([&table, thread] {
        for (Sequence i = 1; i <= kCount; ++i) {
          const Sequence stamp = 3 * i + thread;
          const auto [before, now] = table.announce(0, stamp);
          ASSERT_GE(ConflictTable::stamp_in(now), stamp);
          ASSERT_GE(ConflictTable::stamp_in(now), ConflictTable::stamp_in(before));
        }
      });
    }
  }
  EXPECT_EQ(ConflictTable::stamp_in(table.word(0)), 3 * kCount + 2);
  EXPECT_EQ(table.word(1), 0U);
}

}  // namespace
}  // namespace ashlar::txn
