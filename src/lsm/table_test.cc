// What versions and manifests rely on: the figures of a table fit together, and its file lives as
// long as anyone holds it.

#include "lsm/table.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "lsm/lsm_rig_test.h"

namespace ashlar::lsm {
namespace {

/// Tells what its destructor would do to its file.
class WatchedTable final : public Table {
 public:
  enum class Fate : std::uint8_t { kOpen, kClosed, kRemoved };

  WatchedTable(TableInfo info, Fate& fate) : Table(std::move(info)), fate_(fate) {}
  ~WatchedTable() override { fate_ = is_obsolete() ? Fate::kRemoved : Fate::kClosed; }

 private:
  Fate& fate_;
};

// V13
TEST(Table, RemovesItsFileWithTheLastOwnerIfItIsObsolete) {
  auto fate = WatchedTable::Fate::kOpen;
  TableRef table = base::make_ref<WatchedTable>(info_of(1, {"a", "b"}), fate);
  TableRef held = table;
  table->mark_obsolete();
  table = {};
  EXPECT_EQ(fate, WatchedTable::Fate::kOpen);
  held = {};
  EXPECT_EQ(fate, WatchedTable::Fate::kRemoved);
}

// V13
TEST(Table, KeepsItsFileOtherwise) {
  auto fate = WatchedTable::Fate::kOpen;
  TableRef table = base::make_ref<WatchedTable>(info_of(1, {"a", "b"}), fate);
  table = {};
  EXPECT_EQ(fate, WatchedTable::Fate::kClosed);
}

TEST(TableInfo, OverlapsWithWhatTouchesIt) {
  const TableInfo table = info_of(1, {"c", "e"});
  EXPECT_TRUE(table.overlaps("a", "c"));
  EXPECT_TRUE(table.overlaps("e", "f"));
  EXPECT_TRUE(table.overlaps("d", "d"));
  EXPECT_TRUE(table.overlaps("a", "z"));
  EXPECT_FALSE(table.overlaps("a", "b"));
  EXPECT_FALSE(table.overlaps("ea", "f"));
}

// V6: each figure that is wrong by itself or beside another is found.
TEST(TableInfo, RefusesFiguresThatDoNotFit) {
  const TableInfo good = info_of(1, {"a", "b"});
  ASSERT_TRUE(good.validate().has_value());
  const std::vector<std::function<void(TableInfo&)>> faults = {
      [](TableInfo& table) { table.number = 0; },
      [](TableInfo& table) { table.file_bytes = 0; },
      [](TableInfo& table) { table.row_count = 0; },
      [](TableInfo& table) { table.erase_count = table.row_count + 1; },
      [](TableInfo& table) {
        table.erase_count = table.row_count;
        table.expiring_count = 1;
        table.earliest_deadline_ms = 5;
      },
      [](TableInfo& table) { table.expiring_count = 1; },
      [](TableInfo& table) { table.earliest_deadline_ms = 5; },
      [](TableInfo& table) { table.smallest.clear(); },
      [](TableInfo& table) { table.largest = std::string(65'536, 'z'); },
      [](TableInfo& table) { std::swap(table.smallest, table.largest); }};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    TableInfo table = good;
    faults[i](table);
    EXPECT_FALSE(table.validate().has_value()) << "fault " << i;
  }
}

TEST(TableInfo, AllowsTheLongestKey) {
  EXPECT_TRUE(info_of(1, {"a", std::string(65'535, 'z')}).validate().has_value());
}

}  // namespace
}  // namespace ashlar::lsm
