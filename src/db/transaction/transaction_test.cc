// What a user of transactions may rely on: what they see, when they conflict, that nothing is left
// of one that fails; one after the other, and with threads.

#include "ashlar/transaction.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "db/access.h"
#include "db/engine_rig_test.h"
#include "os/manual_clock.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar {
namespace {

constexpr std::int64_t kStartMs = 1'000'000;

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(error_code_name(result.error().code()));
}

class TransactionTest : public ::testing::TestWithParam<Isolation> {
 protected:
  Db open(bool has_background = false) {
    Result<Db> opened = rig_.open({.key_bytes_max = 64, .value_bytes_max = 4096},
                                  {.clock = &clock_, .has_background = has_background});
    EXPECT_TRUE(opened) << opened.error().message();
    return std::move(*opened);
  }
  Transaction begin() {
    auto begun = db_.begin(GetParam());
    EXPECT_TRUE(begun) << begun.error().message();
    return std::move(*begun);
  }
  static std::string read(Transaction& transaction, std::string_view key) {
    const auto result = transaction.get(key);
    if (!result) return std::string(error_code_name(result.error().code()));
    return *result ? std::string((*result)->view()) : "-";
  }
  std::string read(std::string_view key) const {
    const auto result = db_.get(key);
    return result && *result ? std::string((*result)->view()) : "-";
  }
  static std::string rows(Iterator& found) {
    std::string all;
    for (found.seek_to_first(); found.is_valid(); found.next()) {
      all += std::string(found.key()) + "=" + std::string(found.value()) + " ";
    }
    EXPECT_TRUE(found.status().has_value());
    return all;
  }
  static std::string rows(Transaction& transaction, const Range& range = {}) {
    auto found = transaction.scan(range);
    return found ? rows(*found) : code_of(found);
  }

  os::ManualClock clock_{kStartMs};
  db::EngineRig rig_;
  Db db_ = open();
};

INSTANTIATE_TEST_SUITE_P(, TransactionTest,
                         ::testing::Values(Isolation::kSerializable, Isolation::kSnapshot),
                         [](const auto& isolation) {
                           return isolation.param == Isolation::kSerializable ? "Serializable"
                                                                              : "Snapshot";
                         });

TEST_P(TransactionTest, SeesTheMomentOfItsBeginAndItsOwnWrites) {
  ASSERT_TRUE(db_.put("a", "1"));
  ASSERT_TRUE(db_.put("b", "1"));
  Transaction transaction = begin();
  ASSERT_TRUE(db_.put("a", "2"));
  ASSERT_TRUE(db_.erase("b").value());
  ASSERT_TRUE(db_.put("c", "2"));
  EXPECT_EQ(read(transaction, "a"), "1");
  EXPECT_EQ(read(transaction, "b"), "1");
  EXPECT_EQ(read(transaction, "c"), "-");
  ASSERT_TRUE(transaction.put("a", "mine"));
  ASSERT_TRUE(transaction.erase("b").value());
  EXPECT_FALSE(transaction.erase("b").value());
  EXPECT_FALSE(transaction.erase("never").value());
  EXPECT_EQ(read(transaction, "a"), "mine");
  EXPECT_EQ(read(transaction, "b"), "-");
  EXPECT_FALSE(transaction.exists("b").value());
  EXPECT_EQ(rows(transaction), "a=mine ");
  EXPECT_EQ(read("a"), "2") << "nobody else sees it";
}

TEST_P(TransactionTest, CommitsAllOrNothing) {
  ASSERT_TRUE(db_.put("a", "1"));
  Transaction kept = begin();
  ASSERT_TRUE(kept.put("a", "2"));
  ASSERT_TRUE(kept.put("b", "2"));
  ASSERT_TRUE(kept.commit());
  EXPECT_EQ(read("a") + read("b"), "22");
  EXPECT_EQ(code_of(kept.commit()), "Unavailable");
  EXPECT_EQ(code_of(kept.put("a", "3")), "Unavailable");
  EXPECT_EQ(code_of(kept.get("a")), "Unavailable");

  Transaction undone = begin();
  ASSERT_TRUE(undone.erase("a").value());
  undone.rollback();
  {
    ASSERT_TRUE(begin().put("b", "dropped"));
  }
  EXPECT_EQ(read("a") + read("b"), "22");
  EXPECT_EQ(code_of(db_.close()), "ok") << "nothing is held";
}

TEST_P(TransactionTest, ConflictsWhenWhatItReadAndWritesWasWritten) {
  for (const bool is_erased : {false, true}) {
    ASSERT_TRUE(db_.put("a", "1"));
    Transaction transaction = begin();
    EXPECT_EQ(read(transaction, "a"), "1");
    ASSERT_TRUE(transaction.put("a", "mine"));
    ASSERT_TRUE(transaction.put("b", "mine"));
    if (is_erased) {
      ASSERT_TRUE(db_.erase("a").value());
    } else {
      ASSERT_TRUE(db_.expire("a", Expiry::in(std::chrono::seconds(100))).value());
    }
    EXPECT_EQ(code_of(transaction.commit()), "Conflict");
    EXPECT_EQ(read("b"), "-");
  }
}

// What it announced and did not do stands in nobody's way.
TEST_P(TransactionTest, LeavesNothingOfAConflictForTheNext) {
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(db_.put("a", "1"));
    Transaction fallen = begin();
    EXPECT_EQ(read(fallen, "a"), "1");
    ASSERT_TRUE(fallen.put("a", "2"));
    ASSERT_TRUE(fallen.put("b", "2"));
    ASSERT_TRUE(db_.put("a", "1"));
    ASSERT_EQ(code_of(fallen.commit()), "Conflict");
    Transaction next = begin();
    (void)read(next, "b");
    (void)rows(next);
    ASSERT_TRUE(next.put("b", "3"));
    EXPECT_EQ(code_of(next.commit()), "ok") << "round " << round;
  }
}

TEST_P(TransactionTest, NeverConflictsWithoutWrites) {
  ASSERT_TRUE(db_.put("a", "1"));
  Transaction transaction = begin();
  EXPECT_EQ(read(transaction, "a"), "1");
  EXPECT_EQ(rows(transaction), "a=1 ");
  ASSERT_TRUE(db_.put("a", "2"));
  EXPECT_EQ(code_of(transaction.commit()), "ok");
}

// The two levels differ here: what is only read may change under a snapshot.
TEST_P(TransactionTest, FindsWriteSkewWhereItPromisesTo) {
  ASSERT_TRUE(db_.put("x", "0"));
  ASSERT_TRUE(db_.put("y", "0"));
  Transaction first = begin();
  Transaction second = begin();
  EXPECT_EQ(read(first, "x"), "0");
  EXPECT_EQ(read(second, "y"), "0");
  ASSERT_TRUE(first.put("y", "1"));
  ASSERT_TRUE(second.put("x", "1"));
  EXPECT_EQ(code_of(first.commit()), "ok");
  EXPECT_EQ(code_of(second.commit()), GetParam() == Isolation::kSerializable ? "Conflict" : "ok");
}

TEST_P(TransactionTest, FindsPhantomsWhereItPromisesTo) {
  const auto conflict_of = [&](const Range& range, std::string_view written) {
    Transaction transaction = begin();
    (void)rows(transaction, range);
    EXPECT_TRUE(transaction.put("result", "1"));
    EXPECT_TRUE(db_.put(written, "1"));
    return code_of(transaction.commit());
  };
  const std::string conflict = GetParam() == Isolation::kSerializable ? "Conflict" : "ok";
  for (int i = 0; i < 3; ++i) {
    const std::string key = "k:" + std::to_string(i);
    EXPECT_EQ(conflict_of(Range::prefix("k:"), key), conflict) << "it is there " << i << " times";
  }
  EXPECT_EQ(conflict_of(Range::prefix("k:"), "k;"), "ok");
  EXPECT_EQ(conflict_of(Range::prefix("k:"), "j"), "ok");
  EXPECT_EQ(conflict_of({}, "anywhere"), conflict);
  EXPECT_EQ(conflict_of({.from = "k:1", .to = "k:1"}, "k:1"), "ok") << "an empty range";
}

// A scan that has looked at three rows has not read the others.
TEST_P(TransactionTest, RestsOnWhatAnIteratorHasPassed) {
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(db_.put("k" + std::to_string(i), "0"));
  const auto conflict_of = [&](bool is_forward, std::string_view written) {
    Transaction transaction = begin();
    {
      auto found = transaction.scan();
      EXPECT_TRUE(found.has_value());
      if (is_forward) {
        found->seek("k3");
        found->next();
      } else {
        found->seek_for_previous("k4");
        found->previous();
      }
    }
    EXPECT_TRUE(transaction.put("result", "1"));
    EXPECT_TRUE(db_.put(written, "1"));
    return code_of(transaction.commit());
  };
  const std::string conflict = GetParam() == Isolation::kSerializable ? "Conflict" : "ok";
  for (const bool is_forward : {true, false}) {
    EXPECT_EQ(conflict_of(is_forward, "k3"), conflict);
    EXPECT_EQ(conflict_of(is_forward, "k4"), conflict);
    EXPECT_EQ(conflict_of(is_forward, "k3x"), conflict) << "it was not there";
    ASSERT_TRUE(db_.erase("k3x").value());
    EXPECT_EQ(conflict_of(is_forward, "k2"), "ok");
    EXPECT_EQ(conflict_of(is_forward, "k5"), "ok");
  }
}

TEST_P(TransactionTest, RollsBackToASavepoint) {
  ASSERT_TRUE(db_.put("a", "1"));
  Transaction transaction = begin();
  ASSERT_TRUE(transaction.put("a", "2"));
  const auto first = transaction.savepoint();
  ASSERT_TRUE(transaction.put("a", "3"));
  ASSERT_TRUE(transaction.put("b", "3"));
  const auto second = transaction.savepoint();
  ASSERT_TRUE(transaction.erase("a").value());
  EXPECT_EQ(rows(transaction), "b=3 ");
  ASSERT_TRUE(transaction.rollback_to(second));
  EXPECT_EQ(rows(transaction), "a=3 b=3 ");
  ASSERT_TRUE(transaction.rollback_to(first));
  EXPECT_EQ(rows(transaction), "a=2 ");
  EXPECT_EQ(code_of(transaction.rollback_to(second)), "InvalidArgument");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(transaction.put("c", "4"));
  EXPECT_EQ(code_of(transaction.rollback_to(second)), "InvalidArgument") << "it is undone for good";
  ASSERT_TRUE(transaction.rollback_to(first)) << "it stays";
  ASSERT_TRUE(transaction.rollback_to(0));
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(read("a") + read("b") + read("c"), "1--");
}

TEST_P(TransactionTest, MovesDeadlines) {
  ASSERT_TRUE(db_.put("a", "1"));
  Transaction transaction = begin();
  EXPECT_TRUE(transaction.expire("a", Expiry::at_ms(kStartMs + 50)).value());
  EXPECT_FALSE(transaction.expire("b", Expiry::at_ms(kStartMs + 50)).value());
  ASSERT_TRUE(transaction.put("c", "1", Expiry::at_ms(kStartMs + 50)));
  EXPECT_TRUE(transaction.persist("c").value());
  EXPECT_FALSE(transaction.persist("c").value());
  ASSERT_TRUE(transaction.put("d", "1", Expiry::at_ms(kStartMs - 1)));
  EXPECT_EQ(read(transaction, "d"), "-");
  ASSERT_TRUE(transaction.commit());
  EXPECT_EQ(read("a") + read("c") + read("d"), "11-");
  clock_.advance(50);
  EXPECT_EQ(read("a") + read("c"), "-1");
}

// T1: deadlines are judged by the time at which it began, whenever they pass.
TEST_P(TransactionTest, SeesWhatExpiresMeanwhile) {
  ASSERT_TRUE(db_.put("a", "1", Expiry::at_ms(kStartMs + 10)));
  Transaction transaction = begin();
  clock_.advance(20);
  EXPECT_EQ(read("a"), "-");
  EXPECT_EQ(read(transaction, "a"), "1");
}

TEST_P(TransactionTest, IsNotOverWhileIteratorsAreHeld) {
  Transaction transaction = begin();
  ASSERT_TRUE(transaction.put("a", "1"));
  {
    auto found = transaction.scan();
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(code_of(transaction.commit()), "Busy");
    ASSERT_TRUE(transaction.put("b", "1"));
    EXPECT_EQ(rows(*found), "a=1 ") << "it sees what was there when it was opened";
  }
  EXPECT_EQ(code_of(transaction.commit()), "ok");
  EXPECT_EQ(read("b"), "1");
}

TEST_P(TransactionTest, KeepsToTheLimitsOfItsDatabase) {
  Transaction transaction = begin();
  EXPECT_EQ(code_of(transaction.put("", "v")), "InvalidArgument");
  EXPECT_EQ(code_of(transaction.put("k", std::string(5000, 'v'))), "InvalidArgument");
  EXPECT_EQ(code_of(transaction.get(std::string(65, 'k'))), "InvalidArgument");
  EXPECT_EQ(code_of(db_.close()), "Busy");
  transaction.rollback();
  EXPECT_EQ(code_of(db_.close()), "ok");
  EXPECT_EQ(code_of(db_.begin()), "Closed");
}

// An engine tells of an erase alone whether there was anything, and commits nothing if not.
TEST_P(TransactionTest, ErasesOneKeyAndNothingElse) {
  Transaction own = begin();
  ASSERT_TRUE(own.put("a", "1"));
  ASSERT_TRUE(own.erase("a").value());
  EXPECT_EQ(code_of(own.commit()), "ok") << "it was never there";

  ASSERT_TRUE(db_.put("a", "1"));
  Transaction erased = begin();
  ASSERT_TRUE(erased.erase("a").value());
  ASSERT_TRUE(db_.erase("a").value());
  EXPECT_EQ(code_of(erased.commit()), "Conflict") << "somebody else did";

  ASSERT_TRUE(db_.put("a", "1"));
  Transaction done = begin();
  ASSERT_TRUE(done.erase("a").value());
  EXPECT_EQ(code_of(done.commit()), "ok");
  EXPECT_EQ(read("a"), "-");
}

// Reads, scans both ways, savepoints and commits against a map.
TEST_P(TransactionTest, AnswersAsAModelDoes) {
  testing::Random random(testing::seed());
  std::map<std::string, std::string> committed;
  const auto any_key = [&] { return "k" + std::to_string(random.below(30)); };
  for (int round = 0; round < 150; ++round) {
    auto model = committed;
    Transaction transaction = begin();
    std::vector<std::pair<Transaction::Savepoint, std::map<std::string, std::string>>> points;
    for (std::uint64_t step = random.below(20); step > 0; --step) {
      const std::string key = any_key();
      const std::uint64_t dice = random.below(100);
      if (dice < 40) {
        const std::string value = std::to_string(random.below(1000));
        ASSERT_TRUE(transaction.put(key, value));
        model[key] = value;
      } else if (dice < 60) {
        EXPECT_EQ(transaction.erase(key).value(), model.erase(key) == 1);
      } else if (dice < 70) {
        points.emplace_back(transaction.savepoint(), model);
      } else if (dice < 80 && !points.empty()) {
        const std::size_t at = random.below(points.size());
        ASSERT_TRUE(transaction.rollback_to(points[at].first));
        model = points[at].second;
        points.resize(at + 1);
      } else if (dice < 90) {
        EXPECT_EQ(read(transaction, key), model.contains(key) ? model[key] : "-");
      } else {
        auto found = transaction.scan({.from = key, .to = std::nullopt});
        ASSERT_TRUE(found.has_value());
        auto expected = model.lower_bound(key);
        found->seek_to_first();
        for (std::uint64_t walk = 0; walk < 40; ++walk) {
          ASSERT_EQ(found->is_valid(), expected != model.end());
          if (!found->is_valid()) break;
          ASSERT_EQ(found->key(), expected->first);
          ASSERT_EQ(found->value(), expected->second);
          if (random.chance(30) && expected != model.lower_bound(key)) {
            found->previous();
            --expected;
          } else {
            found->next();
            ++expected;
          }
        }
      }
    }
    if (random.chance(70)) {
      ASSERT_EQ(code_of(transaction.commit()), "ok");
      committed = model;
    }
  }
  Transaction last = begin();
  std::string expected;
  for (const auto& [key, value] : committed) expected += key + "=" + value + " ";
  EXPECT_EQ(rows(last), expected);
}

// C1, and no update is lost: money moves between accounts, beside transactions that count it all.
TEST_P(TransactionTest, KeepsASumBesideMovingThreads) {
  constexpr std::uint64_t kAccountCount = 8;
  constexpr std::int64_t kEach = 100;
  const auto account = [](std::uint64_t i) { return "account:" + std::to_string(i); };
  for (std::uint64_t i = 0; i < kAccountCount; ++i)
    ASSERT_TRUE(db_.put(account(i), std::to_string(kEach)));
  const std::uint64_t move_count = testing::scaled(300);
  const auto move = [&](std::uint64_t seed) {
    testing::Random random(seed);
    for (std::uint64_t i = 0; i < move_count; ++i) {
      const std::string from = account(random.below(kAccountCount));
      const std::string to = account(random.below(kAccountCount));
      if (from == to) continue;
      const auto done = transact(db_,
                                 [&](Transaction& transaction) -> Result<void> {
                                   const std::int64_t have = std::stoll(read(transaction, from));
                                   const std::int64_t there = std::stoll(read(transaction, to));
                                   ASHLAR_TRY(transaction.put(from, std::to_string(have - 1)));
                                   return transaction.put(to, std::to_string(there + 1));
                                 },
                                 {.isolation = GetParam(), .durability = Durability::kProcess});
      EXPECT_TRUE(done.has_value()) << done.error().message();
    }
  };
  const auto count = [&] {
    for (std::uint64_t i = 0; i < move_count; ++i) {
      Transaction transaction = begin();
      std::int64_t sum = 0;
      auto found = transaction.scan(Range::prefix("account:"));
      if (!found) {
        ADD_FAILURE() << found.error().message();
        continue;
      }
      for (found->seek_to_first(); found->is_valid(); found->next()) {
        sum += std::stoll(std::string(found->value()));
      }
      EXPECT_TRUE(found->status().has_value()) << found->status().error().message();
      EXPECT_EQ(sum, std::int64_t{kAccountCount} * kEach);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 3; ++i) threads.emplace_back(move, testing::seed() + i);
    threads.emplace_back(count);
  }
}

// Each of two threads may take one of two tokens as long as the other is there: never both go.
TEST(SerializableTransaction, KeepsARuleThatSpansKeysBesideThreads) {
  db::EngineRig rig;
  auto db = rig.open({}, {.has_background = false});
  ASSERT_TRUE(db.has_value());
  const std::uint64_t round_count = testing::scaled(400);
  for (std::uint64_t round = 0; round < round_count; ++round) {
    ASSERT_TRUE(db->put("x", "here"));
    ASSERT_TRUE(db->put("y", "here"));
    const auto take = [&](std::string_view mine, std::string_view other) {
      (void)transact(*db,
                     [&](Transaction& transaction) -> Result<void> {
                       ASHLAR_TRY_ASSIGN(const bool is_there, transaction.exists(other));
                       if (is_there) ASHLAR_TRY(transaction.erase(mine));
                       return {};
                     },
                     {.durability = Durability::kProcess});
    };
    {
      const std::jthread first([&] { take("x", "y"); });
      const std::jthread second([&] { take("y", "x"); });
    }
    ASSERT_TRUE(db->exists("x").value() || db->exists("y").value()) << "round " << round;
  }
}

// Plain writes count like any other commit, also those that come when nobody has been told for a
// while.
TEST(SerializableTransaction, ConflictsWithPlainWritesBesideThreads) {
  db::EngineRig rig;
  auto db = rig.open({}, {.has_background = false});
  ASSERT_TRUE(db.has_value());
  ASSERT_TRUE(db->put("plain", "0"));
  ASSERT_TRUE(db->put("copy", "0"));
  std::atomic<bool> is_over{false};
  std::jthread writer([&] {
    for (int i = 1; !is_over; ++i)
      EXPECT_TRUE(db->put("plain", std::to_string(i), Expiry::never(), Durability::kProcess));
  });
  // A copy is never older than one that was there before: each is of the value at its commit.
  std::int64_t last = 0;
  int copied_count = 0;
  for (std::uint64_t i = 0; i < testing::scaled(2000); ++i) {
    auto transaction = db->begin();
    ASSERT_TRUE(transaction.has_value());
    const std::string value(transaction->get("plain").value()->view());
    ASSERT_TRUE(transaction->put("copy", value));
    const std::int64_t before_commit = std::stoll(value);
    const auto done = transaction->commit(Durability::kProcess);
    if (!done) continue;
    ++copied_count;
    EXPECT_GE(before_commit, last);
    last = before_commit;
  }
  is_over = true;
  writer.join();
  // Behind the last write nothing conflicts.
  EXPECT_TRUE(transact(*db, [&](Transaction& transaction) -> Result<void> {
                ASHLAR_TRY_ASSIGN(const auto value, transaction.get("plain"));
                return transaction.put("copy", value->view());
              }).has_value());
  EXPECT_EQ(std::string(db->get("copy").value()->view()),
            std::string(db->get("plain").value()->view()));
}

}  // namespace
}  // namespace ashlar
