// What the check says of thousands of random histories whose store is known: nothing of one that
// keeps its promise, and of one that breaks it what is broken.

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "testing/isolation/check.h"
#include "testing/isolation/toy_store_test.h"
#include "testing/isolation/workload.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::testing {
namespace {

enum class Interleaving : std::uint8_t { kSerial, kRandom };

constexpr std::uint32_t kSessions = 6;
constexpr std::size_t kTransactions = 400;

constexpr WorkloadShape kShape = {.list_count = 5,
                                  .register_count = 16,
                                  .hot_count = 2,
                                  .hot_share = 30,
                                  .operations = 5,
                                  .list_share = 35,
                                  .range_share = 12,
                                  .range_keys = 4,
                                  .transactions_a_generation = 25};

/// Sessions that run transactions step by step, in an order drawn from the seed.
class Simulation {
 public:
  Simulation(ToyPromise promise, std::uint64_t seed)
      : store_(promise, seed), random_(seed, 1), sessions_(kSessions) {
    for (std::uint32_t i = 0; i < kSessions; ++i) {
      sessions_[i].number = i;
      sessions_[i].workload = std::make_unique<Workload>(
          kShape, WorkloadThread{.seed = seed, .thread = i, .thread_count = kSessions});
    }
  }

  TransactionHistory run(Interleaving interleaving) {
    while (history_.count() < kTransactions) {
      Session& session = sessions_[random_.below(kSessions)];
      do {
        step(session);
      } while (interleaving == Interleaving::kSerial && session.is_open);
    }
    for (Session& session : sessions_) {
      while (session.is_open) step(session);
    }
    read_all();
    return std::move(history_);
  }

 private:
  struct Session {
    std::uint32_t number = 0;
    std::unique_ptr<Workload> workload = nullptr;
    bool is_open = false;
    std::size_t next = 0;
    Transaction record = {};
    ToyStore::Running running = {};
  };

  void step(Session& session) {
    if (!session.is_open) {
      begin(session, session.workload->next());
    } else if (session.next < session.record.operations.size()) {
      store_.run(session.running, session.record.operations[session.next++]);
    } else {
      end(session);
    }
  }

  void begin(Session& session, std::vector<Operation> planned) {
    session.is_open = true;
    session.next = 0;
    session.running = {};
    session.record = {
        .session = session.number, .begin = ++clock_, .operations = std::move(planned)};
    store_.begin(session.running);
    for (const Operation& operation : session.record.operations) keys_.insert(operation.key);
  }

  void end(Session& session) {
    const std::uint64_t draw = random_.below(100);
    Outcome outcome = Outcome::kAborted;
    if (draw < 4) {
      store_.roll_back(session.running);
    } else {
      if (store_.commit(session.running)) outcome = Outcome::kCommitted;
      if (draw < 8) outcome = Outcome::kUnknown;  // Killed before it could tell.
    }
    session.record.outcome = outcome;
    session.record.end = ++clock_;
    session.is_open = false;
    const auto added = history_.add(session.record);
    ASSERT_TRUE(added.has_value()) << added.error().message();
  }

  /// What a last transaction finds after all others.
  void read_all() {
    std::vector<Operation> planned;
    for (const std::string& key : keys_) {
      const bool is_list = key[0] == 'l';
      planned.push_back(
          {.kind = is_list ? OperationKind::kReadList : OperationKind::kRead, .key = key});
    }
    Session& session = sessions_.front();
    begin(session, std::move(planned));
    while (session.next < session.record.operations.size()) step(session);
    while (session.is_open) end(session);
  }

  ToyStore store_;
  Random random_;
  std::vector<Session> sessions_;
  std::set<std::string> keys_;
  TransactionHistory history_;
  std::uint64_t clock_ = 0;
};

IsolationReport report_on(ToyPromise promise, std::uint64_t seed, Interleaving interleaving,
                          HistoryOrder order = HistoryOrder::kRealTime) {
  auto report = check_isolation(Simulation(promise, seed).run(interleaving), order);
  EXPECT_TRUE(report.has_value()) << report.error().message();
  return std::move(*report);
}

/// Which of `expected` comes up in some history of a store with a bug; the test fails when none
/// does within so many seeds.
void expect_found(ToyPromise bug, std::vector<AnomalyKind> expected) {
  constexpr std::uint64_t kSeeds = 20;
  std::string said;
  for (std::uint64_t i = 0; i < kSeeds; ++i) {
    const auto report = report_on(bug, seed() + i, Interleaving::kRandom);
    for (const AnomalyKind kind : expected) {
      if (report.count(kind) == 0) continue;
      EXPECT_FALSE(report.holds(IsolationLevel::kSnapshot));
      return;
    }
    said = report.text();
  }
  FAIL() << "not found; last report:\n" << said;
}

TEST(Simulation, FindsNothingInSerialHistories) {
  for (std::uint64_t i = 0; i < scaled(60); ++i) {
    const auto report = report_on(ToyPromise::kSnapshot, seed() + i, Interleaving::kSerial);
    ASSERT_EQ(report.count(), 0U) << "seed " << seed() + i << "\n" << report.text();
  }
}

TEST(Simulation, FindsNothingInSerializableHistories) {
  for (std::uint64_t i = 0; i < scaled(60); ++i) {
    const auto report = report_on(ToyPromise::kSerializable, seed() + i, Interleaving::kRandom);
    ASSERT_EQ(report.count(), 0U) << "seed " << seed() + i << "\n" << report.text();
  }
}

TEST(Simulation, FindsOnlyWriteSkewInSnapshotHistories) {
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < scaled(60); ++i) {
    const auto report = report_on(ToyPromise::kSnapshot, seed() + i, Interleaving::kRandom);
    ASSERT_TRUE(report.holds(IsolationLevel::kSnapshot)) << "seed " << seed() + i << "\n"
                                                         << report.text();
    found += report.count(AnomalyKind::kWriteSkew);
  }
  EXPECT_GT(found, 0U);
}

TEST(Simulation, FindsOnlyPhantomsWhereRangesAreNotValidated) {
  std::uint64_t found = 0;
  for (std::uint64_t i = 0; i < scaled(60); ++i) {
    const auto report =
        report_on(ToyPromise::kNoRangeValidation, seed() + i, Interleaving::kRandom);
    found += report.count(AnomalyKind::kPhantom);
    ASSERT_EQ(report.count(), report.count(AnomalyKind::kPhantom)) << report.text();
  }
  EXPECT_GT(found, 0U);
}

TEST(Simulation, FindsStaleSnapshotsByTimeAlone) {
  for (std::uint64_t i = 0; i < scaled(20); ++i) {
    const auto report = report_on(ToyPromise::kStaleSnapshots, seed() + i, Interleaving::kRandom,
                                  HistoryOrder::kNone);
    const std::uint64_t lost = report.count(AnomalyKind::kLostAppend);  // It judges by time always.
    ASSERT_EQ(report.count() - lost,
              report.count(AnomalyKind::kWriteSkew) + report.count(AnomalyKind::kPhantom))
        << report.text();
  }
  expect_found(ToyPromise::kStaleSnapshots, {AnomalyKind::kStaleRead});
}

TEST(Simulation, FindsLostUpdatesWhereNothingIsValidated) {
  expect_found(ToyPromise::kNoConflicts, {AnomalyKind::kLostUpdate});
}

TEST(Simulation, FindsReadSkewWhereReadsSeeTheLatest) {
  expect_found(ToyPromise::kReadsLatest, {AnomalyKind::kReadSkew});
}

TEST(Simulation, FindsReadsOfWhatIsNotCommitted) {
  expect_found(ToyPromise::kReadsBuffers, {AnomalyKind::kAbortedRead});
  expect_found(ToyPromise::kReadsBuffers, {AnomalyKind::kIntermediateRead});
  expect_found(ToyPromise::kReadsBuffers, {AnomalyKind::kCircularFlow});
}

TEST(Simulation, FindsWhatARollbackLeaves) {
  expect_found(ToyPromise::kAbortsLeak, {AnomalyKind::kAbortedRead});
}

TEST(Simulation, FindsTornCommits) {
  expect_found(ToyPromise::kTornCommits, {AnomalyKind::kReadSkew});
}

TEST(Simulation, FindsLostCommits) {
  expect_found(ToyPromise::kLosesCommits, {AnomalyKind::kLostAppend});
}

TEST(Simulation, FindsAppendsMadeTwice) {
  expect_found(ToyPromise::kAppendsTwice, {AnomalyKind::kDuplicateElement});
}

TEST(Simulation, FindsForks) {
  expect_found(ToyPromise::kForks, {AnomalyKind::kLongFork});
}

TEST(Simulation, FindsReadsThatPassByOwnWrites) {
  expect_found(ToyPromise::kForgetsOwn, {AnomalyKind::kInternal});
}

}  // namespace
}  // namespace ashlar::testing
