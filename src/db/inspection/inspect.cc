#include "db/inspection/inspect.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "base/numbered_name.h"
#include "db/checkpoint_store.h"
#include "db/inspection/history_survey.h"
#include "db/inspection/value_survey.h"

namespace ashlar::db {
namespace {

/// One look at one directory.
class Inspector {
 public:
  Inspector(os::Disk& disk, const Directory& directory) noexcept
      : disk_(disk), directory_(directory) {}

  Result<Inspection> operator()() {
    report().path = directory_.path();
    ASHLAR_TRY(look_at_format());
    ASHLAR_TRY(find_engine());
    ASHLAR_TRY(look_at_names());
    ASHLAR_TRY(is_of_tables() ? look_at_tables() : look_at_checkpoints());
    ASHLAR_TRY_ASSIGN(result_.log, LogSurvey::make(disk_, directory_.log_path()));
    if (is_of_tables()) {
      ASHLAR_TRY(survey_values(disk_, directory_, result_.tables, result_.log, report()));
    }
    ASHLAR_TRY(survey_history(disk_, directory_, result_.log, report()));
    ASHLAR_TRY_ASSIGN(const log::Start start, find_start());
    result_.start = start;
    result_.log.judge_files(start.position, report());
    ASHLAR_TRY_ASSIGN(result_.walk, result_.log.walk(start));
    judge_log(start);
    if (result_.walk) ASHLAR_TRY(judge_around(*result_.walk));
    fill_in_log(start);
    return std::move(result_);
  }

 private:
  DirectoryReport& report() noexcept { return result_.report; }
  void damage(std::string path, std::uint64_t offset, std::string what) {
    report().damages.push_back(
        {.path = std::move(path), .offset = offset, .what = std::move(what)});
  }
  void remark(std::string path, std::string what) {
    report().remarks.push_back({.path = std::move(path), .what = std::move(what)});
  }
  bool is_of_tables() const noexcept { return result_.engine() == Engine::kDisk; }

  Result<std::vector<std::string>> names_in(const std::string& path) {
    std::vector<std::string> names;
    if (disk_.list(path, names) == -ENOENT) return std::vector<std::string>();
    return os::list_directory(disk_, path);
  }

  Result<void> look_at_format() {
    ASHLAR_TRY_ASSIGN(result_.format, read_format(disk_, directory_.path()));
    const std::string path = directory_.path() + "/" + std::string(kFormatName);
    report().checked_bytes += result_.format.text.size();
    report().format = result_.format.text.substr(0, result_.format.text.find('\n'));
    switch (result_.format.state) {
      case FormatState::kGood:
        break;
      case FormatState::kOther:
        return std::unexpected(Error(ErrorCode::kInvalidArgument,
                                     path + ": is of a format that this version does not know"));
      case FormatState::kMissing:
        damage(path, 0, "the file is missing");
        break;
      case FormatState::kUnderRepair:
        damage(path, 0, "a repair was stopped in the midst: repair again");
        break;
      case FormatState::kDamaged:
        report().format = "damaged";
        damage(path, 0, "says nothing that is a format");
        break;
    }
    return {};
  }

  /// By the format, or else by the folders. One without either is of the memory engine, as all
  /// were once.
  Result<void> find_engine() {
    const std::string& path = directory_.path();
    ASHLAR_TRY_ASSIGN(const std::optional<Engine> engine, engine_of(disk_, path));
    report().engine = engine.value_or(Engine::kMemory);
    if (engine) return {};
    ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, names_in(path));
    const bool has_tables = std::ranges::find(names, kTableFolder) != names.end();
    if (!has_tables) return {};
    return std::unexpected(
        Error(ErrorCode::kInvalidArgument,
              path + ": " + std::string(kFormatName) +
                  " does not tell the engine, and the folders are of both or of none"));
  }

  /// What stands in the directory and its folders besides what belongs there.
  Result<void> look_at_names() {
    ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, names_in(directory_.path()));
    for (const std::string& name : names) {
      const std::string path = directory_.path() + "/" + name;
      const bool belongs = name == kLockName || name == kFormatName || name == kLogFolder ||
                           name == kHistoryFolder || name == rows_folder(result_.engine()) ||
                           (is_of_tables() && name == kValueFolder);
      if (belongs) continue;
      if (base::number_in_name(name, kAsideSuffix)) {
        remark(path, "holds what a repair has put aside");
      } else if (name == kUnfinishedAsideName) {
        remark(path,
               "is of a repair that was stopped before it changed anything: the next takes it");
      } else if (name == kFormatNewName) {
        remark(path, "was being written when the machine stopped: normal");
      } else {
        remark(path, "does not belong here");
      }
    }
    if (!directory_.is_locked()) {
      remark(directory_.path() + "/" + std::string(kLockName), "is missing: nothing is locked");
    }
    ASHLAR_TRY_ASSIGN(const std::vector<std::string> in_log, names_in(directory_.log_path()));
    for (const std::string& name : in_log) {
      if (name == "ring" || name == "ring.new" || name == "reserve" || log::segment_number(name))
        continue;
      remark_stranger(directory_.log_path() + "/" + name);
    }
    return {};
  }

  void remark_stranger(const std::string& path) {
    remark(path, path.ends_with(kRepairedSuffix)
                     ? "is of a repair that was stopped: nothing needs it"
                     : "does not belong here");
  }

  Result<void> look_at_checkpoints() {
    const std::string folder = directory_.checkpoint_path();
    ASHLAR_TRY_ASSIGN(std::vector<std::string> names, names_in(folder));
    std::ranges::reverse(names);
    for (const std::string& name : names) {
      const std::string path = folder + "/" + name;
      if (const auto number = checkpoint_number(name)) {
        ASHLAR_TRY(look_at_checkpoint(*number, path));
      } else if (name == kUnfinishedCheckpoint) {
        remark(path, "was being written when the machine stopped: normal");
      } else {
        remark_stranger(path);
      }
    }
    if (result_.checkpoints.empty()) return {};
    const FoundCheckpoint& newest = result_.checkpoints.front();
    result_.base = FoundBase{.path = newest.path, .origin = std::nullopt};
    if (newest.salvage.has_header) result_.base->origin = newest.origin();
    if (newest.salvage.has_footer) result_.base->end_min = newest.salvage.report.end;
    return {};
  }

  /// A manifest that is missing while there are tables is a damaged one.
  Result<void> look_at_tables() {
    const std::string folder = directory_.table_path();
    ASHLAR_TRY_ASSIGN(result_.tables, survey_tables(disk_, folder, report()));
    const FoundManifest* const newest = result_.tables.newest();
    if (newest == nullptr && result_.tables.strangers.empty()) return {};
    result_.base = FoundBase{.path = newest != nullptr ? newest->path : folder};
    if (result_.tables.has_newest()) result_.base->origin = start_of(*newest->content);
    return {};
  }

  Result<void> look_at_checkpoint(std::uint64_t number, const std::string& path) {
    const bool is_newest = result_.checkpoints.empty();
    ASHLAR_TRY_ASSIGN(memory::CheckpointSalvage salvage,
                      memory::salvage_checkpoint(
                          disk_, path, [](std::string_view) -> Result<void> { return {}; }));
    report().checked_bytes += salvage.file_bytes;
    for (const memory::CheckpointDamage& found : salvage.damages) {
      if (is_newest) damage(path, found.offset, found.what);
    }
    if (!is_newest) remark(path, "is older than the newest");
    if (is_newest) {
      report().checkpoint = CheckpointFigures{.number = number,
                                              .row_count = salvage.read_row_count,
                                              .file_bytes = salvage.file_bytes,
                                              .origin = salvage.report.origin.position,
                                              .end = salvage.report.end,
                                              .moment_ms = salvage.report.moment_ms};
    }
    result_.checkpoints.push_back({.number = number, .path = path, .salvage = std::move(salvage)});
    return {};
  }

  /// Where an opening begins to read the log, or the first frame when nothing tells.
  Result<log::Start> find_start() {
    if (!result_.base) return log::Start{};
    if (result_.base->origin) return *result_.base->origin;
    for (std::size_t run = result_.log.runs().size(); run-- > 0;) {
      ASHLAR_TRY_ASSIGN(const std::optional<log::Start> first, result_.log.first_frame(run));
      if (first) return *first;
    }
    return log::Start{};
  }

  void judge_log(const log::Start& start) {
    const LogSurvey& log = result_.log;
    if (!result_.walk) {
      const bool is_new = log.runs().empty() && start.position == 0 && !log.has_ring();
      if (!is_new) {
        damage(log.directory(), 0,
               "the log is missing from position " + std::to_string(start.position) + " on");
      }
    } else if (result_.walk->damage) {
      report().damages.push_back(*result_.walk->damage);
    }
    if (result_.walk && result_.walk->healed) {
      report().damages.push_back(*result_.walk->healed);
    }
    const log::Position end = result_.walk ? result_.walk->end.position : start.position;
    if (result_.base && end < result_.base->end_min) {
      damage(log.directory(), 0,
             "the log ends at position " + std::to_string(end) +
                 ", before what the checkpoint was made beside: " +
                 std::to_string(result_.base->end_min));
    }
    // A ring is made before the first commit and stays; without one an order of events tells no
    // more.
    if (result_.walk && !log.has_ring() && !result_.walk->is_closed && end > 0) {
      damage(log.ring_path(), 0, "the file is missing, and with it what no segment had yet");
    }
  }

  /// What lies before and behind the frames that count.
  Result<void> judge_around(const LogWalk& walk) {
    const LogSurvey& log = result_.log;
    if (result_.base && result_.base->origin) {
      ASHLAR_TRY_ASSIGN(const LogSurvey::Before before, log.judge_before(walk.run, walk.begin));
      result_.is_foreign_log = before.is_foreign;
      if (before.is_foreign) damage(result_.base->path, 0, before.what);
      if (!before.is_foreign && !before.what.empty()) remark(log.directory(), before.what);
    }
    ASHLAR_TRY_ASSIGN(const LaterFrames later, log.count_later(walk.run, walk.end.position));
    report().log.later_frame_count = later.frame_count;
    if (walk.is_whole() && walk.torn_bytes > 0) {
      remark(log.directory(), "the end is torn, " + std::to_string(walk.torn_bytes) +
                                  " bytes from position " + std::to_string(walk.end.position) +
                                  " on that nobody was promised: normal");
    }
    return {};
  }

  void fill_in_log(const log::Start& start) {
    LogFigures& figures = report().log;
    const std::vector<SurveyedSegment>& segments = result_.log.segments();
    figures.segment_count = segments.size();
    for (const SurveyedSegment& segment : segments)
      figures.segment_file_bytes += segment.file_bytes;
    if (!segments.empty()) {
      figures.first_segment = segments.front().number;
      figures.last_segment = segments.back().number;
    }
    figures.ring_bytes = result_.log.ring_file_bytes();
    figures.begin = start.position;
    figures.end = start.position;
    figures.commit = start.commit;
    report().checked_bytes += figures.segment_file_bytes + figures.ring_bytes;
    if (!result_.walk) return;
    const LogWalk& walk = *result_.walk;
    ASHLAR_ASSERT(walk.begin.position == start.position, "the walk began where it was told");
    figures.first = result_.log.runs()[walk.run].first();
    figures.end = walk.end.position;
    figures.commit = walk.end.commit;
    figures.frame_count = walk.frame_count;
    figures.torn_bytes = walk.torn_bytes;
    figures.moment_ms = walk.moment_ms;
    figures.is_closed = walk.is_closed;
  }

  os::Disk& disk_;
  const Directory& directory_;
  Inspection result_;
};

}  // namespace

Result<Inspection> inspect(os::Disk& disk, const Directory& directory) {
  return Inspector(disk, directory)();
}

}  // namespace ashlar::db
