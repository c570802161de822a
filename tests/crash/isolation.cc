// The campaign `isolation`: many threads run transactions and plain calls beside one another, their
// process is killed at a random moment and goes on, and afterwards all that anybody saw must be
// explained by the level of isolation that was promised, in the order of real time: serializable
// is strictly so, a snapshot is of the moment at which its transaction began.
//
//     isolation [--size=transactions] [--rounds=at least] [--seed=] [--threads=0: 2 to 16 by round]
//               [--engine=memory|disk] [--isolation=serializable|snapshot]
//               [--plant=single-puts|ranges|newest-reads|batch-tail|hesitation, in the twin]
//
// A round forks a process, which opens the database and runs its threads; each has a file of its
// own for what it does. The next round goes on in the same directory. A last transaction reads
// everything. The promises: src/txn/README.md; the judge: src/testing/isolation/README.md.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "campaign_arguments.h"
#include "campaign_engine.h"
#include "child.h"
#include "db/access.h"
#include "isolation_session.h"
#include "os/posix_disk.h"
#include "plants.h"
#include "shared_memory.h"
#include "testing/isolation/check.h"
#include "testing/temporary_directory.h"

namespace ashlar::crash {
namespace {

using testing::AnomalyKind;
using testing::IsolationLevel;
using testing::Outcome;

struct Campaign {
  std::uint64_t size = 20'000;
  std::uint64_t rounds = 10;
  std::uint64_t seed = 1;
  std::uint64_t threads = 0;
  Engine engine = Engine::kMemory;
  Isolation isolation = Isolation::kSerializable;
};

/// What one process does until it is killed, or told to stop.
struct Round {
  std::uint64_t number = 0;
  std::uint32_t thread_count = 2;
  std::uint64_t goal = 0;  ///< So many transactions have ended when it does.
  bool is_killed = true;
  int open_ms = -1;  ///< Killed after so long, whatever it is at; -1: by its goal.
  std::uint32_t transaction_share = 70;
  testing::WorkloadShape shape = {};
};

Result<Db> open_in(const std::string& directory, Engine engine) {
  const Options options = options_for(directory, engine);
  db::Environment environment;
  environment.disk_engine = tiny_settings(options);
  return db::Access::open(options, environment);
}

/// Says what went wrong and leaves, with `status`, as a child does.
[[noreturn]] void leave(const Error& error, int status) {
  std::fprintf(stderr, "isolation: %s\n", std::string(error.message()).c_str());
  _exit(status);
}

class Run {
 public:
  explicit Run(const Campaign& campaign)
      : campaign_(campaign),
        random_(campaign.seed * 6007 + 5),
        directory_((temporary_.path() / "data").string()),
        transactions_a_generation_(static_cast<std::uint32_t>(random_.between(40, 160))) {}

  int operator()() {
    std::uint64_t round_count = 0;
    while (round_count < campaign_.rounds || ended_count() < campaign_.size) {
      if (!run_round(next_round(round_count++))) return 1;
      if (round_count % 20 == 0) {
        std::printf("isolation: %" PRIu64 " rounds, %" PRIu64 " of %" PRIu64 " transactions\n",
                    round_count, ended_count(), campaign_.size);
        std::fflush(stdout);
      }
    }
    if (const auto read = read_everything(); !read) return fail(read.error());
    const auto report = testing::check_isolation(history_, testing::HistoryOrder::kRealTime);
    if (!report) return fail(report.error());
    return conclude(*report, round_count);
  }

 private:
  std::uint64_t ended_count() const { return shared_->ended_count.load(); }

  Round next_round(std::uint64_t number) {
    Round round{.number = number};
    round.thread_count = static_cast<std::uint32_t>(
        campaign_.threads > 0 ? campaign_.threads : random_.between(2, kSessionsMax));
    const std::uint64_t share = std::max<std::uint64_t>(campaign_.size / campaign_.rounds, 2);
    round.goal = ended_count() + random_.between(share / 2, share + share / 2);
    round.is_killed = !random_.chance(20);
    // Some are killed while they open, or soon after.
    if (round.is_killed && random_.chance(10)) round.open_ms = static_cast<int>(random_.below(40));
    // Where transactions are few there is none for moments, and writers stop telling of keys.
    if (random_.chance(25)) round.transaction_share = 10;
    round.shape = {.list_count = static_cast<std::uint32_t>(random_.between(2, 8)),
                   .register_count = static_cast<std::uint32_t>(random_.between(8, 32)),
                   .hot_count = static_cast<std::uint32_t>(random_.between(1, 3)),
                   .hot_share = static_cast<std::uint32_t>(random_.below(80)),
                   .operations = static_cast<std::uint32_t>(random_.between(3, 8)),
                   .list_share = static_cast<std::uint32_t>(random_.between(20, 50)),
                   .range_share = static_cast<std::uint32_t>(random_.between(4, 16)),
                   .transactions_a_generation = transactions_a_generation_};
    return round;
  }

  /// Returns: false when the process ended otherwise than it should; that is told
  bool run_round(const Round& round) {
    // From here on all go on alike, so that keys of before the kill are used behind it.
    std::uint64_t first_transaction = 0;
    for (const auto& count : shared_->planned_count) {
      first_transaction = std::max(first_transaction, count.load());
    }
    shared_->is_stopping.store(false);
    std::fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0) return false;
    if (pid == 0) run_child(round, first_transaction);
    Child child(pid);
    const bool is_as_it_should_be = end_child(child, round);
    const auto read = read_records(round);
    if (!read) (void)fail(read.error());
    return is_as_it_should_be && read.has_value();
  }

  [[noreturn]] void run_child(const Round& round, std::uint64_t first_transaction) {
    auto db = open_in(directory_, campaign_.engine);
    if (!db) leave(db.error(), 2);
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < round.thread_count; ++i) {
      threads.emplace_back([&, i] {
        auto writer = testing::HistoryWriter::create(disk_, record_path(i));
        if (!writer) leave(writer.error(), 3);
        IsolationSession session(*db, *shared_, std::move(*writer),
                                 {.isolation = campaign_.isolation,
                                  .shape = round.shape,
                                  .thread = {.seed = campaign_.seed,
                                             .thread = i,
                                             .thread_count = kSessionsMax,
                                             .first_transaction = first_transaction},
                                  .transaction_share = round.transaction_share});
        if (const auto ran = session.run(); !ran) leave(ran.error(), 4);
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (const auto closed = db->close(); !closed) leave(closed.error(), 5);
    _exit(0);
  }

  bool end_child(Child& child, const Round& round) {
    const bool is_by_goal = round.open_ms < 0;
    for (int ms = 0; !child.has_ended(); ++ms) {
      if (is_by_goal ? ended_count() >= round.goal : ms >= round.open_ms) break;
      poll(nullptr, 0, 1);
    }
    if (round.is_killed) {
      child.signal(SIGKILL);
    } else {
      shared_->is_stopping.store(true);
    }
    const int status = child.wait();
    if (round.is_killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      ++kill_count_;
      return true;
    }
    if (!round.is_killed && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    std::printf("isolation: VIOLATION, seed %" PRIu64 ": the process of round %" PRIu64
                " ended with %s %d\n",
                campaign_.seed, round.number, WIFSIGNALED(status) ? "signal" : "status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    std::printf("campaign isolation: violations=1 skipped=0\n");
    return false;
  }

  std::string record_path(std::uint32_t thread) const {
    return (temporary_.path() / ("session-" + std::to_string(thread))).string();
  }

  /// Takes what the threads of a process that is gone have left.
  Result<void> read_records(const Round& round) {
    const std::uint64_t ended_by = shared_->clock.fetch_add(1);
    for (std::uint32_t i = 0; i < round.thread_count; ++i) {
      const std::string path = record_path(i);
      // Killed before it could make one, it has done nothing.
      if (!std::filesystem::exists(path)) continue;
      ASHLAR_TRY(testing::read_history(
          disk_, {.path = path, .session = session_count_++, .ended_by = ended_by}, history_));
      std::filesystem::remove(path);
    }
    return {};
  }

  /// The last transaction: all lists that anybody has asked for or that are there, all registers.
  Result<void> read_everything() {
    ASHLAR_TRY_ASSIGN(Db db, open_in(directory_, campaign_.engine));
    testing::Transaction last{.session = session_count_++, .begin = shared_->clock.fetch_add(1)};
    ASHLAR_TRY_ASSIGN(Transaction transaction, db.begin(campaign_.isolation));
    ASHLAR_TRY_ASSIGN(const std::set<std::string> lists, lists_in(transaction));
    for (const std::string& key : lists) {
      ASHLAR_TRY_ASSIGN(const auto found, transaction.get(key));
      testing::Operation read{.kind = testing::OperationKind::kReadList, .key = key};
      if (found) read.elements = elements_of(found->view());
      last.operations.push_back(std::move(read));
    }
    testing::Operation registers{
        .kind = testing::OperationKind::kReadRange, .key = "r", .last = "s"};
    {
      ASHLAR_TRY_ASSIGN(Iterator rows, transaction.scan({.from = "r", .to = "s"}));
      ASHLAR_TRY_ASSIGN(registers.found, registers_in(rows, Walk::kForward));
    }
    last.operations.push_back(std::move(registers));
    ASHLAR_TRY(transaction.commit());
    last.end = shared_->clock.fetch_add(1);
    return history_.add(last);
  }

  Result<std::set<std::string>> lists_in(Transaction& transaction) const {
    std::set<std::string> lists;
    for (std::uint32_t key = 0; key < history_.key_count(); ++key) {
      const bool is_list = history_.role(key) == testing::TransactionHistory::Role::kList;
      if (is_list) lists.insert(history_.key_name(key));
    }
    ASHLAR_TRY_ASSIGN(Iterator rows, transaction.scan({.from = "l", .to = "m"}));
    for (rows.seek_to_first(); rows.is_valid(); rows.next()) lists.emplace(rows.key());
    ASHLAR_TRY(rows.status());
    return lists;
  }

  int fail(const Error& error) const {
    std::printf("isolation: VIOLATION, seed %" PRIu64 ": %s\n", campaign_.seed,
                std::string(error.message()).c_str());
    std::printf("campaign isolation: violations=1 skipped=0\n");
    return 1;
  }

  int conclude(const testing::IsolationReport& report, std::uint64_t round_count) const {
    const IsolationLevel level = campaign_.isolation == Isolation::kSerializable
                                     ? IsolationLevel::kSerializable
                                     : IsolationLevel::kSnapshot;
    for (const testing::Anomaly& anomaly : report.anomalies()) {
      if (testing::is_allowed(anomaly.kind, level)) continue;
      std::printf("isolation: VIOLATION, seed %" PRIu64 ": %s\n", campaign_.seed,
                  anomaly.explanation.c_str());
    }
    std::uint64_t violation_count = 0;
    std::uint64_t allowed_count = 0;
    for (std::size_t i = 0; i < testing::kAnomalyKinds; ++i) {
      const auto kind = static_cast<AnomalyKind>(i);
      const std::uint64_t count = report.count(kind);
      if (count == 0) continue;
      (testing::is_allowed(kind, level) ? allowed_count : violation_count) += count;
      std::printf("isolation: %" PRIu64 " times %s\n", count,
                  std::string(testing::anomaly_name(kind)).c_str());
    }
    const std::uint64_t committed = count_of(Outcome::kCommitted);
    std::printf("campaign isolation: transactions=%" PRIu32 " committed=%" PRIu64
                " aborted=%" PRIu64 " unknown=%" PRIu64 " rounds=%" PRIu64 " kills=%" PRIu64
                " allowed=%" PRIu64 " violations=%" PRIu64 " skipped=0\n",
                history_.count(), committed, count_of(Outcome::kAborted),
                count_of(Outcome::kUnknown), round_count, kill_count_, allowed_count,
                violation_count);
    return violation_count == 0 && !is_void(committed, allowed_count) ? 0 : 1;
  }

  /// Where hardly anything was committed, or nothing ever met at a level that lets some anomaly
  /// through, a verdict means nothing.
  bool is_void(std::uint64_t committed, std::uint64_t allowed_count) const {
    constexpr std::uint64_t kRealSize = 10'000;
    const bool has_few = committed < campaign_.size / 4;
    if (has_few) std::printf("isolation: void: too few transactions were committed\n");
    const bool met_nothing = campaign_.isolation == Isolation::kSnapshot &&
                             campaign_.size >= kRealSize && allowed_count == 0;
    if (met_nothing) std::printf("isolation: void: no write skew at all was seen\n");
    return has_few || met_nothing;
  }

  std::uint64_t count_of(Outcome outcome) const {
    std::uint64_t count = 0;
    for (std::uint32_t i = 0; i < history_.count(); ++i) {
      if (history_.header(i).outcome == outcome) ++count;
    }
    return count;
  }

  const Campaign campaign_;
  testing::Random random_;
  testing::TemporaryDirectory temporary_;
  const std::string directory_;
  const std::uint32_t transactions_a_generation_;
  os::PosixDisk disk_;
  testing::TransactionHistory history_;
  std::uint32_t session_count_ = 0;
  std::uint64_t kill_count_ = 0;
  const SharedMemory<IsolationShared> shared_;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  using ashlar::Isolation;
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.size = arguments.number("size", campaign.size);
  campaign.rounds = std::max<std::uint64_t>(arguments.number("rounds", campaign.rounds), 1);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.threads = std::min<std::uint64_t>(arguments.number("threads", campaign.threads),
                                             ashlar::crash::kSessionsMax);
  campaign.engine = ashlar::crash::engine_of(arguments);
  campaign.isolation = arguments.choice(
      "isolation", campaign.isolation,
      {{"serializable", Isolation::kSerializable}, {"snapshot", Isolation::kSnapshot}});
  const std::string plant = arguments.text("plant");
  if (!ashlar::crash::plant_bug(plant)) ashlar::crash::CampaignArguments::refuse(plant);
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
