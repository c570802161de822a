// What lookups rely on: a key that was added is found, whatever its hash, however the index grows.

#include "lsm/memtable/hash_index.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/hash.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20U;
constexpr std::uint64_t kFirstGrowth = 5 << 10U;  // Keys that the first generation holds.

struct Rig {
  Rig() { EXPECT_TRUE(arena.reserve(kBytes)); }

  /// Adds the key number `count`, whose place is its number.
  void add(std::uint64_t hash) {
    ++count;
    index.grow(count);
    index.add(hash, count);
  }
  Place find(std::uint64_t hash, Place key) const {
    return index.find(hash, [key](Place place) { return place == key; });
  }

  base::MemoryBudget budget{kBytes};
  Arena arena = *Arena::make(budget, kBytes);
  HashIndex index{arena};
  Place count = 0;
};

TEST(HashIndex, FindsNothingBeforeTheFirstKey) {
  Rig rig;
  EXPECT_EQ(rig.find(1, 1), kNowhere);
  rig.index.prefetch(1);
  rig.index.check(0);
}

// N3, N4, N5: through several growths, each key right after it was added, and all in between.
TEST(HashIndex, FindsEveryKeyWhileItGrows) {
  testing::Random random(testing::seed());
  Rig rig;
  std::vector<std::uint64_t> hashes{0};
  for (std::uint64_t i = 1; i <= 9 * kFirstGrowth; ++i) {
    hashes.push_back(random.next());
    rig.add(hashes.back());
    ASSERT_EQ(rig.find(hashes.back(), rig.count), rig.count);
    const auto other = static_cast<Place>(random.between(1, i));
    ASSERT_EQ(rig.find(hashes[other], other), other) << "after " << i;
    if (i % 1000 == 0) rig.index.check(i);
  }
  for (Place key = 1; key <= rig.count; ++key) ASSERT_EQ(rig.find(hashes[key], key), key);
  EXPECT_EQ(rig.find(random.next(), rig.count + 1), kNowhere);
}

// N3: keys that all have one home lie in the buckets after it, around the end too.
TEST(HashIndex, FindsKeysThatCollide) {
  for (const std::uint64_t hash : {std::uint64_t{0}, std::uint64_t{0xffff'ffff}}) {
    Rig rig;
    for (int i = 0; i < 300; ++i) rig.add(hash);
    for (Place key = 1; key <= rig.count; ++key) ASSERT_EQ(rig.find(hash, key), key);
    EXPECT_EQ(rig.find(hash, rig.count + 1), kNowhere);
    EXPECT_EQ(rig.find(hash ^ 1U, 1), kNowhere);
    rig.index.check(rig.count);
  }
}

// N5: growth for far more than was there, in the middle of another growth.
TEST(HashIndex, GrowsForManyAtOnce) {
  testing::Random random(testing::seed());
  Rig rig;
  std::vector<std::uint64_t> hashes{0};
  for (std::uint64_t i = 0; i < kFirstGrowth + 10; ++i) rig.add(hashes.emplace_back(random.next()));
  rig.index.grow(40 * kFirstGrowth);
  rig.index.check(rig.count);
  for (Place key = 1; key <= rig.count; ++key) ASSERT_EQ(rig.find(hashes[key], key), key);
  rig.index.grow(100 * kFirstGrowth);
  for (Place key = 1; key <= rig.count; ++key) ASSERT_EQ(rig.find(hashes[key], key), key);
  rig.index.check(rig.count);
}

// What a growth takes is what was announced, and nothing where there is room.
TEST(HashIndex, TakesWhatItAnnounces) {
  Rig rig;
  for (const std::uint64_t keys : {std::uint64_t{1}, kFirstGrowth + 1, 3 * kFirstGrowth}) {
    const std::size_t before = rig.arena.used_bytes();
    const std::size_t announced = rig.index.growth_bytes(keys);
    EXPECT_GT(announced, 0U);
    rig.index.grow(keys);
    EXPECT_EQ(rig.arena.used_bytes() - before, announced);
    EXPECT_EQ(rig.index.growth_bytes(keys), 0U);
  }
}

TEST(HashIndexDeathTest, RefusesAKeyBeforeItHasGrown) {
  Rig rig;
  EXPECT_DEATH(rig.index.add(1, 1), "N4");
}

}  // namespace
}  // namespace ashlar::lsm
