// The campaign `planted`: every bug that can be planted, each in the campaign that must find it. A
// bug is found when that campaign reports violations with it and none without it.
//
//     planted [--only=bug] [--size=how many, from the first]
//
// A missed bug is a violation: the campaign would not have found it either if somebody had made it.

#include <sys/wait.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "campaign_arguments.h"

namespace ashlar::crash {
namespace {

constexpr int kSkipped = 77;

struct PlantedBug {
  const char* name;      ///< As `--plant` has it.
  const char* campaign;  ///< "_planted": its twin, which has the bug inside the library.
  const char* arguments;
  const char* what;
  unsigned seed = 1;
  unsigned try_count = 1;  ///< Each with another seed.
};

constexpr const char* kPoints = "--size=300 --stride=7 --states=12";
constexpr const char* kTables = "--engine=disk --size=600 --stride=11 --states=12";
constexpr const char* kFlips = "--world=killed --kind=bits --size=10 --stride=1597";

constexpr const char* kThreads = "--size=4000 --rounds=4";
constexpr const char* kCuts = "--size=40";
constexpr const char* kSoak = "--mebibytes=100 --cycles=2 --open_ms_max=0 --resident=printed";

// Where a real process was when it was killed, and what the kernel had written by then, is no
// matter of the seed alone: a sound database passes every try, a bug need not show in the first.
constexpr unsigned kTimedTries = 25;

constexpr PlantedBug kBugs[] = {
    {"ack-before-append", "kill9", "--size=40", "acknowledging before the log has it", 1,
     kTimedTries},
    {"ack-before-sync", "crashpoints", kPoints, "acknowledging kDisk before it is on the disk"},
    {"process-for-disk", "nth-fault", "--size=60 --stride=3",
     "taking an acknowledgement for more than it was"},
    {"durable-writes", "crashpoints", kPoints, "leaving out the sync of the log"},
    {"sync", "crashpoints", kPoints, "leaving out the sync of other files"},
    {"names", "crashpoints", kPoints, "leaving out the sync of directories"},
    {"rename-before-sync", "crashpoints", kPoints, "renaming a file before it is synced"},
    {"late-checkpoint", "crashpoints", "--size=2000 --stride=23 --states=12",
     "letting go of the log before the checkpoint is durable"},
    {"retry-sync", "nth-fault", "--size=60 --stride=1",
     "trying a failed sync again and trusting it", 3},
    {"batch-in-parts", "crashpoints", kPoints, "logging a batch operation by operation"},
    {"batch-tail", "crashpoints_planted", kPoints, "dropping the last operation of a batch"},
    {"clock-set-back", "crashpoints", kPoints, "judging deadlines by a clock that went back"},
    {"frame-checksum", "bitrot_planted", kFlips, "ignoring the checksum of a frame"},
    {"checkpoint-checksum", "bitrot_planted", kFlips, "ignoring the checksum of a checkpoint", 6},
    {"damage-is-end", "bitrot_planted", kFlips, "taking damage in the log for its end"},
    {"late-tables", "crashpoints", kTables, "naming tables in a manifest before they are durable"},
    {"late-manifest", "crashpoints", kTables,
     "letting go of the log before the manifest is durable"},
    {"early-removal", "crashpoints_planted", kTables,
     "removing tables before the manifest without them is there"},
    {"old-place", "crashpoints_planted", kTables,
     "a manifest that leaves off where the log is gone"},
    {"erases-gone", "crashpoints_planted", kTables, "dropping erases above older rows"},
    {"forgotten-values", "crashpoints_planted", kTables, "using segments again that rows refer to"},
    {"ack-before-sync", "powercut", kCuts, "the same, on a real file system", 1, kTimedTries},
    {"durable-writes", "powercut", kCuts, "the same, on a real file system", 1, kTimedTries},
    {"sync", "powercut", kCuts, "the same, on a real file system", 1, kTimedTries},
    {"late-checkpoint", "powercut", kCuts, "the same, on a real file system", 1, kTimedTries},
    {"single-puts", "isolation_planted", kThreads, "telling nobody of writes of one key", 1,
     kTimedTries},
    {"ranges", "isolation_planted", kThreads, "validating no ranges", 1, kTimedTries},
    {"newest-reads", "isolation_planted", kThreads, "reading what came after the snapshot", 1,
     kTimedTries},
    {"batch-tail", "isolation_planted", kThreads, "dropping the last operation of a batch", 1,
     kTimedTries},
    {"stream-before-durable", "replay_planted", "--size=4000",
     "handing out commits that are not durable yet", 1, kTimedTries},
    {"lost-write", "soak", kSoak, "losing one put of some thousands"},
    {"open-files", "soak", kSoak, "leaving a file open each time it is filled and emptied"},
    {"left-files", "soak", kSoak, "leaving a file behind each time"},
};

class Run {
 public:
  Run(std::filesystem::path folder, std::string only, std::uint64_t bug_count_max)
      : folder_(std::move(folder)), only_(std::move(only)), bug_count_max_(bug_count_max) {}

  int operator()() {
    for (const PlantedBug& bug : kBugs) {
      const std::string name = std::string(bug.campaign) + "." + bug.name;
      if (bug_count_ == bug_count_max_ || (!only_.empty() && only_ != name)) continue;
      ++bug_count_;
      try_out(bug, name);
    }
    std::printf("campaign planted: bugs=%" PRIu64 " found=%" PRIu64 " violations=%" PRIu64
                " skipped=%" PRIu64 "\n",
                bug_count_, found_count_, bug_count_ - found_count_ - skipped_count_,
                skipped_count_);
    if (bug_count_ == 0) CampaignArguments::refuse(only_);
    if (found_count_ + skipped_count_ < bug_count_) return 1;
    return found_count_ == 0 ? kSkipped : 0;
  }

 private:
  void try_out(const PlantedBug& bug, const std::string& name) {
    const std::string command =
        std::string("campaign_") + bug.campaign + " " + bug.arguments + " --seed=";
    const std::string first = command + std::to_string(bug.seed);
    if (!sound_.contains(first)) sound_[first] = violations_of(first);
    const std::optional<std::uint64_t> sound = sound_[first];
    std::optional<std::uint64_t> planted = 0;
    for (unsigned i = 0; i < bug.try_count && planted == 0; ++i) {
      planted = violations_of(command + std::to_string(bug.seed + i) + " --plant=" + bug.name);
    }
    const char* verdict = "MISSED";
    if (!sound || !planted) {
      ++skipped_count_;
      verdict = "skipped";
    } else if (*sound == 0 && *planted > 0) {
      ++found_count_;
      verdict = "found";
    }
    std::printf("planted: %-36s %-8s %s\n", name.c_str(), verdict, bug.what);
    std::fflush(stdout);
  }

  /// Runs a campaign. Returns: the violations it reports; nullopt when it was skipped
  std::optional<std::uint64_t> violations_of(const std::string& command) const {
    std::FILE* const output = popen((folder_ / command).c_str(), "r");
    if (output == nullptr) return std::nullopt;
    constexpr std::size_t kLineBytesMax = 1024;
    char line[kLineBytesMax];
    std::optional<std::uint64_t> violation_count;
    while (std::fgets(line, sizeof(line), output) != nullptr) {
      const std::string text(line);
      const std::size_t at = text.find(" violations=");
      if (!text.starts_with("campaign ") || at == std::string::npos) continue;
      violation_count = std::strtoull(text.c_str() + at + 12, nullptr, 10);
    }
    const int status = pclose(output);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped) return std::nullopt;
    // One that does not come to its last line has found nothing.
    return violation_count.value_or(0);
  }

  const std::filesystem::path folder_;
  const std::string only_;
  const std::uint64_t bug_count_max_;
  std::map<std::string, std::optional<std::uint64_t>> sound_;  // Without the bug, by command.
  std::uint64_t bug_count_ = 0;
  std::uint64_t found_count_ = 0;
  std::uint64_t skipped_count_ = 0;
};

}  // namespace
}  // namespace ashlar::crash

int main(int argument_count, char** argument_list) {
  ashlar::crash::CampaignArguments arguments(argument_count, argument_list);
  const std::uint64_t bug_count_max = arguments.number("size", UINT64_MAX);
  const std::string only = arguments.text("only");
  arguments.expect_nothing_left();
  const auto folder = std::filesystem::absolute(argument_list[0]).parent_path();
  return ashlar::crash::Run(folder, only, bug_count_max)();
}
