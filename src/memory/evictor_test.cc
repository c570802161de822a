// What the engine relies on when it asks whom to evict: new keys go first, read ones stay, and one
// that comes back soon after goes straight among those that stay.

#include "memory/evictor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>

namespace ashlar::memory {
namespace {

using Found = Evictor::Found;

constexpr std::size_t kBudgetBytes = std::size_t{4} << 20U;

// Hashes that differ where buckets and tags are chosen.
Handle handle_of(std::uint64_t number) {
  return Handle::of(number * 0x9e37'79b9'7f4a'7c15U, 128);
}

std::uint64_t evict_one(Evictor& evictor) {
  while (const auto candidate = evictor.pick()) {
    if (!evictor.judge(*candidate, Found::kCold)) continue;
    evictor.remember(*candidate);
    return candidate->handle.word();
  }
  return 0;
}

TEST(Handle, KeepsTheHashThatChoosesTheBucketAndARoundedSize) {
  constexpr std::uint64_t kHash = 0xabcd'12ff'3456'789aU;
  constexpr std::uint64_t kKept = 0xffff'00ff'ffff'ffffU;
  for (const std::size_t bytes : {std::size_t{16}, std::size_t{100}, kSlabBytesMax}) {
    const Handle handle = Handle::of(kHash, bytes);
    EXPECT_EQ(handle.hash(), kHash & kKept);
    EXPECT_EQ(handle.bytes(), size_of_class(size_class_of(bytes)));
    EXPECT_EQ(Handle(handle.word()).fingerprint(), handle.fingerprint());
  }
  EXPECT_GT(Handle::of(kHash, kSlabBytesMax + 1).bytes(), kSlabBytesMax);
}

TEST(Heat, CountsUpToItsMost) {
  auto region = base::Reservation::make(Heat::bytes_for(4096));
  ASSERT_TRUE(region.has_value());
  Heat heat(std::move(*region));
  for (int i = 0; i < 10; ++i) heat.touch(128);
  EXPECT_EQ(heat.of(128), Heat::kMax);
  EXPECT_EQ(heat.of(64), 0);
  EXPECT_EQ(heat.of(192), 0);
  heat.set(128, 1);
  EXPECT_EQ(heat.of(128), 1);
}

TEST(Evictor, HasNobodyToNameWhenEmpty) {
  base::MemoryBudget budget(kBudgetBytes);
  Evictor evictor(budget);
  EXPECT_FALSE(evictor.pick().has_value());
}

TEST(Evictor, NamesColdKeysInTheOrderInWhichTheyCame) {
  base::MemoryBudget budget(kBudgetBytes);
  Evictor evictor(budget);
  for (std::uint64_t i = 1; i <= 100; ++i) evictor.admit(handle_of(i));
  EXPECT_EQ(evictor.count(), 100U);
  for (std::uint64_t i = 1; i <= 100; ++i) EXPECT_EQ(evict_one(evictor), handle_of(i).word());
  EXPECT_EQ(evictor.count(), 0U);
}

TEST(Evictor, DecidesByHeatAndByQueue) {
  base::MemoryBudget budget(kBudgetBytes);
  Evictor evictor(budget);
  const Evictor::Candidate small{.handle = handle_of(1), .is_in_main = false};
  const Evictor::Candidate main{.handle = handle_of(2), .is_in_main = true};
  EXPECT_TRUE(evictor.judge(small, Found::kCold));
  EXPECT_TRUE(evictor.judge(small, Found::kWarm));
  EXPECT_TRUE(evictor.judge(main, Found::kCold));
  EXPECT_FALSE(evictor.judge(small, Found::kGone));
  EXPECT_EQ(evictor.count(), 0U);
  EXPECT_FALSE(evictor.judge(small, Found::kHot));
  EXPECT_FALSE(evictor.judge(small, Found::kPinned));
  EXPECT_FALSE(evictor.judge(main, Found::kWarm));
  EXPECT_EQ(evictor.count(), 3U);
  while (const auto candidate = evictor.pick()) EXPECT_TRUE(candidate->is_in_main);
}

TEST(Evictor, TakesAKeyThatComesBackSoonStraightToMain) {
  base::MemoryBudget budget(kBudgetBytes);
  Evictor evictor(budget);
  for (std::uint64_t i = 1; i <= 100; ++i) evictor.admit(handle_of(i));
  ASSERT_EQ(evict_one(evictor), handle_of(1).word());
  evictor.admit(handle_of(1));
  std::set<std::uint64_t> in_main;
  while (const auto candidate = evictor.pick()) {
    if (candidate->is_in_main) in_main.insert(candidate->handle.word());
  }
  EXPECT_EQ(in_main, std::set<std::uint64_t>{handle_of(1).word()});
}

// M1: without memory for the queue a key is not taken in, and nothing breaks.
TEST(Evictor, ForgetsKeysThatItHasNoRoomFor) {
  base::MemoryBudget budget(base::ChunkedQueue::kChunkBytes);
  Evictor evictor(budget);
  for (std::uint64_t i = 1; i <= 1000; ++i) evictor.admit(handle_of(i));
  EXPECT_EQ(evictor.count(), base::ChunkedQueue::kChunkWords);
}

}  // namespace
}  // namespace ashlar::memory
