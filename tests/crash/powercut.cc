// The campaign `powercut`: a real file system loses its power under a writer, again and again, and
// what is there afterwards must be all that was acknowledged at kDisk, and a state that once was.
//
//     powercut [--size=cuts] [--seed=] [--fs=ext4|xfs] [--engine=memory|disk]
//     [--plant=ack-before-sync|durable-writes]
//
// A cut: the writer, a child that counts its acknowledgements in shared memory, is stopped at a
// random moment. Random ranges of its files are written back, as the kernel may do at any time, so
// that later writes reach the disk before earlier ones. The file system is shut down without its
// journal, the writer killed, the file system mounted again and the database opened. What is lost
// is the page cache and the journal in memory; a drive with a lying cache is another matter.
//
// Needs root, a loop device and mkfs of the file system; where one is missing the campaign prints
// why with skipped=<cuts> and exits with 77.

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "acknowledged.h"
#include "campaign_arguments.h"
#include "campaign_engine.h"
#include "child.h"
#include "db/access.h"
#include "loop_volume.h"
#include "lying_disk.h"
#include "os/posix_disk.h"
#include "shared_memory.h"
#include "simulated_world.h"

namespace ashlar::crash {
namespace {

constexpr int kSkipped = 77;
constexpr std::uint64_t kDurablePercent = 20;
constexpr std::uint64_t kCutsPerVolume = 250;
constexpr std::uint64_t kCommitsPerCutMax = 400;

/// Set by a signal: the campaign ends after the cut at hand, and cleans up.
volatile std::sig_atomic_t is_interrupted = 0;

struct Campaign {
  std::uint64_t cut_count = 200;
  std::uint64_t seed = 1;
  std::string file_system = "ext4";
  Misuse misuse = Misuse::kNone;
  Lie lie = Lie::kNone;
  Engine engine = Engine::kMemory;
};

/// What the writer tells.
struct Shared {
  std::atomic<std::uint64_t> acknowledged_count{0};
  std::atomic<std::uint64_t> durable_count{
      0};  ///< Everything up to here was acknowledged at kDisk.
};

Result<Db> open_on(os::Disk& disk, const std::filesystem::path& directory, Engine engine) {
  const Options options = options_for(directory.string(), engine);
  db::Environment environment;
  environment.disk_engine = tiny_settings(options);
  environment.disk = &disk;
  environment.log.segment_bytes = std::size_t{256} << 10U;
  environment.log.ring_bytes = std::size_t{64} << 10U;
  return db::Access::open(options, environment);
}

[[noreturn]] void write_until_killed(const Campaign& campaign, const std::string& directory,
                                     Script script, Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  os::PosixDisk posix;
  LyingDisk disk(posix, campaign.lie);
  auto db = open_on(disk, directory, campaign.engine);
  if (!db) {
    std::fprintf(stderr, "powercut: %s\n", std::string(db.error().message()).c_str());
    _exit(2);
  }
  for (std::uint64_t i = 1;; ++i) {
    const Script::Step step = script.next();
    if (!run_misused_step(*db, step, campaign.misuse)) _exit(3);
    if (step.durability == Durability::kDisk) shared.durable_count.store(i);
    shared.acknowledged_count.store(i);
  }
}

/// Writes random ranges of the files in `directory` back to the disk.
void write_back_at_random(const std::filesystem::path& directory, testing::Random& random) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    if (!entry.is_regular_file(error) || random.chance(40)) continue;
    const int fd = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const std::uint64_t blocks = entry.file_size(error) / os::kBlockBytes + 1;
    for (std::uint64_t i = random.below(8); i > 0; --i) {
      const std::uint64_t begin = random.below(blocks) * os::kBlockBytes;
      const std::uint64_t bytes = (1 + random.below(8)) * os::kBlockBytes;
      sync_file_range(
          fd, static_cast<off_t>(begin), static_cast<off_t>(bytes),
          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    }
    close(fd);
  }
}

class Run {
 public:
  explicit Run(const Campaign& campaign) : campaign_(campaign), random_(campaign.seed, 1) {}

  int operator()() {
    while (cut_count_ < campaign_.cut_count && violation_count_ == 0 && is_interrupted == 0) {
      auto volume = LoopVolume::make(campaign_.file_system);
      if (!volume) return skip(volume.error());
      begin_anew();
      const std::uint64_t end = std::min(campaign_.cut_count, cut_count_ + kCutsPerVolume);
      while (cut_count_ < end && violation_count_ == 0 && is_interrupted == 0) cut(**volume);
    }
    std::printf("campaign powercut: fs=%s cuts=%" PRIu64 " acknowledged=%" PRIu64
                " durable=%" PRIu64 " lost_undurable=%" PRIu64 " violations=%" PRIu64
                " skipped=0\n",
                campaign_.file_system.c_str(), cut_count_, acknowledged_count_, durable_count_,
                lost_count_, violation_count_);
    // A campaign in which hardly anything was promised has shown nothing.
    const bool is_void = durable_count_ < 5 * cut_count_;
    if (is_void) std::printf("powercut: void: too few commits were acknowledged at kDisk\n");
    return violation_count_ == 0 && !is_void && is_interrupted == 0 ? 0 : 1;
  }

 private:
  int skip(const Error& reason) const {
    const std::string message(reason.message());
    std::printf("campaign powercut: fs=%s cuts=%" PRIu64 " violations=0 skipped=%" PRIu64 " (%s)\n",
                campaign_.file_system.c_str(), cut_count_, campaign_.cut_count - cut_count_,
                message.c_str());
    return kSkipped;
  }

  void begin_anew() {
    state_.clear();
    script_ = Script(campaign_.seed * 1'000'003 + cut_count_, kDurablePercent);
  }

  void cut(LoopVolume& volume) {
    const std::filesystem::path directory = volume.path() / "data";
    shared_->acknowledged_count.store(0);
    shared_->durable_count.store(0);
    std::fflush(stdout);
    const pid_t pid = fork();
    if (pid < 0) return violate("no child can be had");
    if (pid == 0) write_until_killed(campaign_, directory.string(), script_, *shared_);
    Child writer(pid);
    wait_for_moment(writer);
    writer.signal(SIGSTOP);
    write_back_at_random(directory, random_);
    const auto is_cut = volume.cut_power();
    writer.signal(SIGKILL);
    if (!was_killed(writer.wait())) return violate("the writer ended by itself");
    if (!is_cut) return violate(std::string(is_cut.error().message()));
    if (const auto done = volume.remount(); !done) {
      return violate(std::string(done.error().message()));
    }
    ++cut_count_;
    check(directory);
    if (cut_count_ % 50 == 0) {
      std::printf("powercut: %" PRIu64 " of %" PRIu64 " cuts, %" PRIu64 " acknowledged at kDisk\n",
                  cut_count_, campaign_.cut_count, durable_count_);
    }
  }

  /// Some are cut while they open, the others after so many commits, in the midst of the next.
  void wait_for_moment(Child& writer) {
    const std::uint64_t commit_count = random_.below(kCommitsPerCutMax);
    if (random_.chance(10)) {
      poll(nullptr, 0, static_cast<int>(random_.below(12)));
      return;
    }
    while (shared_->acknowledged_count.load() < commit_count) {
      if (writer.has_ended()) return;  // By itself: told by the caller.
      sched_yield();
    }
  }

  void check(const std::filesystem::path& directory) {
    const std::uint64_t acknowledged = shared_->acknowledged_count.load();
    const std::uint64_t durable = shared_->durable_count.load();
    acknowledged_count_ += acknowledged;
    durable_count_ += durable;
    poll(nullptr, 0, static_cast<int>(2 * kShortLife.count()));  // T1: no short-lived key is left.
    os::PosixDisk disk;
    auto db = open_on(disk, directory, campaign_.engine);
    if (!db) return violate(std::string(db.error().message()));
    const State found = read_state(*db);
    if (go_on_from(found, durable, acknowledged)) return;
    violate("the state is none from commit " + std::to_string(durable) + " to " +
            std::to_string(acknowledged + 1));
  }

  /// Takes `found` for where the next writer begins. Returns: false when it is no state after one
  /// of the commits from `least` to the one that was under way
  bool go_on_from(const State& found, std::uint64_t least, std::uint64_t acknowledged) {
    bool is_found = false;
    State state = state_;
    Script script = script_;
    for (std::uint64_t i = 0; i <= acknowledged + 1; ++i) {
      if (i >= least && state == found) {
        is_found = true;
        script_ = script;
        lost_here_ = acknowledged - std::min(i, acknowledged);
      }
      apply_step(state, script.next());
    }
    state_ = found;
    if (is_found) lost_count_ += lost_here_;
    return is_found;
  }

  void violate(const std::string& what) {
    ++violation_count_;
    std::printf("powercut: VIOLATION at cut %" PRIu64 ", fs %s, seed %" PRIu64 ": %s\n", cut_count_,
                campaign_.file_system.c_str(), campaign_.seed, what.c_str());
  }

  const Campaign campaign_;
  testing::Random random_;
  const SharedMemory<Shared> shared_;
  Script script_{0};
  State state_;  // What the last opening found.
  std::uint64_t cut_count_ = 0;
  std::uint64_t acknowledged_count_ = 0;
  std::uint64_t durable_count_ = 0;
  std::uint64_t lost_here_ = 0;
  std::uint64_t lost_count_ = 0;
  std::uint64_t violation_count_ = 0;
};

void stop_on_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { is_interrupted = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
}

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.cut_count = arguments.number("size", campaign.cut_count);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.file_system =
      arguments.choice<std::string>("fs", campaign.file_system, {{"ext4", "ext4"}, {"xfs", "xfs"}});
  campaign.engine = ashlar::crash::engine_of(arguments);
  const std::string plant = arguments.text("plant");
  if (plant == "ack-before-sync") {
    campaign.misuse = ashlar::crash::Misuse::kAckBeforeSync;
  } else if (ashlar::crash::lies().contains(plant)) {
    campaign.lie = ashlar::crash::lies().at(plant);
  } else if (!plant.empty()) {
    ashlar::crash::CampaignArguments::refuse(plant);
  }
  arguments.expect_nothing_left();
  ashlar::crash::stop_on_signals();
  return ashlar::crash::Run(campaign)();
}
