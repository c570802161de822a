// What a database with a directory relies on: reopened, it is what it was, deadlines included.

#include "db/journal.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>

#include "ashlar/db.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/faulty_disk.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/temporary_directory.h"

namespace ashlar::db {
namespace {

class JournalTest : public ::testing::TestWithParam<Engine> {
 protected:
  /// Opens the database; closes the one before, if there is one, without telling it.
  void reopen() {
    db_.reset();
    Options options;
    options.directory = (temporary_.path() / "data").string();
    options.engine = GetParam();
    options.memory_budget_bytes = std::size_t{32} << 20U;
    Environment environment;
    environment.clock = &clock_;
    environment.has_background = false;
    environment.disk_engine = lsm::tiny_settings(options);
    environment.log.segment_bytes = std::size_t{256} << 10U;
    environment.log.ring_bytes = std::size_t{64} << 10U;
    auto opened = Access::open(options, environment);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  std::optional<std::string> get(std::string_view key) {
    const auto found = db_->get(key);
    EXPECT_TRUE(found.has_value());
    if (!found || !*found) return std::nullopt;
    return std::string((*found)->view());
  }

  testing::TemporaryDirectory temporary_;
  os::ManualClock clock_;
  std::optional<Db> db_;
};

// C2, J1: random writes of every kind against a map, over many openings.
TEST_P(JournalTest, BringsBackWhatWasWritten) {
  testing::Random random(testing::seed());
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 12; ++round) {
    reopen();
    std::map<std::string, std::string> found;
    auto rows = db_->scan();
    ASSERT_TRUE(rows.has_value());
    for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
      found.emplace(rows->key(), rows->value());
    }
    ASSERT_EQ(found, expected);
    for (int i = 0; i < 300; ++i) {
      const std::string key = "key:" + std::to_string(random.below(100));
      const std::string value(random.below(300), static_cast<char>('a' + random.below(26)));
      const Durability durability = random.chance(5) ? Durability::kDisk : Durability::kProcess;
      if (random.chance(25)) {
        const auto erased = db_->erase(key, durability);
        ASSERT_EQ(erased.value(), expected.erase(key) == 1);
      } else if (random.chance(20)) {
        WriteBatch batch;
        batch.put(key, value);
        batch.erase("key:0");
        batch.put("last", key);
        ASSERT_TRUE(db_->write(batch, durability).has_value());
        expected[key] = value;
        expected.erase("key:0");
        expected["last"] = key;
      } else {
        ASSERT_TRUE(db_->put(key, value, Expiry::never(), durability).has_value());
        expected[key] = value;
      }
    }
  }
}

// T1: deadlines come back, and what was decided by the clock then is not decided by the clock now.
TEST_P(JournalTest, DecidesByTheTimeOfTheCommit) {
  reopen();
  const auto soon = Expiry::at_ms(clock_.now_ms() + 100'000);
  ASSERT_TRUE(db_->put("ends", "value", soon).has_value());
  ASSERT_TRUE(db_->put("lasts", "value", soon).has_value());
  clock_.advance(50'000);
  ASSERT_TRUE(db_->persist("lasts").value());
  reopen();
  EXPECT_EQ(get("ends"), "value");
  EXPECT_EQ(db_->expiry_of("ends").value()->resolve_ms(0), soon.resolve_ms(0));
  clock_.advance(100'000);
  EXPECT_EQ(get("ends"), std::nullopt);
  reopen();
  EXPECT_EQ(get("ends"), std::nullopt);
  EXPECT_EQ(get("lasts"), "value") << "it was persisted before its deadline";
}

// C2: only the log knows of the new deadline, and the row that had the old one is compacted away.
TEST_P(JournalTest, BringsBackADeadlineWhoseRowWasTakenForExpired) {
  reopen();
  const auto soon = Expiry::at_ms(clock_.now_ms() + 1'000);
  for (const char* key : {"persisted", "postponed"}) {
    ASSERT_TRUE(db_->put(key, "value", soon).has_value());
    ASSERT_TRUE(db_->checkpoint().has_value());
  }
  ASSERT_TRUE(db_->persist("persisted").value());
  ASSERT_TRUE(db_->expire("postponed", Expiry::at_ms(clock_.now_ms() + 9'000'000)).value());
  clock_.advance(4'000'000);
  Access::engine(*db_).maintain();
  if (GetParam() == Engine::kDisk) {
    ASSERT_GT(db_->stats()->compaction_count, 0U);
  }
  reopen();
  EXPECT_EQ(get("persisted"), "value");
  EXPECT_EQ(get("postponed"), "value");
}

TEST_P(JournalTest, ClosesInOrder) {
  reopen();
  ASSERT_TRUE(db_->put("key", "value", Expiry::never(), Durability::kNone).has_value());
  ASSERT_TRUE(db_->close().has_value());
  EXPECT_EQ(db_->put("key", "other").error().code(), ErrorCode::kClosed);
  reopen();
  EXPECT_EQ(get("key"), "value");
}

INSTANTIATE_TEST_SUITE_P(, JournalTest, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         [](const auto& engine) {
                           return engine.param == Engine::kMemory ? "memory" : "disk";
                         });

/// A database on a simulated disk, everything in the calling thread.
class JournalOnDisk : public ::testing::Test {
 protected:
  Result<Db> open() {
    Options options;
    options.directory = "/data";
    options.memory_budget_bytes = std::size_t{16} << 20U;
    const Environment environment = in_calling_thread(
        faulty_, clock_,
        {.segment_bytes = std::size_t{64} << 10U, .ring_bytes = std::size_t{16} << 10U});
    return Access::open(options, environment);
  }

  os::ManualClock clock_;
  os::SimulatedDisk disk_;
  os::FaultyDisk faulty_{disk_};
};

// L7: once a write to the log has failed the database answers reads, refuses writes with the reason
// and says so; what was durable is there when it is opened again.
TEST_F(JournalOnDisk, RefusesWritesAfterAFailedOne) {
  {
    auto db = open();
    ASSERT_TRUE(db.has_value()) << db.error().message();
    ASSERT_TRUE(db->put("durable", "value").has_value());
    faulty_.fail(os::CallKind::kWrite, faulty_.call_count(os::CallKind::kWrite), os::Fault::kEio,
                 os::FaultSpan::kOnce);
    const auto failed = db->put("failed", "value");
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code(), ErrorCode::kUnavailable);
    EXPECT_NE(failed.error().message().find(".log: write"), std::string_view::npos)
        << failed.error().message();
    EXPECT_EQ(db->put("later", "value").error().code(), ErrorCode::kUnavailable)
        << "the disk is well again, and not trusted";
    EXPECT_EQ(db->stats()->refuses_writes, 1U);
    EXPECT_TRUE(db->get("durable").value().has_value());
  }
  disk_.cut_power(os::PowerCut::kKeepNothing, 1);
  auto db = open();
  ASSERT_TRUE(db.has_value()) << db.error().message();
  EXPECT_TRUE(db->get("durable").value().has_value());
  EXPECT_EQ(db->stats()->refuses_writes, 0U);
}

// A full disk is no damage: writes fail before anything happens, and work again by themselves.
TEST_F(JournalOnDisk, GoesOnWhenThereIsSpaceAgain) {
  auto db = open();
  ASSERT_TRUE(db.has_value()) << db.error().message();
  disk_.set_space_limit(std::size_t{128} << 10U);
  int count = 0;
  Result<void> last;
  while (last && count < 1000)
    last = db->put("key:" + std::to_string(count++), std::string(900, 'x'));
  ASSERT_FALSE(last.has_value());
  EXPECT_EQ(last.error().code(), ErrorCode::kOutOfSpace) << last.error().message();
  EXPECT_FALSE(db->exists("key:" + std::to_string(count - 1)).value()) << "nothing happened";
  EXPECT_EQ(db->stats()->refuses_writes, 0U);
  disk_.set_space_limit(std::size_t{16} << 20U);
  EXPECT_TRUE(db->put("again", "there is space").has_value());
}

// When a full disk takes no more values it still takes erasures, and a checkpoint of what is left
// brings the space back.
TEST_F(JournalOnDisk, ErasesAndCheckpointsOnAFullDisk) {
  auto db = open();
  ASSERT_TRUE(db.has_value()) << db.error().message();
  disk_.set_space_limit(std::size_t{320} << 10U);
  int count = 0;
  const auto put = [&] {
    return db->put("key:" + std::to_string(count), std::string(900, 'x'), Expiry::never(),
                   Durability::kProcess);
  };
  while (put()) ASSERT_LT(++count, 1000);
  for (int i = 0; i < count; ++i) {
    const auto erased = db->erase("key:" + std::to_string(i));
    ASSERT_TRUE(erased.has_value() && *erased) << i << ": " << erased.error().message();
  }
  EXPECT_FALSE(put()) << "erasing gives memory back, not the log's space";
  const auto done = db->checkpoint();
  ASSERT_TRUE(done.has_value()) << done.error().message();
  EXPECT_TRUE(put());
  EXPECT_EQ(db->stats()->refuses_writes, 0U);
}

// D1: a close beside writers ends them with kClosed, and keeps all that they were told.
TEST_P(JournalTest, ClosesBesideWriters) {
  for (int round = 0; round < 5; ++round) {
    reopen();
    std::atomic<int> acknowledged_count{0};
    std::jthread writer([&] {
      const std::string value(4000, 'v');  // A few of them fill the small ring.
      while (db_->put("key:" + std::to_string(acknowledged_count.load()), value, Expiry::never(),
                      Durability::kProcess)) {
        acknowledged_count.fetch_add(1);
      }
    });
    while (acknowledged_count.load() < 50) std::this_thread::yield();
    ASSERT_TRUE(db_->close().has_value());
    writer.join();
    reopen();
    for (int i = 0; i < acknowledged_count.load(); ++i) {
      ASSERT_TRUE(db_->exists("key:" + std::to_string(i)).value()) << i;
    }
  }
}

// What is in memory only when a database ends in order is in a table for the next opening, unless
// it is little.
TEST(JournalClose, LeavesLittleToReplay) {
  const testing::TemporaryDirectory temporary;
  const Options options{.directory = (temporary.path() / "data").string(),
                        .engine = Engine::kDisk,
                        .memory_budget_bytes = std::size_t{64} << 20U};
  for (const int count : {20, 3000}) {
    {
      auto db = Access::open(options, {.has_background = false});
      ASSERT_TRUE(db.has_value()) << db.error().message();
      for (int i = 0; i < count; ++i) {
        ASSERT_TRUE(db->put("key:" + std::to_string(i), std::string(1000, 'v'), Expiry::never(),
                            Durability::kNone)
                        .has_value());
      }
      ASSERT_TRUE(db->close().has_value());
    }
    auto again = Access::open(options, {.has_background = false});
    ASSERT_TRUE(again.has_value()) << again.error().message();
    const std::uint64_t replayed_count = again->stats().value().replayed_count;
    if (count == 20) {
      EXPECT_GE(replayed_count, 20U);
    } else {
      EXPECT_LE(replayed_count, 2U) << "the mark of closing";
    }
    EXPECT_TRUE(again->exists("key:" + std::to_string(count - 1)).value());
  }
}

// Two databases at one directory would destroy it.
TEST_P(JournalTest, HasOneOpenerAtATime) {
  reopen();
  Options options;
  options.directory = (temporary_.path() / "data").string();
  options.engine = GetParam();
  const auto second = Db::open(options);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace ashlar::db
