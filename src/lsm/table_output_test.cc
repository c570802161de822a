// What goes into an output comes out of its tables, but for what the rule lets go of; an output
// that fails leaves nothing behind.

#include "lsm/table_output.h"

#include <gtest/gtest.h>

#include "lsm/lsm_rig_test.h"
#include "lsm/store_rig_test.h"
#include "os/faulty_disk.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

using Tables = std::vector<base::Ref<const OpenTable>>;

Result<Tables> write(TableStore& store, const OutputRule& rule, const table::TestRows& rows) {
  TableOutput output(store, rule);
  for (const auto& row : rows) ASHLAR_TRY(output.add(table::operation_of(row)));
  return output.finish();
}

// V16
TEST(TableOutput, GivesBackEveryRowInTablesThatFollowEachOther) {
  testing::Random random(testing::seed());
  StoreRig rig;
  const auto rows = table::mixed_rows(random, 5000);
  const auto tables = write(rig.store, {.table_bytes_max = 20'000}, rows).value();
  EXPECT_GT(tables.size(), 2U);
  EXPECT_EQ(rows_of(tables), rows);
  for (std::size_t i = 1; i < tables.size(); ++i) {
    EXPECT_LT(tables[i - 1]->info().largest, tables[i]->info().smallest);
  }
  EXPECT_EQ(rig.names().size(), tables.size());
}

TEST(TableOutput, WritesNoTableForNoRows) {
  StoreRig rig;
  EXPECT_TRUE(write(rig.store, {}, {}).value().empty());
  EXPECT_TRUE(rig.names().empty());
}

// T1: an expired row may hide an older one that has not expired: it is kept as an erase, and goes
// only where nothing is below.
TEST(TableOutput, KeepsWhatAnExpiredRowHides) {
  const table::TestRows rows = {{"expired", {.value = "old", .deadline_ms = 100}},
                                {"gone", {.kind = engine::OperationKind::kErase}},
                                {"living", {.value = "new", .deadline_ms = 101}}};
  table::TestRows above = rows;
  above["expired"] = {.kind = engine::OperationKind::kErase};
  StoreRig rig;
  EXPECT_EQ(rows_of(write(rig.store, {.now_ms = 100}, rows).value()), above);
  const table::TestRows bottom = {{"living", rows.at("living")}};
  EXPECT_EQ(rows_of(write(rig.store, {.is_bottom_most = true, .now_ms = 100}, rows).value()),
            bottom);
}

TEST(TableOutput, CutsAlongTheTablesFurtherDown) {
  StoreRig rig;
  OutputRule rule;
  for (int i = 0; i < 10; ++i) {
    const std::string from = "user" + std::to_string(1'000'000'000 + i * 700);
    const std::string to = "user" + std::to_string(1'000'000'000 + i * 700 + 699);
    rule.cut_along.push_back(
        lsm::table_of(info_of(100 + static_cast<std::uint64_t>(i), {from, to}, 1000)));
  }
  rule.cut_bytes_max = 2000;
  const auto rows = table::plain_rows(1000);  // Seven apart: a hundred for each of those tables.
  const auto tables = write(rig.store, rule, rows).value();
  EXPECT_EQ(rows_of(tables), rows);
  ASSERT_GT(tables.size(), 2U);
  for (const auto& table : tables) {
    int overlap_count = 0;
    for (const TableRef& below : rule.cut_along) {
      overlap_count += below->info().overlaps(table->info().smallest, table->info().largest);
    }
    EXPECT_LE(overlap_count, 4);
  }
}

// V17: whichever call of the disk fails, no file is left but what could not be removed.
TEST(TableOutput, LeavesNothingBehindWhenTheDiskIsFull) {
  const auto rows = table::plain_rows(3000);
  int failed_count = 0;
  for (std::uint64_t n = 0;; ++n) {
    StoreRig rig;
    os::FaultyDisk faulty(rig.disk);
    const TableWorld world{
        .disk = faulty, .budget = rig.budget, .domain = rig.domain, .cache = *rig.cache};
    TableStore store(world, StoreRig::kDirectory,
                     {.database_id = 1, .hash_seed = table::kTestHashSeed}, 1);
    faulty.fail(os::CallKind::kAny, n, os::Fault::kEnospc, os::FaultSpan::kOnce);
    const auto written = write(store, {.table_bytes_max = 50'000}, rows);
    if (faulty.call_count(os::CallKind::kAny) <= n) break;
    if (written) continue;  // It was a call that one may do without.
    ++failed_count;
    EXPECT_TRUE(rig.names().empty()) << "call " << n;
  }
  EXPECT_GT(failed_count, 10);
}

}  // namespace
}  // namespace ashlar::lsm
