// What the memtable relies on: reserved room is there, what was handed out stays, and the budget
// gets back exactly what was taken.

#include "lsm/memtable/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace ashlar::lsm {
namespace {

constexpr std::size_t kStep = Arena::kStepBytes;

// Q2: pieces of all sizes keep what was written to them, and are zeroes before.
TEST(Arena, KeepsWhatWasWritten) {
  base::MemoryBudget budget(8 * kStep);
  auto arena = *Arena::make(budget, 8 * kStep);
  std::vector<std::pair<char*, std::size_t>> pieces;
  for (std::size_t bytes = 1; bytes < 1500; bytes += 3) {
    ASSERT_TRUE(arena.reserve(bytes));
    char* const piece = arena.allocate(bytes);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(piece) % Arena::kAlignmentBytes, 0U);
    ASSERT_EQ(piece[0], 0);
    ASSERT_EQ(piece[bytes - 1], 0);
    std::memset(piece, static_cast<int>(bytes % 251 + 1), bytes);
    pieces.emplace_back(piece, bytes);
  }
  for (const auto& [piece, bytes] : pieces) {
    EXPECT_EQ(piece[0], static_cast<char>(bytes % 251 + 1));
    EXPECT_EQ(piece[bytes - 1], static_cast<char>(bytes % 251 + 1));
  }
}

// Q3, M1: room is taken in steps, ahead of use, and used up to its last byte.
TEST(Arena, TakesRoomInStepsAheadOfUse) {
  base::MemoryBudget budget(4 * kStep);
  auto arena = *Arena::make(budget, 4 * kStep);
  EXPECT_EQ(budget.used_bytes(), 0U);
  ASSERT_TRUE(arena.reserve(1));
  EXPECT_EQ(budget.used_bytes(), kStep);
  ASSERT_TRUE(arena.reserve(kStep + 1));
  EXPECT_EQ(arena.taken_bytes(), 2 * kStep);
  arena.allocate(kStep);
  arena.allocate(kStep);
  EXPECT_EQ(arena.used_bytes(), 2 * kStep);
  EXPECT_EQ(budget.used_bytes(), 2 * kStep);
}

// M1: a refusal changes nothing, whether the budget or the addresses have run out.
TEST(Arena, RefusesWithoutTakingAnything) {
  base::MemoryBudget budget(2 * kStep);
  auto arena = *Arena::make(budget, 3 * kStep);
  ASSERT_TRUE(arena.reserve(kStep));
  EXPECT_FALSE(arena.reserve(2 * kStep + 1));
  EXPECT_TRUE(arena.has_addresses(3 * kStep));
  EXPECT_FALSE(arena.has_addresses(3 * kStep + 1));
  EXPECT_FALSE(arena.reserve(SIZE_MAX));
  EXPECT_EQ(budget.used_bytes(), kStep);
  EXPECT_TRUE(arena.reserve(2 * kStep));
}

// M1: the budget has everything back, from where the arena was moved to, once.
TEST(Arena, GivesBackExactlyWhatItTook) {
  base::MemoryBudget budget(4 * kStep);
  {
    auto arena = *Arena::make(budget, 4 * kStep);
    ASSERT_TRUE(arena.reserve(3 * kStep));
    arena.allocate(10);
    arena.give_back_down_to(kStep);
    EXPECT_EQ(budget.used_bytes(), kStep);
    const Arena other = std::move(arena);
    EXPECT_EQ(other.used_bytes(), 16U);
    EXPECT_EQ(budget.used_bytes(), kStep);
  }
  EXPECT_EQ(budget.used_bytes(), 0U);
}

TEST(ArenaDeathTest, RefusesWhatWasNotReserved) {
  base::MemoryBudget budget(kStep);
  auto arena = *Arena::make(budget, kStep);
  EXPECT_DEATH(arena.allocate(1), "Q3");
}

// Q2, M1: what was handed out stays; the rest is no longer counted, and can be taken again.
TEST(Arena, GivesBackWhatIsNotUsed) {
  base::MemoryBudget budget(8 * Arena::kStepBytes);
  auto arena = Arena::make(budget, 4 * Arena::kStepBytes);
  ASSERT_TRUE(arena.has_value());
  arena->give_back_unused();
  EXPECT_EQ(budget.used_bytes(), 0U);
  ASSERT_TRUE(arena->reserve(Arena::kPageBytes + 8));
  char* const first = arena->allocate(Arena::kPageBytes + 8);
  std::memset(first, 'x', Arena::kPageBytes + 8);
  arena->give_back_unused();
  EXPECT_EQ(budget.used_bytes(), 2 * Arena::kPageBytes);
  EXPECT_EQ(arena->taken_bytes(), budget.used_bytes());
  EXPECT_EQ(std::string_view(first, Arena::kPageBytes + 8),
            std::string(Arena::kPageBytes + 8, 'x'));
  ASSERT_TRUE(arena->reserve(3 * Arena::kStepBytes));
  EXPECT_EQ(arena->taken_bytes() % Arena::kStepBytes, 0U);
  const char* const second = arena->allocate(3 * Arena::kStepBytes);
  EXPECT_EQ(std::string_view(second, 100), std::string(100, '\0')) << "it reads as zeroes";
}

}  // namespace
}  // namespace ashlar::lsm
