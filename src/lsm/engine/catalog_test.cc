// The version that readers have and the manifest that an opening finds are one.

#include "lsm/engine/catalog.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lsm/table_output.h"
#include "lsm/upkeep/compaction_rig_test.h"

namespace ashlar::lsm {
namespace {

struct CatalogRig : OpenTableRig {
  static constexpr const char* kDirectory = "/tables";
  static constexpr TableStore::Identity kIdentity = {.database_id = 1,
                                                     .hash_seed = table::kTestHashSeed};

  CatalogRig() {
    EXPECT_TRUE(os::make_directory(disk, kDirectory).has_value());
    open();
  }
  CatalogRig(const CatalogRig&) = delete;
  CatalogRig& operator=(const CatalogRig&) = delete;
  ~CatalogRig() { close(); }

  Result<std::unique_ptr<Catalog>> try_open(const TableStore::Identity& identity = kIdentity) {
    return Catalog::open(world, kDirectory, identity, memtable());
  }
  void open() {
    close();
    catalog = try_open().value();
  }
  void close() {
    catalog.reset();
    while (domain.retired_count() > 0) domain.collect();
  }

  MemtableRef memtable() { return base::make_ref<SharedMemtable>(Memtable::make(spares).value()); }

  /// The active memtable becomes full, with `position` for its end. Returns: it
  MemtableRef fill_memtable(std::uint64_t position) {
    const MemtableRef full = catalog->states().hold()->active;
    full->end = {.position = position, .chain = 7, .commit = position};
    const MemtableRef next = memtable();
    catalog->states().change([&](State& state) { state.rotate(next); });
    return full;
  }

  /// Files of `rows` as a flush writes them.
  std::vector<base::Ref<const OpenTable>> write_out(const Rows& rows) {
    TableOutput output(catalog->tables(), {.table_bytes_max = ~std::uint64_t{0}});
    for (const auto& row : rows) EXPECT_TRUE(output.add(table::operation_of(row)).has_value());
    return output.finish().value();
  }

  Result<void> flush(const Rows& rows, std::uint64_t position) {
    const MemtableRef full = fill_memtable(position);
    return catalog->install_flush(write_out(rows), *full);
  }

  std::size_t table_file_count() {
    std::size_t count = 0;
    for (const std::string& name : names())
      if (table_number(name)) ++count;
    return count;
  }
  std::vector<std::string> names() { return os::list_directory(disk, kDirectory).value(); }
  Rows current_rows() const { return newest_rows(*catalog->states().hold()->version); }

  SpareArenas spares{budget, std::size_t{2} << 20U, 0};
  os::FaultyDisk faulty{disk};
  TableWorld world{.disk = faulty, .budget = budget, .domain = domain, .cache = *cache};
  std::unique_ptr<Catalog> catalog;
};

const table::TestRows kRows = {{"a", {.value = "1"}}, {"b", {.value = "2"}}};
const table::TestRows kOtherRows = {{"b", {.value = "3"}}, {"c", {.value = "4"}}};

// V30
TEST(Catalog, FindsItsTablesAgain) {
  CatalogRig rig;
  ASSERT_TRUE(rig.flush(kRows, 5).has_value());
  ASSERT_TRUE(rig.flush(kOtherRows, 9).has_value());
  const table::TestRows rows = rig.current_rows();
  EXPECT_EQ(rows.at("b").value, "3");
  rig.close();
  rig.catalog = rig.try_open({.database_id = 99, .hash_seed = 99}).value();
  EXPECT_EQ(rig.current_rows(), rows);
  EXPECT_EQ(rig.catalog->identity().database_id, 1U) << "given when the directory was new";
  EXPECT_EQ(rig.catalog->flushed_place(),
            (engine::LogPlace{.position = 9, .chain = 7, .commit = 9}));
}

// V30, V31: whichever call of the disk fails, a flush is there for readers and for the next opening
// alike, or for readers not yet; and no file goes that the next opening may need.
TEST(Catalog, InstallsAFlushWhollyOrNotAtAll) {
  bool has_failed = true;
  for (std::uint64_t nth = 0; has_failed; ++nth) {
    SCOPED_TRACE(nth);
    CatalogRig rig;
    ASSERT_TRUE(rig.flush(kRows, 5).has_value());
    const MemtableRef full = rig.fill_memtable(9);
    auto tables = rig.write_out(kOtherRows);
    const std::uint64_t first = rig.faulty.call_count(os::CallKind::kAny);
    rig.faulty.fail(os::CallKind::kAny, first + nth, os::Fault::kEio, os::FaultSpan::kOnce);
    const bool is_installed = rig.catalog->install_flush(tables, *full).has_value();
    has_failed = rig.faulty.call_count(os::CallKind::kAny) > first + nth;
    rig.faulty.heal();
    tables.clear();
    EXPECT_EQ(rig.current_rows().contains("c"), is_installed);
    EXPECT_EQ(rig.catalog->flushed_place().position, is_installed ? 9U : 5U);
    EXPECT_EQ(rig.catalog->states().hold()->full.empty(), is_installed);
    rig.open();
    EXPECT_EQ(rig.current_rows().at("a").value, "1");
    if (is_installed) {
      EXPECT_TRUE(rig.current_rows().contains("c"));
    }
    EXPECT_EQ(rig.table_file_count(), rig.current_rows().contains("c") ? 2U : 1U);
  }
}

// V31, V13: the file of a table that was replaced goes with the last who sees it.
TEST(Catalog, RemovesWhatNobodySees) {
  CatalogRig rig;
  ASSERT_TRUE(rig.flush(kRows, 5).has_value());
  base::Ref<const State> seen = rig.catalog->states().hold();
  {
    VersionEdit edit;
    edit.removals.push_back(
        {.level = 0, .number = seen->version->tables(0).front()->info().number});
    edit.additions.push_back(
        {.level = kLastLevel, .table = TableRef(rig.write_out(kRows).front())});
    ASSERT_TRUE(rig.catalog->install(edit).has_value());
  }
  EXPECT_EQ(rig.table_file_count(), 2U);
  EXPECT_EQ(newest_rows(*seen->version), kRows);
  seen = {};
  rig.catalog->states().collect();
  EXPECT_EQ(rig.table_file_count(), 1U);
  EXPECT_EQ(rig.current_rows(), kRows);
}

// V37: what a copy is made from stays while it is held, with the list that belongs to it.
TEST(Catalog, KeepsTheFilesThatAreHeld) {
  CatalogRig rig;
  ASSERT_TRUE(rig.flush(kRows, 5).has_value());
  std::unique_ptr<engine::HeldFiles> held = rig.catalog->hold();
  const std::uint64_t number = rig.catalog->states().hold()->version->tables(0)[0]->info().number;
  {
    VersionEdit edit;
    edit.removals.push_back({.level = 0, .number = number});
    edit.additions.push_back(
        {.level = kLastLevel, .table = TableRef(rig.write_out(kRows).front())});
    ASSERT_TRUE(rig.catalog->install(edit).has_value());
  }
  rig.catalog->states().collect();
  const Manifest manifest = decode_manifest(held->list(), "list").value();
  ASSERT_EQ(manifest.tables.size(), 1U);
  EXPECT_EQ(manifest.tables[0].table.number, number);
  EXPECT_EQ(manifest.log_place.position, 5U);
  EXPECT_EQ(rig.table_file_count(), 2U);
  held.reset();
  EXPECT_EQ(rig.table_file_count(), 1U);
}

// A table that only moves to another level keeps its file.
TEST(Catalog, KeepsTheFileOfATableThatMoves) {
  CatalogRig rig;
  ASSERT_TRUE(rig.flush(kRows, 5).has_value());
  {
    const TableRef moved = rig.catalog->states().hold()->version->tables(0).front();
    VersionEdit edit;
    edit.removals.push_back({.level = 0, .number = moved->info().number});
    edit.additions.push_back({.level = 3, .table = moved});
    ASSERT_TRUE(rig.catalog->install(edit).has_value());
  }
  rig.open();
  EXPECT_EQ(rig.catalog->states().hold()->version->tables(3).size(), 1U);
  EXPECT_EQ(rig.current_rows(), kRows);
}

// Tables without a manifest are what is left of a database: they are never taken for leftovers.
TEST(Catalog, RefusesTablesWithoutAManifest) {
  CatalogRig rig;
  ASSERT_TRUE(rig.flush(kRows, 5).has_value());
  rig.close();
  for (const std::string& name : rig.names()) {
    if (!manifest_number(name)) continue;
    const std::string path = std::string(CatalogRig::kDirectory) + "/" + name;
    ASSERT_TRUE(os::remove_file(rig.disk, path).has_value());
  }
  const auto refused = rig.try_open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kCorruption);
  EXPECT_EQ(refused.error().message(),
            "/tables at 0: the manifest is missing, and tables are there");
  EXPECT_EQ(rig.table_file_count(), 1U);
}

}  // namespace
}  // namespace ashlar::lsm
