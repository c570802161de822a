// Every table has a file of its own, no number is used twice, and what no manifest names is gone
// after the next opening.

#include "lsm/table_store.h"

#include <gtest/gtest.h>

#include "lsm/lsm_rig_test.h"
#include "lsm/store_rig_test.h"

namespace ashlar::lsm {
namespace {

TEST(TableStore, ANameIsThatOfOneNumber) {
  EXPECT_EQ(table_name(42), "0000000042.table");
  EXPECT_EQ(table_number("0000000042.table"), 42U);
  EXPECT_EQ(table_number("42.table"), std::nullopt);
  EXPECT_EQ(table_number("0000000042.manifest"), std::nullopt);
}

TEST(TableStore, NoNumberIsTakenTwice) {
  StoreRig rig;
  EXPECT_EQ(rig.store.take_number(), 1U);
  EXPECT_EQ(rig.store.take_number(), 2U);
  EXPECT_EQ(rig.store.next_number(), 3U);
}

TEST(TableStore, RemovesWhatNoManifestNames) {
  StoreRig rig;
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t number = rig.store.take_number();
    const auto writer = rig.store.begin(number, {}).value();
    ASSERT_TRUE(writer->add({.key = "k", .value = "v"}, table::test_hash("k")).has_value());
    ASSERT_TRUE(writer->finish().has_value());
  }
  ASSERT_TRUE(os::File::open(rig.disk, "/tables/other", os::OpenMode::kCreate).has_value());
  Manifest manifest;
  manifest.tables.push_back({.table = info_of(2, {"k", "k"})});
  ASSERT_TRUE(rig.store.remove_strangers(manifest).has_value());
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"0000000002.table", "other"}));
  rig.store.give_up(2);
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"other"}));
}

TEST(TableStore, RefusesATableOfAnotherDatabase) {
  StoreRig rig;
  const std::uint64_t number = rig.store.take_number();
  const auto writer = rig.store.begin(number, {}).value();
  ASSERT_TRUE(writer->add({.key = "k", .value = "v"}, table::test_hash("k")).has_value());
  const std::uint64_t bytes = writer->finish().value().file_bytes;
  TableInfo info = info_of(number, {"k", "k"}, bytes);
  info.row_count = 1;
  EXPECT_TRUE(rig.store.open(info).has_value());
  const TableStore other(rig.world, StoreRig::kDirectory,
                         {.database_id = 2, .hash_seed = table::kTestHashSeed}, number + 1);
  EXPECT_EQ(other.open(info).error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace ashlar::lsm
