// An open table finds every row that was written and no other, tells of damage by file and offset,
// and takes its file with it only when it was marked obsolete.

#include "lsm/open_table.h"

#include <gtest/gtest.h>

#include "lsm/open_table_rig_test.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

std::optional<table::TestRow> get(const OpenTable& table, std::string_view key) {
  const base::EpochGuard guard(table.domain());
  const auto found = table.get(key, table::test_hash(key)).value();
  if (!found) return std::nullopt;
  return table::TestRow{
      .kind = found->kind, .value = std::string(found->value), .deadline_ms = found->deadline_ms};
}

TEST(OpenTable, FindsEveryRowAndNoOther) {
  testing::Random random(testing::seed());
  OpenTableRig rig(std::size_t{2} << 20U);
  const auto rows = table::mixed_rows(random, 3000);
  const auto opened = rig.table_of(1, rows);
  for (const auto& row : rows) EXPECT_EQ(get(*opened, row.first), row.second);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = table::hard_key(random);
    EXPECT_EQ(get(*opened, key).has_value(), rows.contains(key));
  }
}

// M1: filter and index are in the budget as long as it is open, or it is not opened.
TEST(OpenTable, CountsWhatItKeepsInMemory) {
  OpenTableRig rig;
  const TableInfo info = rig.write(1, table::plain_rows(5000));
  const std::size_t before = rig.budget.used_bytes();
  {
    const auto opened = rig.open(info).value();
    EXPECT_GE(rig.budget.used_bytes(), before + opened->file().pinned_bytes());
  }
  EXPECT_EQ(rig.budget.used_bytes(), before);
  ASSERT_TRUE(rig.budget.try_take(rig.budget.limit_bytes() - before - 2000));
  EXPECT_EQ(rig.open(info).error().code(), ErrorCode::kOutOfSpace);
  EXPECT_EQ(rig.budget.used_bytes(), rig.budget.limit_bytes() - 2000);
  rig.budget.give_back(rig.budget.limit_bytes() - before - 2000);
}

// V13: an obsolete table's file goes with the last who holds it; no other does.
TEST(OpenTable, TakesItsFileWithItWhenItIsObsolete) {
  OpenTableRig rig;
  const TableInfo info = rig.write(1, table::plain_rows(10));
  {
    const auto kept = rig.open(info).value();
  }
  auto held = rig.open(info).value();
  held->mark_obsolete();
  const auto also_held = held;
  held = {};
  EXPECT_TRUE(get(*also_held, "user1000000000").has_value());
  EXPECT_EQ(os::list_directory(rig.disk, "/")->size(), 1U);
}

TEST(OpenTable, IsRemovedOnceNobodyHoldsIt) {
  OpenTableRig rig;
  rig.table_of(1, table::plain_rows(10))->mark_obsolete();
  EXPECT_TRUE(os::list_directory(rig.disk, "/")->empty());
}

TEST(OpenTable, RefusesATableThatTheManifestTellsDifferentlyOf) {
  OpenTableRig rig;
  TableInfo info = rig.write(1, table::plain_rows(10));
  info.largest += "x";
  const auto opened = rig.open(info);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(opened.error().message().find("/1: the manifest tells differently of its last key"),
            std::string_view::npos);
}

TEST(OpenTable, TellsOfADamagedBlockAndServesTheOthers) {
  OpenTableRig rig;
  const auto opened = rig.table_of(1, table::plain_rows(1000));
  const auto file = os::File::open(rig.disk, "/1", os::OpenMode::kReadWrite).value();
  ASSERT_TRUE(file->write(opened->file().offset(1) + 5, std::string_view("damage")).has_value());
  const base::EpochGuard guard(rig.domain);
  const std::string key = opened->file().separator(1) + "~";
  const auto block = opened->block(1);
  ASSERT_FALSE(block.has_value());
  EXPECT_EQ(block.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(block.error().message().find("/1 at "), std::string_view::npos);
  EXPECT_TRUE(get(*opened, "user1000000000").has_value());
}

}  // namespace
}  // namespace ashlar::lsm
