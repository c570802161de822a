// The campaign `kill9`: a writer is killed at a random moment, again and again, and whatever it had
// been told was written must be there when the directory is opened again.
//
//     kill9 [--size=cycles] [--seed=] [--engine=memory|disk] [--plant=ack-before-append]
//
// A cycle forks a writer, which runs the script and counts each acknowledgement in memory that it
// shares with the parent; the parent kills it after a random time, opens the directory itself, and
// compares. Both go on from the state that was found.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include "acknowledged.h"
#include "campaign_arguments.h"
#include "campaign_engine.h"
#include "child.h"
#include "db/access.h"
#include "shared_memory.h"
#include "testing/temporary_directory.h"

namespace ashlar::crash {
namespace {

/// What parent and writer share.
struct Shared {
  std::atomic<std::uint64_t> acknowledged_count{0};
};

/// Bugs that can be planted, each of which the campaign must find.
enum class Plant : std::uint8_t { kNone, kAckBeforeAppend };

struct Campaign {
  std::uint64_t cycles = 60;
  std::uint64_t seed = 1;
  Plant plant = Plant::kNone;
  Engine engine = Engine::kMemory;
};

Result<Db> open_in(const std::string& directory, Engine engine) {
  const Options options = options_for(directory, engine);
  db::Environment environment;
  environment.disk_engine = tiny_settings(options);
  return db::Access::open(options, environment);
}

/// Runs what is left of `script` until it is killed.
[[noreturn]] void write_until_killed(const std::string& directory, const Campaign& campaign,
                                     Script script, Shared& shared) {
  auto db = open_in(directory, campaign.engine);
  if (!db) _exit(2);
  // Planted: acknowledgements run ahead of the writes.
  constexpr std::uint64_t kAhead = 16;
  for (std::uint64_t i = 0;; ++i) {
    const Script::Step step = script.next();
    const bool is_planted = campaign.plant == Plant::kAckBeforeAppend;
    if (is_planted && i % kAhead == 0) shared.acknowledged_count.fetch_add(kAhead);
    if (!run_step(*db, step)) _exit(3);
    if (!is_planted) shared.acknowledged_count.fetch_add(1);
  }
}

class Run {
 public:
  explicit Run(const Campaign& campaign)
      : campaign_(campaign),
        random_(campaign.seed * 7919 + 1),
        script_(campaign.seed),
        directory_((temporary_.path() / "data").string()) {}

  int operator()() {
    for (std::uint64_t cycle = 0; cycle < campaign_.cycles && violation_count_ == 0; ++cycle) {
      if (!kill_a_writer()) return 1;
      check();
      if ((cycle + 1) % 50 == 0) {
        std::printf("kill9: %llu of %llu cycles, %llu acknowledged\n",
                    static_cast<unsigned long long>(cycle + 1),
                    static_cast<unsigned long long>(campaign_.cycles),
                    static_cast<unsigned long long>(acknowledged_count_));
        std::fflush(stdout);
      }
    }
    std::printf("campaign kill9: cycles=%llu acknowledged=%llu violations=%llu skipped=0\n",
                static_cast<unsigned long long>(campaign_.cycles),
                static_cast<unsigned long long>(acknowledged_count_),
                static_cast<unsigned long long>(violation_count_));
    // A campaign in which writers hardly wrote has shown nothing.
    const bool is_void = acknowledged_count_ < 100 * campaign_.cycles;
    if (is_void) std::printf("kill9: void: too few commits were acknowledged\n");
    return violation_count_ == 0 && !is_void ? 0 : 1;
  }

 private:
  bool kill_a_writer() {
    shared_->acknowledged_count.store(0);
    std::fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0) return false;
    if (pid == 0) write_until_killed(directory_, campaign_, script_, *shared_);
    Child writer(pid);
    // Some are killed while they open, the others after so many commits, in the midst of the next.
    const bool is_early = random_.chance(10);
    const std::uint64_t commit_count = random_.below(2'000);
    std::uint64_t looks_left = is_early ? random_.below(20'000) : UINT64_MAX;
    while (shared_->acknowledged_count.load() < commit_count && looks_left-- > 0) {
      if (writer.has_ended()) break;  // By itself: told below.
      std::this_thread::yield();
    }
    writer.signal(SIGKILL);
    const int status = writer.wait();
    if (was_killed(status)) return true;
    std::printf("kill9: the writer ended by itself with status %d\n", WEXITSTATUS(status));
    return false;
  }

  /// Opens the directory and finds out which commit it stands at.
  void check() {
    const std::uint64_t acknowledged = shared_->acknowledged_count.load();
    acknowledged_count_ += acknowledged;
    poll(nullptr, 0, static_cast<int>(2 * kShortLife.count()));  // T1: no short-lived key is left.
    auto db = open_in(directory_, campaign_.engine);
    if (!db) return violate(std::string(db.error().message()));
    const State found = read_state(*db);
    for (std::uint64_t i = 0; i < acknowledged; ++i) advance();
    if (found == state_) return;
    advance();  // The commit that was under way may be there as well.
    if (found != state_)
      violate("the state is neither that of the last acknowledged commit nor the next");
  }

  void advance() {
    apply_step(state_, script_.next());
    ++done_count_;
  }

  void violate(const std::string& what) {
    ++violation_count_;
    std::printf("kill9: VIOLATION after %llu commits, seed %llu: %s\n",
                static_cast<unsigned long long>(done_count_),
                static_cast<unsigned long long>(campaign_.seed), what.c_str());
  }

  const Campaign campaign_;
  testing::Random random_;
  Script script_;
  State state_;
  std::uint64_t done_count_ = 0;
  std::uint64_t acknowledged_count_ = 0;
  std::uint64_t violation_count_ = 0;
  testing::TemporaryDirectory temporary_;
  const std::string directory_;
  const SharedMemory<Shared> shared_;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  using ashlar::crash::Plant;
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.cycles = arguments.number("size", campaign.cycles);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.engine = ashlar::crash::engine_of(arguments);
  campaign.plant =
      arguments.choice("plant", campaign.plant, {{"ack-before-append", Plant::kAckBeforeAppend}});
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
