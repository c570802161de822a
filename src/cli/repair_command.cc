#include <random>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "db/inspection/repair.h"

namespace ashlar::cli {
namespace {

log::LogId random_log_id() {
  std::random_device source;
  return std::uint64_t{source()} << 32U | source();
}

void print_list(const Streams& streams, const std::string& title,
                const std::vector<std::string>& lines) {
  for (const std::string& line : lines) streams.print(title + line + "\n");
}

}  // namespace

ExitStatus run_repair(os::Disk& disk, const std::string& directory, RepairRun run,
                      const Streams& streams) {
  const bool is_dry = run == RepairRun::kDry;
  const auto outcome = db::repair(
      disk, directory, is_dry ? db::RepairMode::kPlan : db::RepairMode::kApply, random_log_id());
  if (!outcome) {
    (void)streams.fail(outcome.error());
    return kFailed;
  }
  if (!outcome->pending.empty()) {
    print_list(streams,
               "would first bring a repair that was stopped to its end: ", outcome->pending);
    streams.print(directory +
                  ": nothing was changed (--dry-run); what is damaged shows afterwards\n");
    return kGood;
  }
  if (outcome->was_taken_up) {
    streams.print("a repair that had been stopped was brought to its end\n");
  }
  if (outcome->before.is_sound()) {
    streams.print(directory + ": nothing is damaged, nothing to do\n");
    return kGood;
  }
  for (const db::Damage& damage : outcome->before.damages) {
    streams.print("damage: " + damage.path + ": offset " + std::to_string(damage.offset) + ": " +
                  damage.what + "\n");
  }
  print_list(streams, is_dry ? "would keep: " : "kept: ", outcome->kept);
  print_list(streams, is_dry ? "would be lost: " : "lost: ", outcome->losses);
  const std::string to = outcome->aside.empty() ? "" : " -> " + outcome->aside;
  for (const std::string& name : outcome->moved) {
    streams.print((is_dry ? "would put aside: " : "put aside: ") + name + to + "\n");
  }
  streams.print(directory + (is_dry ? ": nothing was changed (--dry-run)\n" : ": repaired\n"));
  return kGood;
}

}  // namespace ashlar::cli
