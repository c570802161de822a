// Rows of a snapshot with own writes over them, forward and backward, against a map.

#include "txn/overlay_cursor.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::txn {
namespace {

using Rows = std::map<std::string, std::string>;

/// Walks a range of a map.
class MapCursor final : public engine::Cursor {
 public:
  MapCursor(const Rows& all, const Range& range) {
    for (const auto& [key, value] : all) {
      if (key >= range.from && (!range.to || key < *range.to)) rows_[key] = value;
    }
    at_ = rows_.end();
  }
  void seek_to_first() override { at_ = rows_.begin(); }
  void seek_to_last() override { at_ = rows_.empty() ? rows_.end() : std::prev(rows_.end()); }
  void seek(std::string_view key) override { at_ = rows_.lower_bound(std::string(key)); }
  void seek_for_previous(std::string_view key) override {
    at_ = rows_.upper_bound(std::string(key));
    at_ = at_ == rows_.begin() ? rows_.end() : std::prev(at_);
  }
  void next() override { ++at_; }
  void previous() override { at_ = at_ == rows_.begin() ? rows_.end() : std::prev(at_); }
  bool is_valid() const noexcept override { return at_ != rows_.end(); }
  std::string_view key() const noexcept override { return at_->first; }
  std::string_view value() const noexcept override { return at_->second; }
  Result<void> status() const override { return {}; }

 private:
  Rows rows_;
  Rows::const_iterator at_;
};

std::string any_key(testing::Random& random) {
  return std::string(1 + random.below(2), static_cast<char>('a' + random.below(6)));
}

/// Takes the same steps on both.
void walk(testing::Random& random, engine::Cursor& ours, engine::Cursor& model) {
  for (int step = 0; step < 40; ++step) {
    const std::string key = any_key(random);
    const std::uint64_t dice = random.below(model.is_valid() ? 10 : 4);
    if (dice == 0) {
      ours.seek_to_first();
      model.seek_to_first();
    } else if (dice == 1) {
      ours.seek_to_last();
      model.seek_to_last();
    } else if (dice == 2) {
      ours.seek(key);
      model.seek(key);
    } else if (dice == 3) {
      ours.seek_for_previous(key);
      model.seek_for_previous(key);
    } else if (dice < 7) {
      ours.next();
      model.next();
    } else {
      ours.previous();
      model.previous();
    }
    ASSERT_EQ(ours.is_valid(), model.is_valid());
    if (!model.is_valid()) continue;
    ASSERT_EQ(ours.key(), model.key());
    ASSERT_EQ(ours.value(), model.value());
  }
}

TEST(OverlayCursor, WalksAsOneMapWould) {
  testing::Random random(testing::seed());
  for (int round = 0; round < 600; ++round) {
    Rows below;
    WriteSet writes;
    for (std::uint64_t i = random.below(12); i > 0; --i) below[any_key(random)] = "below";
    Rows merged = below;
    for (std::uint64_t i = random.below(8); i > 0; --i) {
      const std::string key = any_key(random);
      if (random.chance(40)) {
        writes.add({.kind = engine::OperationKind::kErase, .key = key, .value = {}});
        merged.erase(key);
      } else {
        writes.add({.key = key, .value = "own"});
        merged[key] = "own";
      }
    }
    Range range;
    if (random.chance(50)) range.from = any_key(random);
    if (random.chance(50)) range.to = any_key(random);
    std::size_t open_count = 0;
    PassedRange passed;
    {
      OverlayCursor ours({.range = range, .passed = &passed, .open_count = &open_count},
                         std::make_unique<MapCursor>(below, range), writes);
      EXPECT_EQ(open_count, 1U);
      MapCursor model(merged, range);
      walk(random, ours, model);
    }
    EXPECT_EQ(open_count, 0U);
  }
}

CommitRing::Written written(std::string_view key) {
  CommitRing::Written made;
  made.key_bytes = static_cast<std::uint16_t>(key.size());
  key.copy(made.bytes.data(), key.size());
  return made;
}

// What it notes is what a reader has learned of: rows, and that none lies between.
TEST(OverlayCursor, NotesWhatItPasses) {
  const Rows below{{"b", "1"}, {"d", "1"}, {"f", "1"}, {"h", "1"}};
  WriteSet writes;
  writes.add({.kind = engine::OperationKind::kErase, .key = "d", .value = {}});
  std::size_t open_count = 0;
  const Range range{.from = "a", .to = "i"};
  PassedRange passed;
  OverlayCursor cursor({.range = range, .passed = &passed, .open_count = &open_count},
                       std::make_unique<MapCursor>(below, range), writes);
  EXPECT_TRUE(passed.is_empty());
  cursor.seek("c");
  EXPECT_EQ(cursor.key(), "f");
  EXPECT_TRUE(passed.may_have(written("d")) && passed.may_have(written("e")));
  EXPECT_FALSE(passed.may_have(written("b")) || passed.may_have(written("g")));
  cursor.previous();
  EXPECT_EQ(cursor.key(), "b");
  EXPECT_TRUE(passed.may_have(written("b")));
  EXPECT_FALSE(passed.may_have(written("a")));
  cursor.previous();
  EXPECT_FALSE(cursor.is_valid());
  EXPECT_TRUE(passed.may_have(written("a")));
  EXPECT_FALSE(passed.may_have(written("g")));
  cursor.seek("g");
  cursor.next();
  EXPECT_TRUE(passed.may_have(written("hx")));
  EXPECT_FALSE(passed.may_have(written("i")));
}

}  // namespace
}  // namespace ashlar::txn
