// What a follower may rely on: every commit once, in order, whole, and none that a crash takes.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
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

using std::chrono::milliseconds;

/// Long enough for whatever is to come: a test that waits in vain fails.
constexpr milliseconds kLong{20'000};

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(error_code_name(result.error().code()));
}

using Rows = std::map<std::string, std::string, std::less<>>;

/// The changes of a commit in words: "2: put a=1, erase b".
std::string words_of(const CommitChanges& commit) {
  std::string words = std::to_string(commit.sequence) + ":";
  for (const Change& change : commit.changes) {
    const std::string key(change.key);
    if (change.kind == ChangeKind::kPut) words += " put " + key + "=" + std::string(change.value);
    if (change.kind == ChangeKind::kErase) words += " erase " + key;
    if (change.kind == ChangeKind::kExpire) words += " expire " + key;
    if (!change.expiry.is_never()) words += " until " + std::to_string(change.expiry.resolve_ms(0));
  }
  return words;
}

void apply(const CommitChanges& commit, Rows& rows) {
  for (const Change& change : commit.changes) {
    if (change.kind == ChangeKind::kPut) rows[std::string(change.key)] = change.value;
    if (change.kind == ChangeKind::kErase) rows.erase(std::string(change.key));
  }
}

class ChangeStreamTest : public ::testing::TestWithParam<Engine> {
 protected:
  static constexpr std::uint64_t kMuch = std::uint64_t{1} << 30U;

  /// Opens the database; one that is open goes first.
  void reopen(std::uint64_t history_bytes_max = kMuch, bool has_old_values = false) {
    db_.reset();
    Options options;
    options.directory = "/data";
    options.engine = GetParam();
    options.memory_budget_bytes = std::size_t{32} << 20U;
    options.history_bytes_max = history_bytes_max;
    options.history_has_old_values = has_old_values;
    db::Environment environment;
    environment.clock = &clock_;
    environment.disk = disk_.get();
    environment.has_background = false;
    environment.disk_engine = lsm::tiny_settings(options);
    environment.log.segment_bytes = std::size_t{64} << 10U;
    environment.log.ring_bytes = std::size_t{32} << 10U;
    auto opened = db::Access::open(options, environment);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  ChangeStream stream_behind(std::uint64_t after) {
    auto stream = ChangeStream::open(*db_, after);
    EXPECT_TRUE(stream.has_value()) << stream.error().message();
    return std::move(*stream);
  }

  /// All that is there behind `after`, in words.
  std::vector<std::string> told_behind(std::uint64_t after) {
    std::vector<std::string> told;
    ChangeStream stream = stream_behind(after);
    while (true) {
      const auto commit = stream.next();
      EXPECT_TRUE(commit.has_value()) << commit.error().message();
      if (!commit || *commit == nullptr) return told;
      told.push_back(words_of(**commit));
    }
  }

  void put(std::string_view key, std::string_view value,
           Durability durability = Durability::kProcess) {
    const auto done = db_->put(key, value, Expiry::never(), durability);
    ASSERT_TRUE(done.has_value()) << done.error().message();
  }

  /// So many writes of one key that the log goes on to other segments, and gives up the first ones.
  void fill_segments(int count) {
    const std::string value(8'000, 'v');
    for (int i = 0; i < count * 10; ++i) put("filler", value);
    ASSERT_TRUE(db_->checkpoint().has_value());
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

  std::unique_ptr<os::SimulatedDisk> disk_ = std::make_unique<os::SimulatedDisk>();
  os::ManualClock clock_;
  std::optional<Db> db_;
};

TEST_P(ChangeStreamTest, TellsOfEachKindOfChange) {
  reopen();
  put("a", "1");
  const auto until = Expiry::at_ms(clock_.now_ms() + 5'000);
  ASSERT_TRUE(db_->put("b", "2", until));
  ASSERT_TRUE(db_->expire("b", Expiry::at_ms(clock_.now_ms() + 9'000)).value());
  ASSERT_TRUE(db_->erase("a").value());
  WriteBatch batch;
  batch.put("c", "3");
  batch.put("d", "");
  batch.erase("b");
  ASSERT_TRUE(db_->write(batch));
  const std::string at = std::to_string(clock_.now_ms() + 5'000);
  const std::string later = std::to_string(clock_.now_ms() + 9'000);
  const std::string moved = GetParam() == Engine::kDisk ? "put b=2" : "expire b";
  const std::vector<std::string> expected{"1: put a=1", "2: put b=2 until " + at,
                                          "3: " + moved + " until " + later, "4: erase a",
                                          "5: put c=3 put d= erase b"};
  EXPECT_EQ(told_behind(0), expected);
  EXPECT_EQ(told_behind(4), std::vector<std::string>{expected[4]});
  EXPECT_TRUE(told_behind(5).empty());
}

// What found nothing to do is no commit, and neither is a transaction that is refused or undone.
TEST_P(ChangeStreamTest, TellsOfNothingThatDidNotHappen) {
  reopen();
  put("a", "1");
  EXPECT_FALSE(db_->erase("none").value());
  EXPECT_FALSE(db_->persist("a").value());
  auto refused = db_->begin();
  ASSERT_TRUE(refused.has_value());
  ASSERT_TRUE(refused->get("a"));
  ASSERT_TRUE(refused->put("b", "2"));
  put("a", "3");
  EXPECT_EQ(code_of(refused->commit()), "Conflict");
  {
    auto undone = db_->begin();
    ASSERT_TRUE(undone->put("c", "4"));
  }
  auto good = db_->begin();
  ASSERT_TRUE(good->put("d", "5"));
  ASSERT_TRUE(good->put("e", "6"));
  ASSERT_TRUE(good->commit());
  EXPECT_EQ(told_behind(0),
            (std::vector<std::string>{"1: put a=1", "2: put a=3", "3: put d=5 put e=6"}));
}

// J4: whatever happens in between, replaying the stream gives the store that is there.
TEST_P(ChangeStreamTest, ReplaysToTheSameStore) {
  testing::Random random(testing::seed());
  std::uint64_t seen = 0;
  Rows followed;
  for (int round = 0; round < 8; ++round) {
    reopen();
    for (int i = 0; i < 400; ++i) {
      const std::string key = "key" + std::to_string(random.below(60));
      if (random.chance(10)) {
        ASSERT_TRUE(db_->checkpoint());
      }
      if (random.chance(30)) {
        ASSERT_TRUE(db_->erase(key, Durability::kProcess));
      } else {
        put(key, std::string(random.below(3'000), static_cast<char>('a' + random.below(26))));
      }
    }
    ChangeStream stream = stream_behind(seen);
    while (true) {
      const auto commit = stream.next();
      ASSERT_TRUE(commit.has_value()) << commit.error().message();
      if (*commit == nullptr) break;
      ASSERT_GT((*commit)->sequence, seen);
      seen = (*commit)->sequence;
      apply(**commit, followed);
    }
    ASSERT_EQ(followed, rows()) << "round " << round;
    if (random.chance(50)) {
      ASSERT_TRUE(db_->close());
    }
  }
}

// J4: what a follower was given survives a power cut, and what may not survive it is not given.
TEST_P(ChangeStreamTest, HandsOutWhatSurvives) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    db_.reset();
    disk_ = std::make_unique<os::SimulatedDisk>();
    reopen();
    ChangeStream stream = stream_behind(0);
    std::vector<std::string> told;
    for (int i = 0; i < 50; ++i) {
      put("key", std::to_string(i), Durability::kNone);
      const auto commit = stream.next(milliseconds(i % 5 == 0 ? 50 : 0));
      ASSERT_TRUE(commit.has_value()) << commit.error().message();
      if (*commit != nullptr) told.push_back(words_of(**commit));
    }
    EXPECT_FALSE(told.empty()) << "whoever waits has the commits brought to the disk";
    {
      const ChangeStream gone = std::move(stream);
    }
    disk_->stop_before(disk_->call_count());
    db_.reset();
    disk_->cut_power(os::PowerCut::kKeepNothing, seed);
    reopen();
    const std::vector<std::string> after_cut = told_behind(0);
    ASSERT_GE(after_cut.size(), told.size());
    EXPECT_TRUE(std::equal(told.begin(), told.end(), after_cut.begin()));
  }
}

TEST_P(ChangeStreamTest, NamesTheOldestCommitWhereAFollowerFellBehind) {
  reopen(0);
  put("a", "1");
  ChangeStream slow = stream_behind(0);
  fill_segments(6);
  // Segments that it has open it may read, for what is valid in them is what was.
  Result<const CommitChanges*> late = slow.next();
  while (late && *late != nullptr) late = slow.next();
  ASSERT_EQ(code_of(late), "Unavailable");
  EXPECT_EQ(code_of(ChangeStream::open(*db_, 0)), "Unavailable");
  const ChangeBounds bounds = ChangeStream::bounds(*db_).value();
  EXPECT_GT(bounds.oldest, 1U);
  EXPECT_EQ(bounds.newest, 61U);
  const std::string message(late.error().message());
  EXPECT_NE(message.find("is " + std::to_string(bounds.oldest)), std::string::npos) << message;
  EXPECT_EQ(code_of(ChangeStream::open(*db_, bounds.oldest - 2)), "Unavailable");
  EXPECT_EQ(told_behind(bounds.oldest - 1).size(), bounds.newest - bounds.oldest + 1);
}

TEST_P(ChangeStreamTest, KeepsWhatTheLogHasGivenUp) {
  reopen();
  put("a", "1");
  ChangeStream slow = stream_behind(0);
  fill_segments(6);
  EXPECT_EQ(words_of(**slow.next()), "1: put a=1");
  EXPECT_EQ(ChangeStream::bounds(*db_)->oldest, 1U);
  ASSERT_TRUE(db_->close());
  reopen();
  EXPECT_EQ(told_behind(0).size(), 61U) << "the number of the close is not one of a commit";
  put("b", "2");
  EXPECT_EQ(told_behind(61), std::vector<std::string>{"63: put b=2"});
  ASSERT_TRUE(db_->close());
  reopen(0);
  EXPECT_EQ(ChangeStream::bounds(*db_)->oldest, 1U) << "what was kept stays";
  fill_segments(6);
  EXPECT_GT(ChangeStream::bounds(*db_)->oldest, 63U) << "but the log went on without";
  reopen();
  EXPECT_TRUE(os::list_directory(*disk_, "/data/history")->empty());
}

TEST_P(ChangeStreamTest, WaitsForWhatIsToCome) {
  reopen();
  ChangeStream stream = stream_behind(0);
  EXPECT_EQ(stream.next(milliseconds(5)).value(), nullptr);
  std::jthread writer([&] {
    for (int i = 1; i <= 500; ++i) {
      put("key" + std::to_string(i), "value", i % 50 == 0 ? Durability::kDisk : Durability::kNone);
    }
  });
  for (std::uint64_t expected = 1; expected <= 500; ++expected) {
    const auto commit = stream.next(expected % 2 == 0 ? kLong : milliseconds::max());
    ASSERT_TRUE(commit.has_value()) << commit.error().message();
    ASSERT_NE(*commit, nullptr);
    ASSERT_EQ((*commit)->sequence, expected);
    ASSERT_EQ((*commit)->changes.front().key, "key" + std::to_string(expected));
  }
}

// Batches of several threads: each is there once and whole, and all agree in the end.
TEST_P(ChangeStreamTest, FollowsSeveralWriters) {
  reopen();
  constexpr int kThreads = 4;
  constexpr int kCommits = 300;
  Rows followed;
  std::uint64_t count = 0;
  std::stop_source stop;
  std::jthread follower([&] {
    const auto done = follow_changes(
        *db_, 0,
        [&](const CommitChanges& commit) -> Result<void> {
          EXPECT_EQ(commit.changes.size(), 2U);
          EXPECT_EQ(commit.changes.front().value, commit.changes.back().value);
          apply(commit, followed);
          if (++count == kThreads * kCommits) stop.request_stop();
          return {};
        },
        stop.get_token());
    EXPECT_TRUE(done.has_value()) << done.error().message();
  });
  std::vector<std::jthread> writers;
  for (int thread = 0; thread < kThreads; ++thread) {
    writers.emplace_back([&, thread] {
      for (int i = 0; i < kCommits; ++i) {
        WriteBatch batch;
        const std::string value = std::to_string(thread) + ":" + std::to_string(i);
        batch.put("shared" + std::to_string(i % 7), value);
        batch.put("own" + std::to_string(thread), value);
        EXPECT_TRUE(db_->write(batch, Durability::kProcess));
      }
    });
  }
  writers.clear();
  follower.join();
  EXPECT_EQ(count, static_cast<std::uint64_t>(kThreads) * kCommits);
  EXPECT_EQ(followed, rows());
}

TEST_P(ChangeStreamTest, TellsWhenACommitWasMade) {
  reopen();
  const std::int64_t first_ms = clock_.now_ms();
  put("a", "1");
  clock_.advance(3'600'000);
  put("b", "2");
  ChangeStream stream = stream_behind(0);
  EXPECT_EQ((*stream.next(kLong))->moment_ms, first_ms);
  EXPECT_EQ((*stream.next(kLong))->moment_ms, first_ms + 3'600'000);
}

TEST_P(ChangeStreamTest, RefusesWhatCannotBe) {
  reopen();
  put("a", "1");
  EXPECT_EQ(code_of(ChangeStream::open(*db_, 2)), "InvalidArgument");
  ChangeStream stream = stream_behind(0);
  ASSERT_TRUE(db_->close());
  EXPECT_EQ(code_of(stream.next()), "Closed");
  EXPECT_EQ(code_of(ChangeStream::open(*db_, 0)), "Closed");
  EXPECT_EQ(code_of(ChangeStream::bounds(*db_)), "Closed");
}

/// "1: put a - 1" for a key that was absent, "erase a 1 -" for one that had 1.
std::string words_with_old(const CommitChanges& commit) {
  std::string words = std::to_string(commit.sequence) + ":";
  for (const Change& change : commit.changes) {
    const bool is_put = change.kind == ChangeKind::kPut;
    words += is_put ? " put " : " erase ";
    words += std::string(change.key) + " " + std::string(change.old_value.value_or("-")) + " ";
    words += is_put ? change.value : "-";
  }
  return words;
}

TEST_P(ChangeStreamTest, TellsWhatWasThereBeforeWhereThatIsAskedFor) {
  reopen();
  put("a", "1");
  reopen(kMuch, true);
  put("a", "2");
  put("b", std::string(1'000, 'b'));
  WriteBatch batch;
  batch.put("a", "3");
  batch.erase("b");
  batch.erase("none");
  ASSERT_TRUE(db_->write(batch));
  EXPECT_FALSE(db_->erase("none").value());
  EXPECT_TRUE(db_->erase("a").value());
  auto transaction = db_->begin();
  ASSERT_TRUE(transaction->put("c", "4"));
  ASSERT_TRUE(transaction->put("c", "5"));
  ASSERT_TRUE(transaction->commit());
  put("c", "6");
  reopen(kMuch, true);
  ChangeStream stream = stream_behind(0);
  EXPECT_FALSE((*stream.next())->has_old_values);
  const std::string long_value(1'000, 'b');
  const std::vector<std::string> all_expected{
      "3: put a 1 2",
      "4: put b - " + long_value,
      "5: put a 2 3 erase b " + long_value + " - erase none - -",
      "6: erase a 3 -",
      "7: put c - 5",
      "8: put c 5 6"};
  for (const std::string& expected : all_expected) {
    const auto commit = stream.next();
    ASSERT_TRUE(commit.has_value() && *commit != nullptr);
    EXPECT_TRUE((*commit)->has_old_values);
    EXPECT_EQ(words_with_old(**commit), expected);
  }
}

// Whoever comes between is told: what a key had before is what the commit before gave it.
TEST_P(ChangeStreamTest, TellsOldValuesThatFollowEachOther) {
  reopen(kMuch, true);
  std::vector<std::jthread> writers;
  for (int thread = 0; thread < 3; ++thread) {
    writers.emplace_back([&, thread] {
      testing::Random random(testing::seed() + static_cast<std::uint64_t>(thread));
      for (int i = 0; i < 300; ++i) {
        const std::string key = "key" + std::to_string(random.below(4));
        if (random.chance(25)) {
          EXPECT_TRUE(db_->erase(key, Durability::kNone));
        } else {
          put(key, std::to_string(thread) + ":" + std::to_string(i), Durability::kNone);
        }
      }
    });
  }
  writers.clear();
  Rows followed;
  ChangeStream stream = stream_behind(0);
  while (true) {
    const auto commit = stream.next();
    ASSERT_TRUE(commit.has_value()) << commit.error().message();
    if (*commit == nullptr) break;
    for (const Change& change : (*commit)->changes) {
      const auto before = followed.find(change.key);
      ASSERT_EQ(change.old_value.has_value(), before != followed.end());
      if (change.old_value) {
        ASSERT_EQ(*change.old_value, before->second);
      }
    }
    apply(**commit, followed);
  }
  EXPECT_EQ(followed, rows());
}

// An error of whoever is told ends the following; the commit is told again next time.
TEST_P(ChangeStreamTest, EndsWithTheErrorOfTheVisitor) {
  reopen();
  put("a", "1");
  const auto refuse = [](const CommitChanges&) -> Result<void> {
    return std::unexpected(Error::of_literal(ErrorCode::kIo, "the other store is away"));
  };
  EXPECT_EQ(code_of(follow_changes(*db_, 0, refuse, {})), "Io");
}

INSTANTIATE_TEST_SUITE_P(Engines, ChangeStreamTest,
                         ::testing::Values(Engine::kMemory, Engine::kDisk), [](const auto& param) {
                           return param.param == Engine::kDisk ? "disk" : "memory";
                         });

TEST(ChangeStream, NeedsADirectory) {
  auto db = Db::open();
  ASSERT_TRUE(db.has_value());
  EXPECT_EQ(code_of(ChangeStream::open(*db, 0)), "InvalidArgument");
  EXPECT_EQ(code_of(ChangeStream::bounds(*db)), "InvalidArgument");
  EXPECT_EQ(code_of(Db::open({.history_bytes_max = 1})), "InvalidArgument");
  EXPECT_EQ(code_of(Db::open({.history_has_old_values = true})), "InvalidArgument");
}

}  // namespace
}  // namespace ashlar
