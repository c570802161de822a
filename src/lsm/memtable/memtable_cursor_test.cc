// What a scan relies on: a walk in any manner shows what an ordered map of the versions shows.

#include "lsm/memtable/memtable_cursor.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "engine/view.h"
#include "lsm/memtable/memtable_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

const MemtableCursor& checked(const engine::RowCursor& cursor) {
  const auto& memtable_cursor = dynamic_cast<const MemtableCursor&>(cursor);
  memtable_cursor.check();
  return memtable_cursor;
}

/// A cursor beside an iterator of the map; every move is made by both.
class Pair {
 public:
  Pair(const MemtableRig& rig, Sequence sequence)
      : rows_(rig.rows_at(sequence)), cursor_(*rig.table->cursor(sequence)), at_(rows_.end()) {}

  /// One random move, to `probe` where it is a seek.
  void move(testing::Random& random, const std::string& probe) {
    const auto choice = random.below(at_ == rows_.end() ? 4 : 24);
    if (choice == 0) first();
    if (choice == 1) last();
    if (choice == 2) seek(probe);
    if (choice == 3) seek_for_previous(probe);
    if (choice >= 4 && choice < 14) next();
    if (choice >= 14) previous();
  }

  void first() { cursor_->seek_to_first(), at_ = rows_.begin(); }
  void last() { cursor_->seek_to_last(), at_ = before(rows_.end()); }
  void seek(const std::string& key) { cursor_->seek(key), at_ = rows_.lower_bound(key); }
  void seek_for_previous(const std::string& key) {
    cursor_->seek_for_previous(key), at_ = before(rows_.upper_bound(key));
  }
  void next() { cursor_->next(), ++at_; }
  void previous() { cursor_->previous(), at_ = before(at_); }

  void expect_agrees() const {
    checked(*cursor_);
    ASSERT_EQ(cursor_->is_valid(), at_ != rows_.end());
    ASSERT_TRUE(cursor_->status().has_value());
    if (at_ == rows_.end()) return;
    ASSERT_EQ(cursor_->key(), at_->first);
    ASSERT_EQ(row_of(*cursor_), at_->second);
  }

 private:
  Rows::const_iterator before(Rows::const_iterator at) const {
    return at == rows_.begin() ? rows_.end() : std::prev(at);
  }

  const Rows rows_;
  std::unique_ptr<engine::RowCursor> cursor_;
  Rows::const_iterator at_;
};

/// N9: random moves at random sequences, over as many runs as random looks have left.
void expect_walks_as_a_map(Hashing hashing, std::uint64_t stream) {
  testing::Random random(testing::seed(), stream);
  MemtableRig rig(hashing);
  const auto keys = awkward_keys(random, 400);
  for (int round = 0; round < 30; ++round) {
    rig.commit_random(random, keys, static_cast<int>(random.between(1, 30)));
    Pair pair(rig, random.between(0, rig.sequence));
    for (int step = 0; step < 200; ++step) {
      pair.move(random, keys[random.below(keys.size())]);
      ASSERT_NO_FATAL_FAILURE(pair.expect_agrees()) << "round " << round << " step " << step;
    }
  }
  rig.table->check();
}

TEST(MemtableCursor, WalksAsAMapDoes) {
  expect_walks_as_a_map(Hashing::kGood, 1);
}

TEST(MemtableCursor, WalksAsAMapDoesWhereAllHashesCollide) {
  expect_walks_as_a_map(Hashing::kConstant, 2);
}

// N9: there and back at each key, over several runs: every turn.
TEST(MemtableCursor, TurnsRoundAtEveryKey) {
  MemtableRig rig;
  for (int i = 0; i < 60; ++i) {
    rig.put(std::to_string(i * 17 % 60), "v");
    if (i == 30 || i == 45 || i == 50) static_cast<void>(*rig.table->cursor(rig.sequence));
  }
  Pair pair(rig, rig.sequence);
  pair.first();
  for (int i = 0; i + 1 < 60; ++i) {
    pair.next();
    ASSERT_NO_FATAL_FAILURE(pair.expect_agrees());
    pair.previous();
    ASSERT_NO_FATAL_FAILURE(pair.expect_agrees());
    pair.next();
  }
  pair.next();
  pair.expect_agrees();
}

TEST(MemtableCursor, IsNotValidOverNothing) {
  MemtableRig rig;
  const auto empty = *rig.table->cursor(1);
  for (const auto& move : {&engine::RowCursor::seek_to_first, &engine::RowCursor::seek_to_last}) {
    (*empty.*move)();
    EXPECT_FALSE(empty->is_valid());
  }
  empty->seek("a");
  EXPECT_FALSE(empty->is_valid());
  empty->seek_for_previous("a");
  EXPECT_FALSE(empty->is_valid());
}

// C1: what is newer than the cursor is not there, and what came after it was made is neither.
TEST(MemtableCursor, DoesNotShowWhatIsNewer) {
  MemtableRig rig;
  rig.put("b", "old");
  rig.put("a", "new");
  rig.put("b", "new");
  const auto cursor = *rig.table->cursor(1);
  rig.put("c", "later");
  cursor->seek_to_first();
  ASSERT_TRUE(cursor->is_valid());
  EXPECT_EQ(cursor->key(), "b");
  EXPECT_EQ(cursor->value(), "old");
  cursor->next();
  EXPECT_FALSE(cursor->is_valid());
}

// What a flush writes: all keys ascending, the newest version of each, erases included.
TEST(MemtableCursor, ShowsAFlushEverything) {
  testing::Random random(testing::seed());
  MemtableRig rig;
  const auto keys = awkward_keys(random, 300);
  rig.commit_random(random, keys, 2000);
  const auto cursor = *rig.table->cursor(engine::View::kLatestSequence);
  Rows shown;
  std::string before;
  for (cursor->seek_to_first(); cursor->is_valid(); cursor->next()) {
    ASSERT_LT(before, cursor->key());
    before = cursor->key();
    shown[before] = row_of(*cursor);
  }
  EXPECT_EQ(shown, rig.rows_at(rig.sequence));
  EXPECT_EQ(shown.size(), rig.table->row_count());
}

TEST(MemtableCursorDeathTest, AbortsWhenItIsAskedForNoRow) {
  MemtableRig rig;
  const auto cursor = *rig.table->cursor(1);
  EXPECT_DEATH(cursor->next(), "stands on a row");
  EXPECT_DEATH(static_cast<void>(cursor->key()), "only a valid cursor is read");
}

}  // namespace
}  // namespace ashlar::lsm
