// What a transaction holds beside what it has written: its locks, whose turn comes in order and
// which let others go on when it ends in whatever way; its moment; its part of the memory budget.

#include "db/transaction/impl.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "db/access.h"
#include "db/calling_thread_test.h"
#include "db/engine_rig_test.h"
#include "os/manual_clock.h"
#include "testing/gated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar {
namespace {

using std::chrono::milliseconds;
// Long enough for a test that hangs to be told from one that is slow.
constexpr milliseconds kLong = std::chrono::minutes(4);
constexpr milliseconds kNotAtAll{0};

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(error_code_name(result.error().code()));
}

class LockTest : public ::testing::TestWithParam<Isolation> {
 protected:
  Db open() {
    Result<Db> opened =
        rig_.open({.memory_budget_bytes = std::size_t{32} << 20U}, {.has_background = false});
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
    return result && *result ? std::string((*result)->view()) : "-";
  }
  bool is_free(std::string_view key) { return begin().lock(key, kNotAtAll).has_value(); }

  db::EngineRig rig_;
  Db db_ = open();
};

INSTANTIATE_TEST_SUITE_P(, LockTest,
                         ::testing::Values(Isolation::kSerializable, Isolation::kSnapshot),
                         [](const auto& isolation) {
                           return isolation.param == Isolation::kSerializable ? "Serializable"
                                                                              : "Snapshot";
                         });

// X5: one holder, until it ends in whatever way.
TEST_P(LockTest, IsHeldUntilTheTransactionEnds) {
  Transaction transaction = begin();
  ASSERT_TRUE(transaction.lock("a"));
  ASSERT_TRUE(transaction.lock("a", kNotAtAll)) << "it holds it";
  EXPECT_FALSE(is_free("a"));
  EXPECT_TRUE(is_free("b"));
  ASSERT_TRUE(transaction.put("a", "1"));
  ASSERT_TRUE(transaction.rollback_to(0));
  EXPECT_FALSE(is_free("a")) << "a savepoint lets go of nothing";
  Transaction moved = std::move(transaction);
  EXPECT_FALSE(is_free("a"));
  ASSERT_TRUE(moved.put("a", "2"));
  ASSERT_TRUE(moved.commit());
  EXPECT_TRUE(is_free("a")) << "committed";

  moved = begin();
  ASSERT_TRUE(moved.lock("a"));
  moved.rollback();
  EXPECT_TRUE(is_free("a")) << "rolled back";

  moved = begin();
  ASSERT_TRUE(moved.lock("a"));
  moved = begin();
  EXPECT_TRUE(is_free("a")) << "another took its place";

  {
    Transaction gone = begin();
    ASSERT_TRUE(gone.lock("a"));
  }
  EXPECT_TRUE(is_free("a")) << "it went";
  ASSERT_TRUE(moved.lock("a"));
  EXPECT_EQ(code_of(moved.put("", "")), "InvalidArgument");
  EXPECT_FALSE(is_free("a")) << "a call that failed ends nothing";
}

TEST_P(LockTest, IsLetGoOfByAConflict) {
  Transaction transaction = begin();
  ASSERT_TRUE(transaction.lock("a"));
  EXPECT_EQ(read(transaction, "a"), "-");
  ASSERT_TRUE(transaction.put("a", "1"));
  ASSERT_TRUE(db_.put("a", "plain")) << "plain writes do not wait";
  EXPECT_EQ(code_of(transaction.commit()), "Conflict");
  EXPECT_TRUE(is_free("a"));
}

TEST_P(LockTest, SaysWhatWasNotFree) {
  const std::string key = "k\n" + std::string(100, 'x');
  Transaction holder = begin();
  ASSERT_TRUE(holder.lock(key));
  Transaction other = begin();
  ASSERT_TRUE(other.put("b", "1"));
  const auto refused = other.lock(key, milliseconds(3));
  ASSERT_EQ(code_of(refused), "Busy");
  EXPECT_EQ(refused.error().message(),
            "the lock of key \"k\\x0a" + std::string(30, 'x') + "\"... was not free within 3 ms");
  EXPECT_EQ(code_of(other.lock(key, milliseconds(-5))), "Busy");
  EXPECT_EQ(code_of(other.commit()), "ok") << "it goes on";
  EXPECT_EQ(code_of(other.lock("free")), "Unavailable") << "it is over";
  EXPECT_EQ(code_of(holder.lock("")), "InvalidArgument");
  EXPECT_EQ(code_of(holder.lock(std::string(5000, 'k'))), "InvalidArgument");
  EXPECT_EQ(code_of(holder.lock("free", milliseconds::max())), "ok");
}

// Whoever has only waited sees what the holder before has done.
TEST_P(LockTest, GivesANewMomentToATransactionThatHasDoneNothing) {
  ASSERT_TRUE(db_.put("a", "1"));
  Transaction first = begin();
  ASSERT_TRUE(first.lock("a"));
  Transaction second = begin();
  ASSERT_TRUE(first.put("a", "2"));
  std::jthread waiting([&] {
    EXPECT_EQ(code_of(second.lock("a", kLong)), "ok");
    EXPECT_EQ(read(second, "a"), "2");
    EXPECT_TRUE(second.put("a", "3"));
    EXPECT_EQ(code_of(second.commit()), "ok");
  });
  ASSERT_TRUE(first.commit());
  waiting.join();
  EXPECT_EQ(std::string(db_.get("a").value()->view()), "3");
  EXPECT_EQ(code_of(db_.close()), "ok") << "no moment is left";
}

TEST_P(LockTest, LeavesTheMomentToATransactionThatHasReadOrWritten) {
  const auto seen_after_lock = [&](const auto& before) {
    EXPECT_TRUE(db_.put("a", "1"));
    Transaction transaction = begin();
    before(transaction);
    EXPECT_TRUE(db_.put("a", "2"));
    EXPECT_TRUE(transaction.lock("a"));
    return read(transaction, "a");
  };
  EXPECT_EQ(seen_after_lock([](Transaction&) {}), "2");
  EXPECT_EQ(seen_after_lock([](Transaction& one) { (void)one.lock("b"); }), "2");
  EXPECT_EQ(seen_after_lock([](Transaction& one) { (void)one.get("b"); }), "1");
  EXPECT_EQ(seen_after_lock([](Transaction& one) { (void)one.exists("a"); }), "1");
  EXPECT_EQ(seen_after_lock([](Transaction& one) { (void)one.put("b", ""); }), "1");
  EXPECT_EQ(seen_after_lock([](Transaction& one) { (void)one.erase("b"); }), "1");
  EXPECT_EQ(seen_after_lock([](Transaction& one) { (void)one.scan(); }), "1");
}

// X6: the last to ask hears of it and goes on; when it ends, so does the other.
TEST_P(LockTest, TellsOfADeadlockAtOnce) {
  Transaction first = begin();
  Transaction second = begin();
  ASSERT_TRUE(first.lock("a"));
  ASSERT_TRUE(second.lock("b"));
  std::jthread waiting([&] {
    EXPECT_EQ(code_of(first.lock("b", kLong)), "ok");
    EXPECT_TRUE(first.put("a", "1"));
    EXPECT_EQ(code_of(first.commit()), "ok");
  });
  // While the other does not wait yet, the lock is taken from nobody.
  Result<void> refused = second.lock("a", kNotAtAll);
  while (refused.error().code() == ErrorCode::kBusy) refused = second.lock("a", kNotAtAll);
  EXPECT_EQ(code_of(refused), "Conflict");
  EXPECT_TRUE(
      refused.error().message().starts_with("deadlock: the holder of the lock of key \"a\""))
      << refused.error().message();
  EXPECT_EQ(read(second, "b"), "-") << "it goes on";
  ASSERT_TRUE(second.put("b", "1"));
  EXPECT_EQ(code_of(second.commit()), "ok");
  waiting.join();
}

TEST_P(LockTest, IsRunAgainByTransactAfterADeadlock) {
  Transaction holder = begin();
  ASSERT_TRUE(holder.lock("a"));
  std::jthread waiting;
  int run = 0;
  const auto body = [&](Transaction& transaction) -> Result<void> {
    ASHLAR_TRY(transaction.lock("b", kLong));
    if (++run == 1) {
      waiting = std::jthread([&] {
        EXPECT_EQ(code_of(holder.lock("b", kLong)), "ok");
        EXPECT_EQ(code_of(holder.commit()), "ok");
      });
    }
    Result<void> locked = transaction.lock("a", kNotAtAll);
    while (!locked && locked.error().code() == ErrorCode::kBusy) {
      locked = transaction.lock("a", kNotAtAll);
    }
    ASHLAR_TRY(locked);
    return transaction.put("b", "1");
  };
  EXPECT_EQ(transact(db_, body, {.isolation = GetParam()}).value(), 2U);
  EXPECT_EQ(std::string(db_.get("b").value()->view()), "1");
}

// X6, X7: money moves between accounts locked in any order; `transact` runs again whoever would
// have closed a cycle.
TEST_P(LockTest, KeepsASumWhereEverybodyLocksInAnyOrder) {
  constexpr std::uint64_t kAccountCount = 3;
  const auto account = [](std::uint64_t i) { return "account:" + std::to_string(i); };
  for (std::uint64_t i = 0; i < kAccountCount; ++i) ASSERT_TRUE(db_.put(account(i), "100"));
  const auto move = [&](std::uint64_t seed) {
    testing::Random random(seed);
    for (std::uint64_t i = 0; i < testing::scaled(200); ++i) {
      const std::string from = account(random.below(kAccountCount));
      const std::string to = account(random.below(kAccountCount));
      if (from == to) continue;
      const auto done = transact(
          db_,
          [&](Transaction& transaction) -> Result<void> {
            ASHLAR_TRY(transaction.lock(from, kLong));
            ASHLAR_TRY(transaction.lock(to, kLong));
            ASHLAR_TRY(
                transaction.put(from, std::to_string(std::stoll(read(transaction, from)) - 1)));
            return transaction.put(to, std::to_string(std::stoll(read(transaction, to)) + 1));
          },
          {.isolation = GetParam(), .durability = Durability::kProcess});
      EXPECT_TRUE(done.has_value()) << done.error().message();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back(move, testing::seed() + i);
  }
  std::int64_t sum = 0;
  for (std::uint64_t i = 0; i < kAccountCount; ++i) {
    sum += std::stoll(std::string(db_.get(account(i)).value()->view()));
  }
  EXPECT_EQ(sum, 300);
}

// Where all ask for the lock nobody runs again, but for the rare conflict that is none.
TEST_P(LockTest, SparesTheHolderOfAHotKeyConflicts) {
  const std::uint64_t round_count = testing::scaled(400);
  std::atomic<std::uint64_t> run_count{0};
  const auto work = [&] {
    for (std::uint64_t i = 0; i < round_count; ++i) {
      const auto done = transact(db_,
                                 [&](Transaction& transaction) -> Result<void> {
                                   ASHLAR_TRY(transaction.lock("hot", kLong));
                                   const std::string have = read(transaction, "hot");
                                   const std::int64_t count = have == "-" ? 0 : std::stoll(have);
                                   return transaction.put("hot", std::to_string(count + 1));
                                 },
                                 {.isolation = GetParam(), .durability = Durability::kProcess});
      run_count += done.value();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  EXPECT_EQ(std::string(db_.get("hot").value()->view()), std::to_string(4 * round_count));
  EXPECT_LE(run_count, 4 * round_count + 4 + round_count / 25);
}

// M1: locks are in the memory budget, and given back.
TEST_P(LockTest, IsChargedToTheMemoryBudget) {
  begin().rollback();  // What transactions have in common is taken once.
  const std::size_t before_bytes = db_.approximate_memory();
  Transaction transaction = begin();
  Result<void> locked;
  std::size_t count = 0;
  for (; locked && count < 40'000; ++count) {
    locked = transaction.lock(std::to_string(count) + std::string(1000, 'k'), kNotAtAll);
  }
  EXPECT_EQ(code_of(locked), "OutOfSpace") << "after " << count;
  EXPECT_GT(count, 10'000U);
  EXPECT_EQ(code_of(transaction.lock("0" + std::string(1000, 'k'))), "ok") << "it holds it";
  transaction.rollback();
  EXPECT_LE(db_.approximate_memory(), before_bytes);
  EXPECT_TRUE(is_free("0" + std::string(1000, 'k')));
}

// The next holder goes on while the commit waits for the disk, and sees it.
TEST(Lock, IsLetGoOfBeforeTheCommitWaitsForTheDisk) {
  os::SimulatedDisk below;
  testing::GatedDisk disk(below);
  const os::ManualClock clock(1000);
  auto db = db::Access::open({.directory = "/data"},
                             db::in_calling_thread(disk, clock,
                                                   {.segment_bytes = std::size_t{1} << 20U,
                                                    .ring_bytes = std::size_t{1} << 18U}));
  ASSERT_TRUE(db.has_value()) << db.error().message();
  ASSERT_TRUE(db->put("a", "0"));
  disk.close_gate();
  std::jthread first([&] {
    auto transaction = db->begin();
    EXPECT_TRUE(transaction->lock("a"));
    EXPECT_TRUE(transaction->put("a", "1"));
    EXPECT_TRUE(transaction->commit());
  });
  disk.await_held_write();
  auto second = db->begin();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(code_of(second->lock("a", kLong)), "ok");
  EXPECT_EQ(std::string(second->get("a").value()->view()), "1");
  ASSERT_TRUE(second->put("a", "2"));
  disk.open_gate();
  EXPECT_TRUE(second->commit());
  first.join();
  EXPECT_EQ(std::string(db->get("a").value()->view()), "2");
}

}  // namespace
}  // namespace ashlar
