// The campaign `crashpoints`: a script runs on a simulated disk and the machine stops before each
// of its calls; what a power cut may then leave is opened, in many variants, and must hold
// everything that was acknowledged as durable, and a state that once was.
//
//     crashpoints [--size=steps] [--seed=] [--from=call] [--stride=calls] [--states=a crash point]
//     [--engine=memory|disk] [--hits=at each named point, at least]
//     [--plant=name of a bug in lying_disk.h, in plants.cc, or below]
//
// On the disk engine the calls of flushes and compactions have names (kill_points.h); so many
// recoveries must follow a stop at each, or the campaign fails.
//
// One in eight recoveries is stopped as well, at a random call, and done again; one in eight of
// those a second time, and so on to the third. What happens at a call depends on the seed and the
// call alone, so a long run that was cut goes on with `--from`.

#include <cinttypes>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "campaign_arguments.h"
#include "kill_points.h"
#include "lying_disk.h"
#include "os/simulated_disk.h"
#include "plants.h"
#include "simulated_world.h"
#include "testing/random.h"

namespace ashlar::crash {
namespace {

// So many of a hundred steps are to survive a power cut.
constexpr std::uint64_t kDurablePercent = 60;

// A recovery is stopped at most so often before one runs through.
constexpr int kNestedMax = 3;

struct Campaign {
  std::uint64_t states_per_point = 8;
  std::uint64_t seed = 1;
  std::uint64_t from = 0;
  std::uint64_t stride = 40;
  std::uint64_t step_count = 300;
  std::uint64_t hits_min = 0;  ///< At each named point.
  Setting setting = {};
  Lie lie = Lie::kNone;
  Misuse misuse = Misuse::kNone;
  bool is_clock_set_back = false;
};

class Run {
 public:
  explicit Run(const Campaign& campaign)
      : campaign_(campaign), later_(campaign.is_clock_set_back ? 0 : kLaterMs) {}

  int operator()() {
    const std::uint64_t call_count = count_calls();
    for (std::uint64_t call = campaign_.from; call < call_count; ++call) {
      if (!is_chosen(call)) continue;
      crash_before(call);
      if (violation_count_ > 10) break;
      if ((call - campaign_.from) % (campaign_.stride * 20) == 0) {
        std::printf("crashpoints: call %" PRIu64 " of %" PRIu64 ", %" PRIu64 " recoveries\n", call,
                    call_count, recovery_count_);
        std::fflush(stdout);
      }
    }
    const bool is_on_disk = campaign_.setting.engine == Engine::kDisk;
    const bool is_enough = !is_on_disk || point_counts_.print("crashpoints", campaign_.hits_min);
    std::printf("campaign crashpoints: calls=%" PRIu64 " from=%" PRIu64 " recoveries=%" PRIu64
                " nested=%" PRIu64 " violations=%" PRIu64 " skipped=0\n",
                call_count, campaign_.from, recovery_count_, nested_count_, violation_count_);
    return violation_count_ == 0 && recovery_count_ > 0 && is_enough ? 0 : 1;
  }

 private:
  /// Every so many calls one, and those at a point that has not been hit often enough.
  bool is_chosen(std::uint64_t call) const {
    if ((call - campaign_.from) % campaign_.stride == 0) return true;
    const auto at = named_.find(call);
    return at != named_.end() && point_counts_.of(at->second) < campaign_.hits_min;
  }

  Progress run(os::SimulatedDisk& simulated, os::Disk& disk) const {
    LyingDisk lying(disk, campaign_.lie);
    return run_script(lying, clock_, campaign_.setting, Script(campaign_.seed, kDurablePercent),
                      campaign_.step_count, campaign_.misuse,
                      [&] { return simulated.has_stopped(); });
  }

  std::uint64_t count_calls() {
    os::SimulatedDisk disk;
    NamingDisk naming(disk, [&disk] { return disk.call_count(); });
    const Progress progress = run(disk, naming);
    named_ = naming.named();
    if (progress.acknowledged_count != campaign_.step_count) {
      violate("the script does not run through on a disk without faults", 0);
    }
    return disk.call_count();
  }

  void crash_before(std::uint64_t call) {
    os::SimulatedDisk disk;
    disk.stop_before(call);
    const Progress progress = run(disk, disk);
    if (const auto at = named_.find(call); at != named_.end()) {
      point_counts_.add(at->second, campaign_.states_per_point);
    }
    testing::Random random(campaign_.seed, call);
    for (std::uint64_t i = 0; i < campaign_.states_per_point; ++i) {
      const auto left = disk.clone();
      Bounds bounds{.least = progress.durable_count, .most = progress.acknowledged_count + 1};
      if (i == 0) {
        left->crash_process();
        bounds.least = progress.acknowledged_count;
      } else {
        left->cut_power(cut_of(i), random.next());
      }
      for (int depth = 0; depth < kNestedMax && random.below(8) == 0; ++depth) {
        stop_in_recovery(*left, i, random);
      }
      recover(*left, bounds, call);
    }
  }

  struct Bounds {
    std::uint64_t least;
    std::uint64_t most;
  };

  static os::PowerCut cut_of(std::uint64_t index) {
    constexpr os::PowerCut kCuts[] = {os::PowerCut::kKeepNothing, os::PowerCut::kKeepEverything,
                                      os::PowerCut::kKeepRandom, os::PowerCut::kTorn,
                                      os::PowerCut::kTorn4K};
    return kCuts[index % std::size(kCuts)];
  }

  void stop_in_recovery(os::SimulatedDisk& disk, std::uint64_t index, testing::Random& random) {
    disk.stop_before(disk.call_count() + random.below(60));
    {
      const auto db = open_at(disk, later_, campaign_.setting);
    }
    if (index == 0) {
      disk.crash_process();
    } else {
      disk.cut_power(cut_of(index), random.next());
    }
    ++nested_count_;
  }

  void recover(os::SimulatedDisk& disk, const Bounds& bounds, std::uint64_t call) {
    ++recovery_count_;
    auto db = open_at(disk, later_, campaign_.setting);
    if (!db) return violate(std::string(db.error().message()), call);
    const State state = read_state(*db);
    const Script script(campaign_.seed, kDurablePercent);
    if (is_state_of(state, script, bounds.least, bounds.most)) return;
    violate("the state is none from commit " + std::to_string(bounds.least) + " to " +
                std::to_string(bounds.most),
            call);
  }

  void violate(const std::string& what, std::uint64_t call) {
    ++violation_count_;
    std::printf("crashpoints: VIOLATION before call %" PRIu64 ", seed %" PRIu64 ": %s\n", call,
                campaign_.seed, what.c_str());
  }

  const Campaign campaign_;
  const os::ManualClock clock_;
  const os::ManualClock later_;                // When it is opened again.
  std::map<std::uint64_t, NamedPoint> named_;  // Calls of the script, by their numbers.
  KillPointCounts point_counts_;
  std::uint64_t recovery_count_ = 0;
  std::uint64_t nested_count_ = 0;
  std::uint64_t violation_count_ = 0;
};

/// Plants the bug `name` where it belongs.
void plant(const std::string& name, Campaign& campaign) {
  if (lies().contains(name)) {
    campaign.lie = lies().at(name);
  } else if (name == "ack-before-sync") {
    campaign.misuse = Misuse::kAckBeforeSync;
  } else if (name == "batch-in-parts") {
    campaign.misuse = Misuse::kBatchInParts;
  } else if (name == "clock-set-back") {
    campaign.is_clock_set_back = true;
  } else if (!plant_bug(name)) {
    CampaignArguments::refuse(name);
  }
}

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.states_per_point = arguments.number("states", campaign.states_per_point);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.from = arguments.number("from", campaign.from);
  campaign.stride = arguments.number("stride", campaign.stride);
  campaign.step_count = arguments.number("size", campaign.step_count);
  campaign.hits_min = arguments.number("hits", campaign.hits_min);
  campaign.setting.engine = ashlar::crash::engine_of(arguments);
  ashlar::crash::plant(arguments.text("plant"), campaign);
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
