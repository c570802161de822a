#include "db/inspection/history_survey.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "db/changes/commit_reader.h"
#include "log/segment.h"
#include "os/file.h"

namespace ashlar::db {
namespace {

/// One look at the folder.
class HistoryWalk {
 public:
  HistoryWalk(os::Disk& disk, const Directory& directory, log::Position log_first,
              DirectoryReport& report)
      : disk_(disk),
        folder_(directory.history_path()),
        log_path_(directory.log_path()),
        log_first_(log_first),
        report_(report),
        reader_(disk, {folder_, log_path_}) {}

  Result<void> operator()() {
    std::vector<std::string> names;
    if (disk_.list(folder_, names) == -ENOENT) return {};
    ASHLAR_TRY(count_files());
    if (figures_.segment_count == 0) return {};
    ASHLAR_TRY(read_all());
    report_.checked_bytes += figures_.file_bytes;
    report_.history = figures_;
    return {};
  }

 private:
  void remark(const std::string& path, std::string what) {
    report_.remarks.push_back({.path = path, .what = std::move(what)});
  }

  Result<void> count_files() {
    ASHLAR_TRY_ASSIGN(const auto names, os::list_directory(disk_, folder_));
    for (const std::string& name : names) {
      const std::string path = folder_ + "/" + name;
      if (!log::segment_number(name)) {
        remark(path, name == kUnfinishedHistoryName
                         ? "was being written when the machine stopped: normal"
                         : "does not belong here");
        continue;
      }
      ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, path, os::OpenMode::kRead));
      if (file == nullptr) continue;
      ASHLAR_TRY_ASSIGN(const std::uint64_t bytes, file->size());
      figures_.file_bytes += bytes;
      ++figures_.segment_count;
    }
    return {};
  }

  /// Reads on from the oldest commit; where that ends too early, what is behind it is the oldest.
  Result<void> read_all() {
    ASHLAR_TRY_ASSIGN(const log::Position end, reader_.find_end(log_path_));
    const Result<std::uint64_t> oldest = reader_.find_oldest(std::min(end, log_first_));
    if (!oldest) {
      if (oldest.error().code() == ErrorCode::kIo) return std::unexpected(oldest.error());
      remark(folder_,
             "the log does not follow what is kept here, and nobody can: the next opening"
             " with a history removes it");
      return {};
    }
    ASHLAR_TRY(reader_.seek(*oldest - 1, end));
    while (reader_.at().position < log_first_) {
      const auto frame = reader_.next_of_any_kind(end);
      if (frame && *frame) continue;
      if (!frame && frame.error().code() == ErrorCode::kIo) return std::unexpected(frame.error());
      const std::string what = frame ? "it cannot be read up to where the log begins"
                                     : std::string(frame.error().message());
      remark(folder_, what + ": who follows from before it is refused there");
      return {};
    }
    figures_.oldest_commit = *oldest;
    return {};
  }

  os::Disk& disk_;
  const std::string folder_;
  const std::string log_path_;
  const log::Position log_first_;
  DirectoryReport& report_;
  CommitReader reader_;
  HistoryFigures figures_;
};

}  // namespace

Result<void> survey_history(os::Disk& disk, const Directory& directory, const LogSurvey& log,
                            DirectoryReport& report) {
  if (log.runs().empty()) return {};
  return HistoryWalk(disk, directory, log.runs().back().first(), report)();
}

}  // namespace ashlar::db
