// What lookups rely on: a slot is found where its hash says, whether the index has grown, shrunk or
// chained in between.

#include "memory/hash_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "memory/heap/record_heap.h"

namespace ashlar::memory {
namespace {

constexpr std::uint64_t kSeed = 7;

/// An index over records of its own.
class Rig {
 public:
  Rig() : heap_(RecordHeap::make(budget_)), table_(HashTable::make(budget_, kSeed)) {}

  void insert(const std::string& key) {
    const Shape shape = Shape::of(key.size(), 0, 0);
    const Record record(heap_->allocate(magazines_, shape.record_bytes()));
    ASSERT_TRUE(record);
    record.fill(shape, key, "", engine::kNever);
    const std::uint64_t hash = base::hash_key(key, kSeed);
    ASSERT_TRUE(table_->overflow().reserve(1));
    Bucket& root = table_->lock(hash);
    const bool takes_overflow = table_->room_locked(root) == 0;
    table_->insert_locked(root, slot_of(record, hash));
    HashTable::unlock_changed(root);
    if (!takes_overflow) table_->overflow().unreserve(1);
    table_->follow(1);
  }

  void erase(const std::string& key) {
    const std::uint64_t hash = base::hash_key(key, kSeed);
    Bucket& root = table_->lock(hash);
    const SlotPlace place = table_->find_locked(root, tag_of(hash), key);
    ASSERT_TRUE(place);
    table_->erase_locked(root, place);
    HashTable::unlock_changed(root);
    table_->follow(-1);
  }

  bool contains(const std::string& key) {
    const std::uint64_t hash = base::hash_key(key, kSeed);
    Bucket& root = table_->lock(hash);
    const bool is_found = static_cast<bool>(table_->find_locked(root, tag_of(hash), key));
    HashTable::unlock_unchanged(root);
    return is_found;
  }

  std::size_t walked_slot_count() {
    std::size_t count = 0;
    table_->walk([&](Bucket& root) { table_->for_each_locked(root, [&](SlotPlace) { ++count; }); });
    return count;
  }

  base::MemoryBudget budget_{std::size_t{16} << 20U};
  Magazines magazines_;
  std::unique_ptr<RecordHeap> heap_;
  std::unique_ptr<HashTable> table_;
};

std::string key_of(int number) {
  return "key:" + std::to_string(number);
}

// H2, H3: after growth and after shrinking every slot lies where its hash says.
TEST(HashTable, FindsEverythingAfterItGrewAndShrank) {
  constexpr int kKeys =
      40'000;  // Enough for splits by bits that slots keep, and by bits that they do not.
  Rig rig;
  const std::size_t bytes_at_first = rig.table_->taken_bytes();
  for (int i = 0; i < kKeys; ++i) rig.insert(key_of(i));
  rig.table_->check();
  EXPECT_EQ(rig.table_->slot_count(), static_cast<std::uint64_t>(kKeys));
  EXPECT_EQ(rig.walked_slot_count(), static_cast<std::size_t>(kKeys));
  EXPECT_GT(rig.table_->taken_bytes(), bytes_at_first);
  for (int i = 0; i < kKeys; ++i) ASSERT_TRUE(rig.contains(key_of(i)));
  EXPECT_FALSE(rig.contains(key_of(kKeys)));

  const std::size_t bytes_at_most = rig.table_->taken_bytes();
  for (int i = 100; i < kKeys; ++i) rig.erase(key_of(i));
  rig.table_->check();
  EXPECT_LT(rig.table_->taken_bytes(), bytes_at_most);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(rig.contains(key_of(i)));
  EXPECT_EQ(rig.walked_slot_count(), 100U);
}

// H2: a chain of several buckets stays compact whichever of its slots goes.
TEST(HashTable, KeepsChainsCompact) {
  Rig rig;
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 40; ++i) {
    if (base::hash_key(key_of(i), kSeed) % 512 == 5) keys.push_back(key_of(i));
  }
  for (const std::string& key : keys) rig.insert(key);
  rig.table_->check();
  std::set<std::string> left(keys.begin(), keys.end());
  for (std::size_t i = 0; i < keys.size(); i += 1) {
    const std::string& key = keys[i * 17 % keys.size()];
    rig.erase(key);
    left.erase(key);
    rig.table_->check();
    for (const std::string& other : left) ASSERT_TRUE(rig.contains(other));
  }
}

// H1: the version moves with a change and only then; a held bucket is not had twice.
TEST(HashTable, TellsReadersOfChanges) {
  Rig rig;
  Bucket& root = rig.table_->lock(3);
  const std::uint64_t held_head = root.head.load();
  EXPECT_NE(held_head & kLockBit, 0U);
  EXPECT_EQ(rig.table_->try_lock(3), nullptr);
  HashTable::unlock_unchanged(root);
  EXPECT_EQ(root.head.load(), held_head & ~kLockBit);
  ASSERT_EQ(rig.table_->try_lock(3), &root);
  HashTable::unlock_changed(root);
  EXPECT_EQ(root.head.load(), (held_head & ~kLockBit) + kVersionStep);
}

// A thread that erases may report before the one that has added: less than nothing is not much.
TEST(HashTable, DoesNotGrowWhileErasesAreHeardOfFirst) {
  Rig rig;
  const std::size_t bytes_at_first = rig.table_->taken_bytes();
  for (int i = 0; i < 100; ++i) rig.table_->follow(-1);
  EXPECT_EQ(rig.table_->taken_bytes(), bytes_at_first);
  rig.table_->follow(100);
  EXPECT_EQ(rig.table_->slot_count(), 0U);
  EXPECT_EQ(rig.table_->taken_bytes(), bytes_at_first);
}

// H3: a bucket that a hash does not belong to is not locked for it.
TEST(HashTable, LocksOnlyTheBucketThatAHashBelongsTo) {
  Rig rig;
  Bucket& root = rig.table_->root_of(4);
  EXPECT_FALSE(rig.table_->lock_root(root, 5));
  EXPECT_EQ(root.head.load() & kLockBit, 0U);
  EXPECT_TRUE(rig.table_->lock_root(root, 4));
  HashTable::unlock_unchanged(root);
}

}  // namespace
}  // namespace ashlar::memory
