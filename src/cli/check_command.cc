#include <string>

#include "cli/commands.h"
#include "db/inspection/inspect.h"

namespace ashlar::cli {
namespace {

std::string summary_of(const db::DirectoryReport& report) {
  std::string text = report.path + ": ";
  if (report.tables) {
    const db::LevelFigures total = report.tables->total();
    text += std::to_string(total.row_count) + " rows in " + std::to_string(total.table_count) +
            " tables by manifest " + std::to_string(report.tables->manifest_number) + ", ";
  } else if (report.engine == Engine::kDisk) {
    text += "no manifest, ";
  } else if (report.checkpoint) {
    text += std::to_string(report.checkpoint->row_count) + " rows in checkpoint " +
            std::to_string(report.checkpoint->number) + ", ";
  } else {
    text += "no checkpoint, ";
  }
  text += std::to_string(report.log.frame_count) + " frames of the log behind it, " +
          std::to_string(report.checked_bytes) + " bytes checked: ";
  if (report.is_sound()) return text + "all is well\n";
  return text + std::to_string(report.damages.size()) + " damaged; see `ashlar repair --dry-run " +
         report.path + "`\n";
}

}  // namespace

ExitStatus run_check(os::Disk& disk, const std::string& directory, const Streams& streams) {
  const auto held = db::Directory::open_as_is(disk, directory);
  if (!held) return streams.fail(held.error());
  const auto inspection = db::inspect(disk, **held);
  if (!inspection) return streams.fail(inspection.error());
  const db::DirectoryReport& report = inspection->report;
  for (const db::Damage& damage : report.damages) {
    streams.print(damage.path + ": offset " + std::to_string(damage.offset) + ": " + damage.what +
                  "\n");
  }
  for (const db::Remark& remark : report.remarks) {
    streams.print("note: " + remark.path + ": " + remark.what + "\n");
  }
  streams.print(summary_of(report));
  return report.is_sound() ? kGood : kDamage;
}

}  // namespace ashlar::cli
