// Memory that one memtable leaves to the next: it is counted all the time, and nothing of the first
// is seen in the second.

#include "lsm/memtable/spare_arenas.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/hash.h"
#include "lsm/memtable/memtable.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kStep = Arena::kStepBytes;

struct SpareRig {
  /// Writes `count` rows into a memtable, looks for each and for as many that are not there.
  void use_memtable(std::uint64_t first, std::uint64_t count) {
    const auto table = *Memtable::make(spares);
    const auto key_of = [](std::uint64_t i) { return "key-" + std::to_string(i); };
    for (std::uint64_t i = first; i < first + count; ++i) {
      const std::string key = key_of(i);
      const std::string value = std::to_string(i * i);
      const engine::Operation put{.key = key, .value = value};
      ASSERT_TRUE(table->reserve({&put, 1}).has_value());
      table->insert(put, base::hash_key(key, 1), i + 1);
    }
    for (std::uint64_t i = first; i < first + 2 * count; ++i) {
      const std::string key = key_of(i);
      const auto found = table->get(key, base::hash_key(key, 1), first + count);
      ASSERT_EQ(found.has_value(), i < first + count) << key;
      if (!found) continue;
      ASSERT_EQ(found->value, std::to_string(i * i));
    }
    table->check();
  }

  base::MemoryBudget budget{64 * kStep};
  SpareArenas spares{budget, 16 * kStep, 8 * kStep};
};

// Q4: the second one finds the memory of the first, and none of its rows, at each growth of its
// index.
TEST(SpareArenas, AMemtableSeesNothingOfTheOneBefore) {
  SpareRig rig;
  rig.use_memtable(0, 20'000);
  const std::size_t kept_bytes = rig.budget.used_bytes();
  EXPECT_GT(kept_bytes, 0U);
  rig.use_memtable(1'000'000, 20'000);
  EXPECT_EQ(rig.budget.used_bytes(), kept_bytes);
  rig.use_memtable(2'000'000, 30);
  rig.use_memtable(3'000'000, 40'000);
  EXPECT_GT(rig.budget.used_bytes(), kept_bytes);
}

// M2: what is kept is in nobody's way.
TEST(SpareArenas, GiveWayToWhoeverNeedsTheMemory) {
  SpareRig rig;
  rig.use_memtable(0, 100);
  const std::size_t kept_bytes = rig.budget.used_bytes();
  const std::size_t left = rig.budget.limit_bytes() - kept_bytes;
  ASSERT_TRUE(rig.budget.try_take(left));
  EXPECT_EQ(rig.budget.used_bytes(), kept_bytes + left) << "as long as there is enough for both";
  ASSERT_TRUE(rig.budget.try_take(1));
  EXPECT_EQ(rig.budget.used_bytes(), left + 1);
  EXPECT_FALSE(rig.budget.try_take(kept_bytes)) << "it gives way once";
  rig.budget.give_back(left + 1);
}

// Q4: one memtable's memory, however many come back.
TEST(SpareArenas, KeepsOnePair) {
  SpareRig rig;
  {
    const auto first = *Memtable::make(rig.spares);
    const auto second = *Memtable::make(rig.spares);
    const engine::Operation put{.key = "key", .value = "value"};
    ASSERT_TRUE(first->reserve({&put, 1}).has_value());
    ASSERT_TRUE(second->reserve({&put, 1}).has_value());
    EXPECT_EQ(rig.budget.used_bytes(), 4 * kStep);
  }
  EXPECT_EQ(rig.budget.used_bytes(), 2 * kStep);
}

// Q4: one that a commit has made long is not kept.
TEST(SpareArenas, KeepsNoneThatIsTooLong) {
  SpareRig rig;
  {
    const auto table = *Memtable::make(rig.spares);
    const std::string value(8 * kStep, 'v');
    const engine::Operation put{.key = "key", .value = value};
    ASSERT_TRUE(table->reserve({&put, 1}).has_value());
  }
  EXPECT_EQ(rig.budget.used_bytes(), 0U);
}

// What is handed out as zeroes is, be it fresh, used before or in part both.
TEST(SpareArenas, AnArenaThatIsBegunAnewHandsOutZeroes) {
  base::MemoryBudget budget(4 * kStep);
  auto arena = *Arena::make(budget, 4 * kStep);
  ASSERT_TRUE(arena.reserve(3 * kStep));
  std::memset(arena.allocate(1000), 0xab, 1000);
  arena.begin_anew();
  EXPECT_EQ(arena.used_bytes(), 0U);
  EXPECT_EQ(arena.taken_bytes(), 3 * kStep);
  arena.allocate(400);
  const std::string zeroes(2000, '\0');
  EXPECT_EQ(std::string_view(arena.allocate_zeroed(2000), 2000), zeroes);
  // Once more: what was touched the first time still counts.
  arena.begin_anew();
  arena.allocate(8);
  arena.begin_anew();
  EXPECT_EQ(std::string_view(arena.allocate_zeroed(2000), 2000), zeroes);
}

// What was given back in between counts as fresh.
TEST(SpareArenas, AnArenaThatGaveSomeBackIsBegunAnew) {
  base::MemoryBudget budget(4 * kStep);
  auto arena = *Arena::make(budget, 4 * kStep);
  ASSERT_TRUE(arena.reserve(3 * kStep));
  std::memset(arena.allocate(2 * kStep), 0xab, 2 * kStep);
  arena.begin_anew();
  arena.allocate(1000);
  arena.give_back_unused();
  arena.begin_anew();
  ASSERT_TRUE(arena.reserve(2 * kStep));
  const std::string zeroes(kStep, '\0');
  EXPECT_EQ(std::string_view(arena.allocate_zeroed(kStep), kStep), zeroes);
  EXPECT_EQ(std::string_view(arena.allocate_zeroed(kStep), kStep), zeroes);
}

}  // namespace
}  // namespace ashlar::lsm
