// `backup` opens the database as any process does: an opening is what brings the end of a log into
// order that was not closed, and a database that is open elsewhere is to be backed up there, by
// `Db::backup`. `verify` and `restore` work on the files.

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/open_database.h"
#include "db/access.h"
#include "db/backup/restore.h"
#include "db/backup/verify.h"
#include "db/format_file.h"

namespace ashlar::cli {
namespace {

// Progress is told once in so many bytes.
constexpr std::uint64_t kBytesPerReport = std::uint64_t{64} << 20U;

/// Tells how far it is, where somebody sees it.
BackupObserver progress_on(const Streams& streams) {
  if (isatty(fileno(streams.err)) == 0) return {};
  return [streams, told = std::uint64_t{0}](const BackupProgress& progress) mutable {
    if (progress.bytes_done - told < kBytesPerReport) return;
    told = progress.bytes_done;
    streams.complain("\r" + std::to_string(progress.bytes_done >> 20U) + " of " +
                     std::to_string(progress.bytes_total >> 20U) + " MiB\r");
  };
}

std::string words_of(const BackupReport& report) {
  return "backup " + std::to_string(report.number) + " of " +
         std::string(db::words_of(report.engine)) + ", up to commit " +
         std::to_string(report.last_commit) + ": " + std::to_string(report.file_count) +
         " files, " + std::to_string(report.file_bytes) + " bytes";
}

/// Errors: as `Db::backup`; also those of opening and closing
Result<BackupReport> back_up(os::Disk& disk, const CopyArguments& arguments,
                             const Streams& streams) {
  ASHLAR_TRY(db::Directory::open_as_is(disk, arguments.from));  // A backup makes no database.
  ASHLAR_TRY_ASSIGN(Db source, open_database(disk, arguments.from));
  ASHLAR_TRY_ASSIGN(const BackupReport report, source.backup(arguments.to, progress_on(streams)));
  ASHLAR_TRY(source.close());
  return report;
}

}  // namespace

ExitStatus run_backup(os::Disk& disk, const CopyArguments& arguments, const Streams& streams) {
  const Result<BackupReport> report = back_up(disk, arguments, streams);
  if (!report) return streams.fail(report.error());
  streams.print(arguments.to + ": " + words_of(*report) + "; " +
                std::to_string(report->reused_file_count) + " files were there, " +
                std::to_string(report->linked_file_count) + " are linked, " +
                std::to_string(report->written_bytes) + " bytes were written\n");
  return kGood;
}

ExitStatus run_verify(os::Disk& disk, const std::string& backup, const Streams& streams) {
  const Result<BackupCheck> check = db::verify_backup(disk, backup, progress_on(streams));
  if (!check) return streams.fail(check.error());
  for (const BackupDamage& damage : check->damages) {
    streams.print(damage.path + ": offset " + std::to_string(damage.offset) + ": " + damage.what +
                  "\n");
  }
  streams.print(
      backup + ": " + words_of(check->backup) + "; " + std::to_string(check->checked_bytes) +
      " bytes checked: " +
      (check->is_sound() ? "all is well" : std::to_string(check->damages.size()) + " damaged") +
      "\n");
  return check->is_sound() ? kGood : kDamage;
}

std::string take_restore_goal(const std::string& words, RestoreOptions& options) {
  const char* const end = words.data() + words.size();
  const auto [rest, error] = std::from_chars(words.data(), end, options.sequence_max);
  if (error == std::errc() && rest == end) return {};
  options.sequence_max = RestoreOptions().sequence_max;
  std::tm time{};
  const char* at = strptime(words.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  unsigned milliseconds = 999;  // All of the second that is named.
  if (at != nullptr && *at == '.') {
    const auto fraction = std::from_chars(at + 1, end, milliseconds);
    at = fraction.ptr == at + 4 ? fraction.ptr : nullptr;
  }
  if (at == nullptr || std::string_view(at) != "Z") {
    return "\"" + words +
           "\" is neither the number of a commit nor a moment like 2026-03-01T12:00:00Z";
  }
  options.moment_ms_max = std::int64_t{timegm(&time)} * 1'000 + milliseconds;
  return {};
}

ExitStatus run_restore(os::Disk& disk, const RestoreOptions& options, const Streams& streams) {
  const auto new_log_id = db::random_seed();
  if (!new_log_id) return streams.fail(new_log_id.error());
  const Result<BackupReport> report =
      db::restore_backup(disk, options, *new_log_id, progress_on(streams));
  if (!report) return streams.fail(report.error());
  const std::string behind = options.log.empty() ? "" : " and the log in " + options.log;
  streams.print(options.directory + ": restored from " + options.backup + behind + ", " +
                words_of(*report) + "; read back and checked\n");
  return kGood;
}

}  // namespace ashlar::cli
