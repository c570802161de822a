// What a follower hears of keys that nobody has erased: each that goes at its deadline or makes
// room is told of once, in its place among the commits of the key, so that a store that only does
// what it is told is the same in the end (J6 of reclaim_teller.h).

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ashlar/changes.h"
#include "ashlar/transaction.h"
#include "db/access.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar {
namespace {

using Rows = std::map<std::string, std::string, std::less<>>;
using Words = std::vector<std::string>;

/// What `commit` says of each key, without numbers and deadlines: "put a=1".
void append_words(const CommitChanges& commit, Words& words) {
  for (const Change& change : commit.changes) {
    const std::string key(change.key);
    if (change.kind == ChangeKind::kPut)
      words.push_back("put " + key + "=" + std::string(change.value));
    if (change.kind == ChangeKind::kErase) words.push_back("erase " + key);
    if (change.kind == ChangeKind::kExpire) words.push_back("expire " + key);
    if (change.kind == ChangeKind::kExpired) words.push_back("expired " + key);
    if (change.kind == ChangeKind::kEvicted) words.push_back("evicted " + key);
  }
}

/// What a store without deadlines makes of a commit. That something is told to go is told of what
/// is there (J6).
void apply(const CommitChanges& commit, Rows& rows) {
  for (const Change& change : commit.changes) {
    const bool is_reclaimed =
        change.kind == ChangeKind::kExpired || change.kind == ChangeKind::kEvicted;
    if (change.kind == ChangeKind::kPut) rows[std::string(change.key)] = change.value;
    if (is_reclaimed) {
      EXPECT_TRUE(rows.contains(change.key)) << change.key << " is told to go twice";
    }
    if (is_reclaimed || change.kind == ChangeKind::kErase) rows.erase(std::string(change.key));
  }
}

class ReclaimStreamTest : public ::testing::TestWithParam<Engine> {
 protected:
  static constexpr std::uint64_t kMuch = std::uint64_t{1} << 30U;
  static constexpr std::size_t kBudgetBytes = std::size_t{32} << 20U;

  ReclaimStreamTest() {
    options_.directory = "/data";
    options_.engine = GetParam();
    options_.memory_budget_bytes = kBudgetBytes;
    options_.history_bytes_max = kMuch;
    environment_.clock = &clock_;
    environment_.has_background = false;
    environment_.log.segment_bytes = std::size_t{64} << 10U;
    environment_.log.ring_bytes = std::size_t{32} << 10U;
  }

  /// Opens the database; one that is open goes first.
  void reopen() {
    db_.reset();
    environment_.disk = disk_.get();
    environment_.disk_engine = lsm::tiny_settings(options_);
    auto opened = db::Access::open(options_, environment_);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  void cut_power(os::PowerCut how, std::uint64_t seed) {
    disk_->stop_before(disk_->call_count());
    db_.reset();
    disk_->cut_power(how, seed);
    reopen();
  }

  void put(std::string_view key, std::string_view value, std::int64_t for_ms = 0,
           Durability durability = Durability::kProcess) {
    const Expiry expiry = for_ms == 0 ? Expiry::never() : Expiry::at_ms(clock_.now_ms() + for_ms);
    const auto done = db_->put(key, value, expiry, durability);
    ASSERT_TRUE(done.has_value()) << done.error().message();
  }

  /// What the background does.
  std::optional<std::int64_t> maintain() { return db::Access::engine(*db_).maintain(); }
  void reclaim() {
    for (int i = 0; i < 3; ++i) maintain();
  }

  /// Hands every commit to `visit`.
  template <typename Visit>
  void follow(Visit visit) {
    auto stream = ChangeStream::open(*db_, 0);
    ASSERT_TRUE(stream.has_value()) << stream.error().message();
    while (true) {
      const auto commit = stream->next();
      ASSERT_TRUE(commit.has_value()) << commit.error().message();
      if (*commit == nullptr) return;
      visit(**commit);
    }
  }
  Words told() {
    Words words;
    follow([&](const CommitChanges& commit) { append_words(commit, words); });
    return words;
  }
  Rows followed() {
    Rows rows;
    follow([&](const CommitChanges& commit) { apply(commit, rows); });
    return rows;
  }
  Rows rows() const {
    Rows all;
    auto scan = db_->scan();
    EXPECT_TRUE(scan.has_value());
    for (scan->seek_to_first(); scan->is_valid(); scan->next()) {
      all.emplace(scan->key(), scan->value());
    }
    return all;
  }

  /// Writes the same few keys from several threads until all of them have gone and come often.
  void write_beside_reclaiming() {
    constexpr int kThreads = 3;
    std::atomic<int> running_count{kThreads};
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < kThreads; ++thread) {
      writers.emplace_back([&, thread] {
        testing::Random random(testing::seed() + static_cast<std::uint64_t>(thread));
        for (int i = 0; i < 1'500; ++i) {
          const std::string key = "key" + std::to_string(random.below(20));
          if (random.chance(10)) {
            EXPECT_TRUE(db_->erase(key, Durability::kProcess));
          } else {
            put(key, std::to_string(i), random.chance(80) ? 1 + std::int64_t(random.below(3)) : 0);
          }
          clock_.advance(1);
        }
        --running_count;
      });
    }
    while (running_count > 0) {
      clock_.advance(16);
      maintain();
    }
  }

  Options options_;
  db::Environment environment_;
  std::unique_ptr<os::SimulatedDisk> disk_ = std::make_unique<os::SimulatedDisk>();
  os::ManualClock clock_;
  std::optional<Db> db_;
};

TEST_P(ReclaimStreamTest, TellsOnceOfAKeyThatGoesAtItsDeadline) {
  reopen();
  put("a", "1", 5'000);
  put("b", "2");
  reclaim();
  const Words before{"put a=1", "put b=2"};
  EXPECT_EQ(told(), before);
  clock_.advance(6'000);
  reclaim();
  const Words expected{"put a=1", "put b=2", "expired a"};
  EXPECT_EQ(told(), expected);
  EXPECT_EQ(db_->stats()->expired_count, 1U);
  reclaim();
  ASSERT_TRUE(db_->checkpoint());
  ASSERT_TRUE(db_->compact());
  reclaim();
  EXPECT_EQ(told(), expected);
  reopen();
  reclaim();
  ASSERT_TRUE(db_->compact());
  EXPECT_EQ(told(), expected) << "the next opening tells of it no more";
  EXPECT_EQ(rows(), (Rows{{"b", "2"}}));
}

// What is still in memory when it is written out, and what has been in tables for long.
TEST_P(ReclaimStreamTest, TellsOfWhatWasWrittenOutBefore) {
  reopen();
  put("a", "1", 5'000);
  put("b", "2", 9'000);
  ASSERT_TRUE(db_->checkpoint());
  ASSERT_TRUE(db_->compact());
  clock_.advance(6'000);
  ASSERT_TRUE(db_->checkpoint());  // With the memory engine: past its deadline, and not told of.
  reopen();
  reclaim();
  EXPECT_EQ(told(), (Words{"put a=1", "put b=2", "expired a"}));
  clock_.advance(6'000);
  ASSERT_TRUE(db_->compact());
  reclaim();
  EXPECT_EQ(told(), (Words{"put a=1", "put b=2", "expired a", "expired b"}));
  EXPECT_EQ(db_->stats()->key_count, 0U);
}

TEST_P(ReclaimStreamTest, LeavesItToTheNextWriteWhereThatComesFirst) {
  reopen();
  put("a", "1", 5'000);
  put("b", "2", 5'000);
  clock_.advance(6'000);
  put("a", "3");
  EXPECT_FALSE(db_->erase("b").value()) << "nobody can see it any more";
  reclaim();
  put("c", "4", 5'000);
  clock_.advance(4'999);
  EXPECT_TRUE(db_->erase("c").value());
  clock_.advance(6'000);
  reclaim();
  ASSERT_TRUE(db_->compact());
  // The memory engine finds out under the lock of the key, when the log has heard of the erase.
  const std::string end_of_b = GetParam() == Engine::kDisk ? "expired b" : "erase b";
  EXPECT_EQ(told(), (Words{"put a=1", "put b=2", "put a=3", end_of_b, "put c=4", "erase c"}));
}

TEST_P(ReclaimStreamTest, GoesByTheDeadlineThatAKeyHasInTheEnd) {
  reopen();
  put("a", "1", 5'000);
  put("b", "2", 5'000);
  ASSERT_TRUE(db_->expire("a", Expiry::at_ms(clock_.now_ms() + 20'000)).value());
  ASSERT_TRUE(db_->persist("b").value());
  const std::size_t told_count = told().size();
  clock_.advance(6'000);
  reclaim();
  ASSERT_TRUE(db_->compact());
  EXPECT_EQ(told().size(), told_count);
  clock_.advance(20'000);
  reclaim();
  ASSERT_EQ(told().size(), told_count + 1);
  EXPECT_EQ(told().back(), "expired a");
  EXPECT_EQ(rows(), (Rows{{"b", "2"}}));
}

// A key that a snapshot shows goes when that is released, and a transaction that has seen it ends
// as if it had been alone.
TEST_P(ReclaimStreamTest, StandsBesideSnapshotsAndTransactions) {
  reopen();
  put("a", "1", 5'000);
  {
    auto snapshot = db_->snapshot();
    ASSERT_TRUE(snapshot.has_value());
    auto transaction = db_->begin();
    ASSERT_EQ(transaction->get("a").value()->view(), "1");
    clock_.advance(6'000);
    reclaim();
    EXPECT_EQ(db_->get("a", &*snapshot).value()->view(), "1");
    ASSERT_TRUE(transaction->put("b", "2"));
    EXPECT_TRUE(transaction->commit().has_value());
  }
  reclaim();
  EXPECT_EQ(followed(), (Rows{{"b", "2"}}));
}

TEST_P(ReclaimStreamTest, TellsNothingWithoutAHistory) {
  options_.history_bytes_max = 0;
  reopen();
  put("a", "1", 5'000);
  clock_.advance(6'000);
  reclaim();
  ASSERT_TRUE(db_->compact());
  EXPECT_EQ(told(), Words{"put a=1"});
}

// J6: wherever the power goes away, what is told in the end is told once, and is what is there.
TEST_P(ReclaimStreamTest, TellsOnceOverPowerCuts) {
  testing::Random random(testing::seed());
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    db_.reset();
    disk_ = std::make_unique<os::SimulatedDisk>();
    reopen();
    for (int step = 0; step < 120; ++step) {
      const std::string key = "key" + std::to_string(random.below(30));
      const std::int64_t for_ms = random.chance(70) ? 1 + std::int64_t(random.below(3'000)) : 0;
      put(key, std::string(random.below(400), 'v'), for_ms,
          random.chance(20) ? Durability::kDisk : Durability::kNone);
      if (random.chance(20)) clock_.advance(std::int64_t(random.below(2'000)));
      if (random.chance(20)) maintain();
      if (random.chance(4)) {
        ASSERT_TRUE(db_->checkpoint());
      }
      if (random.chance(4)) {
        cut_power(random.chance(50) ? os::PowerCut::kKeepNothing : os::PowerCut::kKeepRandom, seed);
      }
    }
    clock_.advance(10'000);
    cut_power(os::PowerCut::kKeepNothing, seed);
    reclaim();
    ASSERT_EQ(followed(), rows()) << "seed " << seed;
  }
}

// J6: while keys are reclaimed others write them again; the order of the log is that of the store.
TEST_P(ReclaimStreamTest, ReplaysToTheSameStoreBesideWriters) {
  for (const bool has_background : {false, true}) {
    db_.reset();
    disk_ = std::make_unique<os::SimulatedDisk>();
    environment_.has_background = has_background;
    reopen();
    write_beside_reclaiming();
    clock_.advance(10'000);
    for (int i = 0; i < 1'000 && followed() != rows(); ++i) maintain();
    ASSERT_EQ(followed(), rows());
    EXPECT_GT(db_->stats()->expired_count, 0U);
  }
}

// A log that takes nothing keeps the keys, and makes nobody spin; with room again they are told.
TEST_P(ReclaimStreamTest, KeepsAKeyThatTheLogDoesNotTake) {
  reopen();
  std::size_t put_count = 0;
  const std::string name(900, 'k');  // Long ones, so that their ends need more than what is left.
  for (; put_count < 400; ++put_count) put(name + std::to_string(put_count), "1", 5'000);
  const Words before = told();
  disk_->set_space_limit(1);
  clock_.advance(6'000);
  std::optional<std::int64_t> next_ms;
  for (int i = 0; i < 20; ++i) next_ms = maintain();
  const std::size_t told_count = told().size() - before.size();
  ASSERT_LT(told_count, put_count) << "the disk was full";
  ASSERT_TRUE(next_ms.has_value());
  EXPECT_GE(*next_ms, 100) << "it is not asked again at once";
  if (GetParam() == Engine::kMemory) {
    EXPECT_EQ(db_->stats()->key_count, put_count - told_count) << "what is not told of is kept";
  }
  EXPECT_FALSE(db_->get(name + "399").value().has_value()) << "T1: it is gone all the same";
  clock_.advance(1'000);
  maintain();
  EXPECT_GE(db_->stats()->expiry_lag_ms, 1'000U);
  disk_->set_space_limit(kMuch);
  for (int i = 0; i < 50; ++i) maintain();  // The ring is small, and each round fills it.
  EXPECT_EQ(told().size(), before.size() + put_count);
  EXPECT_TRUE(followed().empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, ReclaimStreamTest,
                         ::testing::Values(Engine::kMemory, Engine::kDisk), [](const auto& param) {
                           return param.param == Engine::kDisk ? "disk" : "memory";
                         });

class EvictionStreamTest : public ReclaimStreamTest {
 protected:
  EvictionStreamTest() {
    options_.memory_policy = MemoryPolicy::kEvict;
    options_.memory_budget_bytes = kMemoryBudgetBytesMin;
  }

  /// More than the budget holds.
  void put_much(int round) {
    const std::string value(2'000, static_cast<char>('a' + round % 26));
    for (int i = 0; i < 3'000; ++i) {
      put("key" + std::to_string(round) + ":" + std::to_string(i), value,
          i % 3 == 0 ? 1'000'000 : 0);
    }
  }
};

TEST_P(EvictionStreamTest, TellsOfEveryKeyThatMakesRoom) {
  reopen();
  for (int round = 0; round < 3; ++round) {
    put_much(round);
    EXPECT_GT(db_->stats()->evicted_count, 0U);
    ASSERT_EQ(followed(), rows()) << "round " << round;
    if (round == 1) {
      ASSERT_TRUE(db_->checkpoint());
    }
    const Rows before = rows();
    reopen();
    EXPECT_EQ(rows(), before) << "what was evicted is not there again";
  }
}

// The log is replayed into less memory: what finds no room then is told of before anything else.
TEST_P(EvictionStreamTest, TellsOfWhatAnOpeningHasNoRoomFor) {
  options_.memory_budget_bytes = kBudgetBytes;
  reopen();
  put_much(0);
  put_much(1);
  EXPECT_EQ(db_->stats()->evicted_count, 0U);
  const std::size_t told_count = told().size();
  options_.memory_budget_bytes = kMemoryBudgetBytesMin;
  reopen();
  EXPECT_GT(told().size(), told_count);
  EXPECT_EQ(followed(), rows());
  put_much(2);
  EXPECT_EQ(followed(), rows());
}

// An eviction that the log does not take refuses the write that wanted the room, and nothing else.
TEST_P(EvictionStreamTest, RefusesWhatNeedsRoomWhileTheLogHasNone) {
  reopen();
  put_much(0);
  disk_->set_space_limit(1);
  Result<void> done;
  const std::string value(1'000'000, 'v');
  for (int i = 0; i < 100 && done; ++i) {
    done = db_->put("large" + std::to_string(i), value, Expiry::never(), Durability::kProcess);
  }
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), ErrorCode::kOutOfSpace) << done.error().message();
  disk_->set_space_limit(kMuch);
  ASSERT_TRUE(db_->put("large", value, Expiry::never(), Durability::kProcess).has_value());
  EXPECT_EQ(followed(), rows());
}

INSTANTIATE_TEST_SUITE_P(Engines, EvictionStreamTest, ::testing::Values(Engine::kMemory),
                         [](const auto&) { return "memory"; });

}  // namespace
}  // namespace ashlar
