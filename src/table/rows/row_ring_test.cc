// Segments go round in their order, none is filled while somebody may see it, and memory goes back
// by whole chunks.

#include "table/rows/row_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>

namespace ashlar::table {
namespace {

class RowRingTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kBudgetBytes = 4 * RowRing::kChunkBytes;

  /// Opens segments until there is none. Returns: how many
  std::size_t open_all() {
    std::size_t count = 0;
    while (ring_.open_next()) ++count;
    return count;
  }
  void give_up_oldest() {
    const auto taken = ring_.take_oldest();
    ASSERT_TRUE(taken.has_value());
    ring_.retire(*taken);
  }

  base::MemoryBudget budget_{kBudgetBytes};
  base::EpochDomain domain_;
  RowRing ring_ = *RowRing::make(budget_, domain_);
};

TEST_F(RowRingTest, HasNothingWithoutACapacity) {
  EXPECT_FALSE(ring_.open_next());
  EXPECT_FALSE(ring_.append(8));
  EXPECT_EQ(budget_.used_bytes(), 0U);
}

TEST_F(RowRingTest, FillsASegmentFromFrontToBack) {
  ring_.set_capacity(1);
  ASSERT_TRUE(ring_.open_next());
  const std::uint64_t first = *ring_.append(1024);
  for (std::size_t at = 1024; at < RowRing::kSegmentBytes; at += 1024) {
    EXPECT_EQ(ring_.append(1024), first + at);
  }
  EXPECT_FALSE(ring_.append(8)) << "it is full";
  ring_.check();
}

// M1
TEST_F(RowRingTest, TakesMemoryByChunksAsFarAsItMay) {
  ring_.set_capacity(2);
  EXPECT_EQ(open_all(), 2 * RowRing::kSegmentsPerChunk);
  EXPECT_EQ(ring_.bytes(), 2 * RowRing::kChunkBytes);
  EXPECT_EQ(budget_.used_bytes(), ring_.bytes());
  ring_.set_capacity(100);
  EXPECT_EQ(open_all(), 2 * RowRing::kSegmentsPerChunk) << "the budget has two more";
  ring_.check();
}

// W20
TEST_F(RowRingTest, FillsNothingThatAGuardMaySee) {
  ring_.set_capacity(1);
  open_all();
  {
    const base::EpochGuard guard(domain_);
    give_up_oldest();
    EXPECT_TRUE(ring_.has_leaving());
    EXPECT_FALSE(ring_.open_next());
    ring_.check();
  }
  EXPECT_TRUE(ring_.open_next());
  EXPECT_FALSE(ring_.has_leaving());
}

TEST_F(RowRingTest, GivesUpTheOldestFirst) {
  ring_.set_capacity(1);
  ASSERT_TRUE(ring_.open_next());
  const std::uint64_t first = *ring_.append(8);
  open_all();
  EXPECT_TRUE(ring_.is_short());
  const auto taken = ring_.take_oldest();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->begin, first);
  EXPECT_EQ(taken->end, first + 8);
  ring_.retire(*taken);
}

// M1: of what is given up, whole chunks go back, and only when nobody sees them.
TEST_F(RowRingTest, GivesChunksBackThatAreTooMany) {
  ring_.set_capacity(3);
  open_all();
  ring_.set_capacity(1);
  {
    const base::EpochGuard guard(domain_);
    while (ring_.is_too_large()) give_up_oldest();
    ring_.reclaim();
    EXPECT_EQ(ring_.bytes(), 3 * RowRing::kChunkBytes);
  }
  ring_.reclaim();
  EXPECT_EQ(ring_.bytes(), RowRing::kChunkBytes);
  EXPECT_EQ(budget_.used_bytes(), ring_.bytes());
  ring_.check();
  ring_.set_capacity(0);
  while (ring_.is_too_large()) give_up_oldest();
  ring_.reclaim();
  EXPECT_EQ(budget_.used_bytes(), 0U);
  ring_.set_capacity(2);
  EXPECT_EQ(open_all(), 2 * RowRing::kSegmentsPerChunk) << "it can grow again";
  ring_.check();
}

}  // namespace
}  // namespace ashlar::table
