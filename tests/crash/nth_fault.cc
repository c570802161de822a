// The campaign `nth-fault`: the n-th call to the disk fails, for every n of a script, in every way,
// once and for ever. Nothing that was acknowledged may be lost by it, and a call that is merely
// interrupted or cut short may not be noticed at all.
//
//     nth-fault [--size=steps] [--seed=] [--stride=calls] [--engine=memory|disk]
//     [--plant=process-for-disk|retry-sync]

#include <cinttypes>
#include <cstdio>
#include <string>

#include "campaign_arguments.h"
#include "lying_disk.h"
#include "os/faulty_disk.h"
#include "os/simulated_disk.h"
#include "simulated_world.h"
#include "testing/random.h"

namespace ashlar::crash {
namespace {

constexpr std::uint64_t kDurablePercent = 30;

struct Campaign {
  std::uint64_t step_count = 60;
  std::uint64_t seed = 1;
  std::uint64_t stride = 3;
  Setting setting = {};
  bool takes_process_for_disk = false;
  Lie lie = Lie::kNone;
};

struct Case {
  os::Fault fault;
  os::FaultSpan span;
  bool is_harmless;  ///< The script must run through all the same.
};

constexpr Case kCases[] = {
    {os::Fault::kEio, os::FaultSpan::kOnce, false},
    {os::Fault::kEio, os::FaultSpan::kForEver, false},
    {os::Fault::kEnospc, os::FaultSpan::kOnce, false},
    {os::Fault::kEnospc, os::FaultSpan::kForEver, false},
    {os::Fault::kEdquot, os::FaultSpan::kForEver, false},
    {os::Fault::kEintr, os::FaultSpan::kOnce, true},
    {os::Fault::kShortRead, os::FaultSpan::kOnce, true},
    {os::Fault::kShortWrite, os::FaultSpan::kOnce, true},
};

class Run {
 public:
  explicit Run(const Campaign& campaign) : campaign_(campaign), random_(campaign.seed) {}

  int operator()() {
    const std::uint64_t call_count = count_calls();
    for (const Case& given : kCases) {
      for (std::uint64_t nth = 0; nth < call_count; nth += campaign_.stride) fail(given, nth);
      std::printf("nth-fault: %" PRIu64 " faults\n", fault_count_);
      std::fflush(stdout);
    }
    std::printf("campaign nth-fault: faults=%" PRIu64 " violations=%" PRIu64 " skipped=0\n",
                fault_count_, violation_count_);
    return violation_count_ == 0 && fault_count_ > 0 ? 0 : 1;
  }

 private:
  Script script() const { return Script(campaign_.seed, kDurablePercent); }

  std::uint64_t count_calls() const {
    os::SimulatedDisk disk;
    os::FaultyDisk counting(disk);
    run_script(counting, clock_, campaign_.setting, script(), campaign_.step_count);
    return counting.call_count(os::CallKind::kAny);
  }

  void fail(const Case& given, std::uint64_t nth) {
    ++fault_count_;
    os::SimulatedDisk disk;
    os::FaultyDisk faulty(disk);
    faulty.fail(os::CallKind::kAny, nth, given.fault, given.span);
    LyingDisk lying(faulty, campaign_.lie);
    const Progress progress =
        run_script(lying, clock_, campaign_.setting, script(), campaign_.step_count);
    if (given.is_harmless && progress.acknowledged_count != campaign_.step_count) {
      return violate("a harmless fault was noticed", given, nth);
    }
    std::uint64_t least = progress.acknowledged_count;
    if (random_.chance(50)) {
      disk.crash_process();
    } else {
      disk.cut_power(os::PowerCut::kKeepRandom, random_.next());
      // The planted bug: a database that takes an acknowledgement for more than it was.
      if (!campaign_.takes_process_for_disk) least = progress.durable_count;
    }
    auto db = open_at(disk, later_, campaign_.setting);
    if (!db) return violate(std::string(db.error().message()), given, nth);
    if (is_state_of(read_state(*db), script(), least, progress.acknowledged_count + 1)) return;
    violate("what was acknowledged is not there", given, nth);
  }

  void violate(const std::string& what, const Case& given, std::uint64_t nth) {
    if (++violation_count_ > 20) return;
    std::printf("nth-fault: VIOLATION, fault %d span %d at call %" PRIu64 ", seed %" PRIu64
                ": %s\n",
                static_cast<int>(given.fault), static_cast<int>(given.span), nth, campaign_.seed,
                what.c_str());
  }

  const Campaign campaign_;
  testing::Random random_;
  const os::ManualClock clock_;
  const os::ManualClock later_{kLaterMs};  // When it is opened again.
  std::uint64_t fault_count_ = 0;
  std::uint64_t violation_count_ = 0;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.step_count = arguments.number("size", campaign.step_count);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.stride = arguments.number("stride", campaign.stride);
  campaign.setting.engine = ashlar::crash::engine_of(arguments);
  const std::string plant = arguments.text("plant");
  campaign.takes_process_for_disk = plant == "process-for-disk";
  if (plant == "retry-sync") campaign.lie = ashlar::crash::Lie::kRetry;
  if (!plant.empty() && !campaign.takes_process_for_disk && plant != "retry-sync") {
    ashlar::crash::CampaignArguments::refuse(plant);
  }
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
