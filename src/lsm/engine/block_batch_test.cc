// Blocks that are read together are the ones that single reads bring, a block that fails takes no
// other with it, and nothing is left behind: neither a load without an end nor memory.

#include "lsm/engine/block_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "lsm/open_table_rig_test.h"
#include "os/faulty_disk.h"
#include "os/file.h"

namespace ashlar::lsm {
namespace {

struct Rig : OpenTableRig {
  Result<base::Ref<const OpenTable>> open_behind_faults(const TableInfo& info) {
    const TableWorld behind{.disk = faulty, .budget = budget, .domain = domain, .cache = *cache};
    return OpenTable::open(behind, path(info.number), identity(info.number), info);
  }
  os::FaultyDisk faulty{disk};
};

TEST(BlockBatch, BringsTheBlocksOfSeveralTables) {
  Rig rig;
  const auto first = rig.table_of(1, table::plain_rows(1000));
  const auto second = rig.table_of(2, table::plain_rows(2000));
  const base::EpochGuard guard(rig.domain);
  ASSERT_TRUE(second->block(1).has_value()) << "one that is in memory already";
  BlockBatch batch;
  EXPECT_TRUE(batch.is_empty());
  const std::vector<std::pair<const OpenTable*, std::size_t>> wanted = {
      {first.get(), 0}, {second.get(), 1}, {second.get(), 3}, {first.get(), 0}};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(batch.add(*wanted[i].first, wanted[i].second).value(), i);
  }
  ASSERT_TRUE(batch.load().has_value());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string_view alone = wanted[i].first->block(wanted[i].second).value();
    EXPECT_EQ(batch.block(i).data(), alone.data()) << "the one in the cache";
    EXPECT_EQ(batch.block(i).size(), alone.size());
    EXPECT_EQ(wanted[i].first->cached(wanted[i].second), alone);
  }
}

// W16, W17: every nth read fails once: the error names file and place, all other blocks are there,
// and the one that is not can be read again.
TEST(BlockBatch, TellsWhichBlockFailedAndBringsTheOthers) {
  for (std::size_t nth = 0; nth < 4; ++nth) {
    Rig rig;
    const auto opened = rig.open_behind_faults(rig.write(1, table::plain_rows(1000))).value();
    const base::EpochGuard guard(rig.domain);
    rig.faulty.fail(os::CallKind::kRead, rig.faulty.call_count(os::CallKind::kRead) + nth,
                    os::Fault::kEio, os::FaultSpan::kOnce);
    BlockBatch batch;
    for (std::size_t block = 0; block < 4; ++block) {
      ASSERT_TRUE(batch.add(*opened, block).has_value());
    }
    const auto loaded = batch.load();
    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code(), ErrorCode::kIo);
    EXPECT_EQ(loaded.error().message(),
              "/1: read at " + std::to_string(opened->file().offset(nth)) + ": Input/output error");
    for (std::size_t block = 0; block < 4; ++block) {
      EXPECT_EQ(opened->cached(block).empty(), block == nth);
    }
    EXPECT_TRUE(opened->block(nth).has_value());
  }
}

TEST(BlockBatch, TellsOfADamagedBlock) {
  Rig rig;
  const auto opened = rig.table_of(1, table::plain_rows(1000));
  const auto file = os::File::open(rig.disk, "/1", os::OpenMode::kReadWrite).value();
  const std::uint64_t offset = opened->file().offset(2);
  ASSERT_TRUE(file->write(offset + 5, std::string_view("damage")).has_value());
  const base::EpochGuard guard(rig.domain);
  BlockBatch batch;
  for (std::size_t block = 0; block < 4; ++block) {
    ASSERT_TRUE(batch.add(*opened, block).has_value());
  }
  const auto loaded = batch.load();
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(loaded.error().message().find("/1 at " + std::to_string(offset)),
            std::string_view::npos)
      << loaded.error().message();
  EXPECT_FALSE(opened->cached(1).empty());
}

// V39: long values do not add up to more memory than one of them, or the limit.
TEST(BlockBatch, IsFullWhenItsBlocksAreLong) {
  Rig rig;
  table::TestRows rows;
  for (const char* key : {"a", "b", "c"}) {
    rows[key] = {.value = std::string(BlockBatch::kBytesMax / 2 + 1000, *key)};
  }
  const auto opened = rig.table_of(1, rows);
  ASSERT_EQ(opened->file().block_count(), 3U);
  const base::EpochGuard guard(rig.domain);
  BlockBatch batch;
  EXPECT_EQ(batch.add(*opened, 0).value(), 0U);
  EXPECT_EQ(batch.add(*opened, 1).value(), std::nullopt);
  ASSERT_TRUE(batch.load().has_value());
  EXPECT_FALSE(batch.block(0).empty());
}

// Who has begun loads and never makes them fails them: others go on.
TEST(BlockBatch, LeavesNoLoadBehindWhenItIsGivenUp) {
  Rig rig;
  const auto opened = rig.table_of(1, table::plain_rows(1000));
  {
    const base::EpochGuard guard(rig.domain);
    BlockBatch batch;
    ASSERT_TRUE(batch.add(*opened, 0).has_value());
  }
  const base::EpochGuard guard(rig.domain);
  EXPECT_TRUE(opened->block(0).has_value());
}

// W17: two threads that want the same blocks in opposite order both get them.
TEST(BlockBatch, DoesNotWaitForAThreadThatWaitsForIt) {
  Rig rig;
  for (std::uint64_t round = 1; round <= 50; ++round) {
    const auto opened = rig.table_of(round, table::plain_rows(600));
    const std::size_t count = opened->file().block_count();
    ASSERT_GT(count, 4U);
    const auto load_all = [&](bool is_upward) {
      const base::EpochGuard guard(rig.domain);
      BlockBatch batch;
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(batch.add(*opened, is_upward ? i : count - 1 - i).value().has_value());
        std::this_thread::yield();
      }
      EXPECT_TRUE(batch.load().has_value());
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(batch.block(i), opened->cached(is_upward ? i : count - 1 - i));
      }
    };
    std::thread other([&] { load_all(false); });
    load_all(true);
    other.join();
  }
}

}  // namespace
}  // namespace ashlar::lsm
