// The campaign `bitrot`: one damage to one file of a directory that nobody has open; then it is
// opened and all of it is read.
//
//     bitrot [--size=flips in each long file] [--stride=bits in short ones] [--seed=]
//     [--engine=memory|disk] [--world=name] [--kind=name] [--from=case]
//     [--plant=name of a bug in plants.cc]
//
// A short file is one of up to 64 KiB. What is done to which file: damage.h.
//
// An opening may end in two ways. It is refused, with a message that names a file; or the database
// holds exactly what was acknowledged. All else is a violation: another value, a commit less, a
// crash, a hang. The disk engine reads its tables when somebody asks for what is in them: so that a
// scan is refused counts as well, but then a read of any key answers what was there or is refused
// too, and `ashlar check` finds the damage. A second opening may not find otherwise than the first,
// and what is written between the two has to be there.
//
// One loss is allowed, since the format cannot know better (docs/formats/log.md). Commits that the
// process was killed with before any of them was written to a segment lie in the ring alone, and
// nothing was promised for them but that they survive the process. Damage in that part of the ring
// looks like its torn end. So after damage to the ring of a killed directory any state counts which
// once was and which has at least what the segments hold; that in turn is no less than what was
// acknowledged at kDisk. Damage to any other file, and any damage to a directory that was closed,
// may cost nothing: the ring still has what was written last, and every frame tells what was
// durable before it.

#include <array>
#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <string>

#include "bitrot_world.h"
#include "campaign_arguments.h"
#include "damage.h"
#include "db/inspection/inspect.h"
#include "plants.h"
#include "shared_memory.h"
#include "watched.h"

namespace ashlar::crash {
namespace {

struct Campaign {
  DamagePlan damage;
  std::uint64_t seed = 1;
  std::string world;  ///< Empty: all of the engine.
  Engine engine = Engine::kMemory;
  std::string kind;  ///< Of damage; likewise.
  std::uint64_t from = 0;
};

constexpr std::uint64_t kReopenEvery = 16;
constexpr std::uint64_t kViolationsShown = 60;

enum class Verdict : std::uint8_t { kHarmless, kTailLost, kRefused, kViolation };
constexpr std::size_t kVerdictCount = 4;

/// What the children have counted.
struct Counts {
  std::array<std::array<std::atomic<std::uint64_t>, kVerdictCount>, kDamageKindCount> of = {};
  std::atomic<std::uint64_t> reopened{0};

  std::uint64_t sum(Verdict verdict) const {
    std::uint64_t total = 0;
    for (const auto& kind : of) total += kind[static_cast<std::size_t>(verdict)].load();
    return total;
  }
};

/// What an opening found.
struct Found {
  std::string refusal;  ///< Why it was refused; empty when it was not.
  State state;
  std::string wrong;  ///< Where only reading was refused: the key that answered otherwise.
};

class Run {
 public:
  explicit Run(const Campaign& campaign) : campaign_(campaign) {}

  int operator()() {
    std::uint64_t case_count = 0;
    for (const WorldPlan& plan : world_plans()) {
      const bool is_wanted = campaign_.world.empty() ? plan.setting.engine == campaign_.engine
                                                     : campaign_.world == plan.name;
      if (!is_wanted) continue;
      case_count += damage_all(plan);
    }
    for (std::size_t kind = 0; kind < kDamageKindCount; ++kind) {
      std::printf("bitrot: %-9s", kDamageNames[kind]);
      for (std::size_t i = 0; i < kVerdictCount; ++i) {
        constexpr const char* kNames[] = {"harmless", "tail lost", "refused", "violations"};
        std::printf(" %s=%" PRIu64, kNames[i], counts_->of[kind][i].load());
      }
      std::printf("\n");
    }
    const std::uint64_t violation_count = counts_->sum(Verdict::kViolation);
    std::printf("campaign bitrot: damages=%" PRIu64 " harmless=%" PRIu64 " tail_lost=%" PRIu64
                " refused=%" PRIu64 " reopened=%" PRIu64 " violations=%" PRIu64 " skipped=0\n",
                case_count, counts_->sum(Verdict::kHarmless), counts_->sum(Verdict::kTailLost),
                counts_->sum(Verdict::kRefused), counts_->reopened.load(), violation_count);
    const bool is_void = case_count == 0 || counts_->sum(Verdict::kRefused) == 0;
    if (is_void) std::printf("bitrot: void: no damage was refused\n");
    return violation_count == 0 && !is_void ? 0 : 1;
  }

 private:
  std::uint64_t damage_all(const WorldPlan& plan) {
    world_ = make_world(plan, campaign_.seed, clock_);
    testing::Random random(campaign_.seed);
    damages_ = damages_of(world_, campaign_.damage, random);
    std::erase_if(damages_, [this](const Damage& damage) {
      return !campaign_.kind.empty() && campaign_.kind != name_of(damage.kind);
    });
    std::printf("bitrot: %s: %zu files, %zu commits, %" PRIu64 " at kDisk, %" PRIu64
                " in segments; %zu damages\n",
                plan.name, world_.paths.size(), world_.states.size() - 1, world_.durable_count,
                world_.segments_count, damages_.size());
    const std::uint64_t end = damages_.size();
    const std::uint64_t begin = std::min(campaign_.from, end);
    run_watched(
        {.begin = begin, .end = end}, [this](std::uint64_t i) { run(i); },
        [this](std::uint64_t i, const std::string& how) { violate(i, how); });
    return end - begin;
  }

  void run(std::uint64_t index) {
    if (index % 10'000 == 0) {
      std::printf("bitrot: %s: at %" PRIu64 " of %zu\n", world_.plan->name, index, damages_.size());
      std::fflush(stdout);
    }
    const Damage& damage = damages_[index];
    const auto disk = world_.disk->clone();
    inflict(damage, world_, *disk);
    const Found found = open_and_read(*disk);
    if (!judge(index, found)) return;
    if (damage.kind != DamageKind::kBit || index % kReopenEvery == 0) reopen(index, *disk, found);
  }

  /// Opens, reads, and leaves as a killed process does.
  Found open_and_read(os::SimulatedDisk& disk) const {
    auto opened = open_at(disk, clock_, world_.plan->setting);
    Found found;
    if (!opened) {
      found.refusal = opened.error().message();
      if (found.refusal.empty()) found.refusal = "(without a message)";
    } else {
      found.refusal = refusal_of_scan(*opened);
      if (found.refusal.empty()) found.state = read_state(*opened);
      if (!found.refusal.empty()) found.wrong = find_wrong(*opened);
    }
    disk.crash_process();
    if (!found.refusal.empty() && found.wrong.empty() && is_taken_for_sound(disk)) {
      found.wrong = "nothing, but a check finds no damage";
    }
    return found;
  }

  static std::string refusal_of_scan(const Db& db) {
    auto rows = db.scan();
    if (!rows) return std::string(rows.error().message());
    // Values that stand apart from their rows are read when they are asked for.
    for (rows->seek_to_first(); rows->is_valid(); rows->next()) (void)rows->value();
    const Result<void> status = rows->status();
    return status ? std::string() : std::string(status.error().message());
  }

  /// A key whose value is neither what it was nor refused; empty when there is none.
  std::string find_wrong(const Db& db) const {
    for (const auto& [key, value] : world_.last) {
      const auto got = db.get(key);
      if (got && (!*got || (*got)->view() != value)) return key;
    }
    return {};
  }

  static bool is_taken_for_sound(os::SimulatedDisk& disk) {
    const auto directory = db::Directory::open_as_is(disk, "/data");
    if (!directory) return false;
    const auto inspection = db::inspect(disk, **directory);
    return inspection && inspection->report.is_sound();
  }

  /// The least commit that may be the last after `damage`.
  std::uint64_t least_after(const Damage& damage) const {
    constexpr const char* kRing = "/data/log/ring";
    const bool hits_ring = damage.path == kRing || damage.other_path == kRing;
    const std::uint64_t all = world_.states.size() - 1;
    return hits_ring && world_.plan->ending == Ending::kKilled ? world_.segments_count : all;
  }

  /// Counts what was found. Returns: false when it is a violation
  bool judge(std::uint64_t index, const Found& found) {
    const Damage& damage = damages_[index];
    const bool is_whole = least_after(damage) + 1 == world_.states.size();
    if (!found.wrong.empty() && is_whole)
      return violate(index, "wrong under a refusal: " + found.wrong);
    if (!found.refusal.empty()) {
      if (!names_file(damage, found.refusal)) return violate(index, "unclear: " + found.refusal);
      count(damage, Verdict::kRefused);
      return true;
    }
    const std::uint64_t all = world_.states.size() - 1;
    const std::uint64_t state = fingerprint_of(found.state);
    if (state == world_.states[all]) {
      count(damage, Verdict::kHarmless);
      return true;
    }
    for (std::uint64_t i = all; i-- > 0;) {
      if (state != world_.states[i]) continue;
      if (i < least_after(damage)) {
        return violate(index, "lost in silence: " + std::to_string(all - i) + " commits");
      }
      count(damage, Verdict::kTailLost);
      return true;
    }
    return violate(index, "the state is none that ever was");
  }

  /// Whether a refusal leads whoever reads it to the file, or to what lies beside it. A file that
  /// is gone cannot be named: some other tells what is missing.
  static bool names_file(const Damage& damage, const std::string& refusal) {
    if (damage.kind == DamageKind::kRemove) return refusal.find("/data") != std::string::npos;
    const auto folder_of = [](const std::string& path) { return path.substr(0, path.rfind('/')); };
    return refusal.find(folder_of(damage.path)) != std::string::npos ||
           (!damage.other_path.empty() &&
            refusal.find(folder_of(damage.other_path)) != std::string::npos);
  }

  /// A second opening, after a commit if the first was not refused.
  void reopen(std::uint64_t index, os::SimulatedDisk& disk, const Found& first) {
    counts_->reopened.fetch_add(1);
    State expected = first.state;
    if (first.refusal.empty()) {
      auto db = open_at(disk, clock_, world_.plan->setting);
      if (!db) return void(violate(index, "then refused: " + std::string(db.error().message())));
      expected["after"] = "the damage";
      const auto put = db->put("after", "the damage", Expiry::never(), Durability::kDisk);
      if (!put)
        return void(violate(index, "takes no write: " + std::string(put.error().message())));
      disk.crash_process();
    }
    const Found second = open_and_read(disk);
    if (second.refusal.empty() != first.refusal.empty()) {
      violate(index, second.refusal.empty() ? "refused once, then opened (" + first.refusal + ")"
                                            : "opened once, then " + second.refusal);
    } else if (second.state != expected) {
      violate(index, "a second opening finds another state");
    }
  }

  void count(const Damage& damage, Verdict verdict) {
    auto& counts = counts_->of[static_cast<std::size_t>(damage.kind)];
    counts[static_cast<std::size_t>(verdict)].fetch_add(1);
  }

  bool violate(std::uint64_t index, const std::string& what) {
    count(damages_[index], Verdict::kViolation);
    if (counts_->sum(Verdict::kViolation) > kViolationsShown) return false;
    std::printf("bitrot: VIOLATION, seed %" PRIu64 " world %s case %" PRIu64 ": %s: %s\n",
                campaign_.seed, world_.plan->name, index, describe(damages_[index]).c_str(),
                what.c_str());
    return false;
  }

  const Campaign campaign_;
  const os::ManualClock clock_{kLaterMs};
  const SharedMemory<Counts> counts_;
  World world_;
  std::vector<Damage> damages_;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  ashlar::crash::Campaign campaign;
  campaign.damage.long_file_flips = arguments.number("size", campaign.damage.long_file_flips);
  campaign.damage.bit_stride = arguments.number("stride", campaign.damage.bit_stride);
  campaign.seed = arguments.number("seed", campaign.seed);
  campaign.world = arguments.text("world");
  campaign.engine = ashlar::crash::engine_of(arguments);
  campaign.kind = arguments.text("kind");
  campaign.from = arguments.number("from", campaign.from);
  const std::string plant = arguments.text("plant");
  if (!ashlar::crash::plant_bug(plant)) ashlar::crash::CampaignArguments::refuse(plant);
  arguments.expect_nothing_left();
  return ashlar::crash::Run(campaign)();
}
