// What scans rely on: once prepared, the tree knows every key of the index, and every change after
// that by its note.

#include "memory/order/ordered_side.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"

namespace ashlar::memory {
namespace {

constexpr std::uint64_t kSeed = 7;

class Rig {
 public:
  /// Adds a slot and leaves the note, as a write does.
  void add(const std::string& key) {
    const std::uint64_t hash = base::hash_key(key, kSeed);
    const std::uint32_t era = side_.era();
    KeyNode* const note = era == 0 ? nullptr : side_.make_note(local_, key, hash);
    const Shape shape = Shape::of(key.size(), 0, 0);
    const Record record(records_->allocate(local_.records, shape.record_bytes()));
    ASSERT_TRUE(record);
    record.fill(shape, key, "", engine::kNever);
    Bucket& root = table_->lock(hash);
    ASSERT_GT(table_->room_locked(root), 0U);
    table_->insert_locked(root, slot_of(record, hash));
    if (note != nullptr) side_.note_added(note, era);
    HashTable::unlock_changed(root);
  }

  void remove(const std::string& key) {
    const std::uint64_t hash = base::hash_key(key, kSeed);
    Bucket& root = table_->lock(hash);
    table_->erase_locked(root, table_->find_locked(root, tag_of(hash), key));
    side_.note_removed(local_, key, hash);
    HashTable::unlock_changed(root);
  }

  std::vector<std::string> keys() const {
    KeyList list;
    std::vector<std::string> result;
    KeyTree::Position position;
    if (!side_.collect_from("", 1000, list, position)) return {"not active"};
    for (std::size_t i = 0; i < list.entries.size(); ++i) result.emplace_back(list.key(i));
    return result;
  }

  base::MemoryBudget budget_{std::size_t{32} << 20U};
  Local local_{budget_};
  std::unique_ptr<RecordHeap> records_ = RecordHeap::make(budget_);
  std::unique_ptr<RecordHeap> nodes_ = RecordHeap::make(budget_);
  std::unique_ptr<HashTable> table_ = HashTable::make(budget_, kSeed);
  OrderedSide side_{*nodes_, *table_};
};

using Keys = std::vector<std::string>;

TEST(OrderedSide, CostsNothingUntilSomebodyScans) {
  Rig rig;
  rig.add("a");
  EXPECT_FALSE(rig.side_.is_active());
  EXPECT_EQ(rig.side_.charged_bytes(), 0U);
  EXPECT_EQ(rig.nodes_->taken_bytes(), 0U);
  KeyList list;
  KeyTree::Position position;
  EXPECT_FALSE(rig.side_.collect_from("", 1, list, position));
  EXPECT_FALSE(rig.side_.collect_before(nullptr, 1, list));
}

// S1: the tree is built from what is in the index.
TEST(OrderedSide, KnowsTheKeysThatWereThereBefore) {
  Rig rig;
  for (const char* key : {"c", "a", "b"}) rig.add(key);
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  EXPECT_TRUE(rig.side_.is_active());
  EXPECT_EQ(rig.keys(), (Keys{"a", "b", "c"}));
  rig.side_.check(rig.local_);
}

// S1, S2: notes bring it up to date, in their order.
TEST(OrderedSide, FollowsTheNotes) {
  Rig rig;
  rig.add("b");
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  rig.add("a");
  rig.add("c");
  rig.remove("b");
  rig.remove("a");
  rig.add("a");
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  EXPECT_EQ(rig.keys(), (Keys{"a", "c"}));
  rig.side_.check(rig.local_);
}

// S1: notes for an era that is over change nothing of the next.
TEST(OrderedSide, ForgetsNotesOfAnEarlierEra) {
  Rig rig;
  rig.add("a");
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  const std::uint32_t old_era = rig.side_.era();
  KeyNode* const late = rig.side_.make_note(rig.local_, "x", base::hash_key("x", kSeed));
  rig.side_.clear(rig.local_);
  EXPECT_FALSE(rig.side_.is_active());
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  EXPECT_NE(rig.side_.era(), old_era);
  rig.side_.note_added(late, old_era);
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  EXPECT_EQ(rig.keys(), Keys{"a"});
}

// S1: dropped when the notes since the last scan outnumber the keys; all memory comes back.
TEST(OrderedSide, IsDroppedWhenNobodyScansAnyMore) {
  constexpr int kChanges = 50'001;
  Rig rig;
  rig.add("a");
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  for (int i = 0; i < kChanges; ++i) {
    rig.add("b");
    rig.remove("b");
    if (i % 1000 != 500) continue;
    rig.side_.maintain(rig.local_);
    ASSERT_TRUE(rig.side_.is_active());
  }
  rig.side_.maintain(rig.local_);
  EXPECT_FALSE(rig.side_.is_active());
  EXPECT_EQ(rig.side_.charged_bytes(), 0U);
  rig.nodes_->flush(rig.local_.nodes);
  EXPECT_EQ(rig.nodes_->taken_bytes(), 0U);
  ASSERT_TRUE(rig.side_.prepare(rig.local_));
  EXPECT_EQ(rig.keys(), Keys{"a"});
}

}  // namespace
}  // namespace ashlar::memory
