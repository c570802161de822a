#include "db/inspection/repair.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/numbered_name.h"
#include "db/inspection/segment_copy.h"
#include "db/inspection/table_copy.h"
#include "engine/operation_codec.h"

namespace ashlar::db {
namespace {

// So much is copied at a time.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

/// A new, empty file. One of that name, left by a repair that was stopped, goes.
Result<std::unique_ptr<os::File>> create_anew(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY(os::remove_file(disk, path));
  return os::File::open(disk, path, os::OpenMode::kCreate);
}

/// Copies a file, durably but for the name.
Result<void> copy_file(os::Disk& disk, const std::string& from, const std::string& to) {
  ASHLAR_TRY_ASSIGN(const auto source, os::File::open(disk, from, os::OpenMode::kRead));
  if (source == nullptr) return {};
  ASHLAR_TRY_ASSIGN(const auto copy, create_anew(disk, to));
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t offset = 0;; offset += piece.size()) {
    ASHLAR_TRY_ASSIGN(const std::size_t got, source->read_some(offset, piece));
    ASHLAR_TRY(copy->write(offset, std::string_view(piece).substr(0, got)));
    if (got < piece.size()) break;
  }
  return copy->sync();
}

/// One repair of one directory.
class Repair {
 public:
  Repair(os::Disk& disk, const std::string& path, const Inspection& inspection,
         const RepairPlan& plan) noexcept
      : disk_(disk), path_(path), inspection_(inspection), plan_(plan) {}

  Result<void> apply(RepairOutcome& outcome) {
    ASHLAR_TRY(put_aside(outcome));
    ASHLAR_ASSERT(outcome.aside.empty() == plan_.aside.empty(), "I4: what goes is aside first");
    ASHLAR_TRY(prepare());
    const RepairSteps steps = plan_.steps();
    ASHLAR_TRY(write_format(disk_, path_, encode_repair_steps(steps)));
    return run_repair_steps(disk_, path_, steps);
  }

  /// The path of the directory that takes what goes, with the first number that is free.
  Result<std::string> choose_aside() const {
    if (plan_.aside.empty()) return std::string();
    ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, path_));
    std::uint64_t last = 0;
    for (const std::string& name : names) {
      last = std::max(last, base::number_in_name(name, kAsideSuffix).value_or(0));
    }
    return path_ + "/" + base::numbered_name(last + 1, kAsideSuffix);
  }

 private:
  /// Fills the directory under the name of an unfinished one, that of a repair which was stopped
  /// included, and gives it its number when all of it is durable.
  Result<void> put_aside(RepairOutcome& outcome) {
    ASHLAR_TRY_ASSIGN(const std::string aside, choose_aside());
    if (aside.empty()) return {};
    const std::string unfinished = path_ + "/" + std::string(kUnfinishedAsideName);
    ASHLAR_TRY(os::make_directory(disk_, unfinished));
    for (const std::string& name : plan_.aside) {
      std::string flat = name;
      std::ranges::replace(flat, '/', '-');
      ASHLAR_TRY(copy_file(disk_, path_ + "/" + name, unfinished + "/" + flat));
    }
    ASHLAR_TRY_ASSIGN(const auto report, create_anew(disk_, unfinished + "/REPORT"));
    ASHLAR_TRY(report->write(0, report_text()));
    ASHLAR_TRY(report->sync());
    ASHLAR_TRY(os::sync_directory(disk_, unfinished));
    ASHLAR_TRY(os::rename_file(disk_, unfinished, aside));
    outcome.aside = aside;
    return os::sync_directory(disk_, path_);
  }

  std::string report_text() const {
    std::string text = "What was wrong:\n";
    for (const Damage& damage : inspection_.report.damages) {
      text += "  " + damage.path + ": offset " + std::to_string(damage.offset) + ": " +
              damage.what + "\n";
    }
    const auto list = [&](std::string_view title, const std::vector<std::string>& lines) {
      if (lines.empty()) return;
      text.append(title).append("\n");
      for (const std::string& line : lines) text.append("  ").append(line).append("\n");
    };
    list("What was kept:", plan_.kept);
    list("What is lost:", plan_.losses);
    list("What lies here, by the names that it had:", plan_.aside);
    return text;
  }

  /// Writes everything that takes the place of something, durably (I4).
  Result<void> prepare() {
    ASHLAR_TRY(os::make_directory(disk_, path_ + "/" + std::string(kLogFolder)));
    const std::string rows_path = path_ + "/" + std::string(rows_folder(plan_.engine));
    ASHLAR_TRY(os::make_directory(disk_, rows_path));
    for (const NewSegment& segment : plan_.segments) ASHLAR_TRY(write_segment(segment));
    if (plan_.checkpoint) ASHLAR_TRY(write_checkpoint(*plan_.checkpoint));
    if (plan_.manifest) ASHLAR_TRY(write_manifest(*plan_.manifest));
    if (plan_.ring_bytes) {
      ASHLAR_TRY_ASSIGN(const auto ring, create_anew(disk_, repaired("log/ring")));
      ASHLAR_TRY(ring->allocate(log::Ring::file_bytes(*plan_.ring_bytes)));
      ASHLAR_TRY(ring->sync());
    }
    ASHLAR_TRY(os::sync_directory(disk_, path_ + "/" + std::string(kLogFolder)));
    return os::sync_directory(disk_, rows_path);
  }

  std::string repaired(const std::string& name) const {
    return path_ + "/" + name + std::string(kRepairedSuffix);
  }

  Result<void> write_segment(const NewSegment& segment) {
    ASHLAR_TRY_ASSIGN(const auto file, create_anew(disk_, repaired(segment.name)));
    ASHLAR_TRY(file->allocate(os::kBlockBytes + segment.header.log_bytes));
    ASHLAR_TRY(file->write(0, log::encode_segment_header(segment.header)));
    if (segment.run) {
      const log::SegmentSet& run = inspection_.log.runs()[*segment.run];
      ASHLAR_TRY(copy_segment(segment, run, inspection_.log.ring(), *file));
    }
    return file->sync();
  }

  Result<void> write_checkpoint(const NewCheckpoint& checkpoint) {
    const std::string path = repaired(checkpoint.name);
    ASHLAR_TRY(os::remove_file(disk_, path));
    const engine::LogPlace origin{.position = checkpoint.origin.position,
                                  .chain = checkpoint.origin.chain,
                                  .commit = checkpoint.origin.commit};
    ASHLAR_TRY_ASSIGN(const auto writer,
                      memory::CheckpointWriter::create(disk_, path, origin, checkpoint.moment_ms));
    if (!checkpoint.source.empty()) {
      const auto add_rows = [&](std::string_view payload) -> Result<void> {
        engine::PayloadReader reader(payload);
        while (const auto row = reader.next()) {
          ASHLAR_TRY(
              writer->add({.key = row->key, .value = row->value, .deadline_ms = row->deadline_ms}));
        }
        return {};
      };
      ASHLAR_TRY(memory::salvage_checkpoint(disk_, checkpoint.source, add_rows));
    }
    return writer->finish(checkpoint.end);
  }

  /// Writes the tables first: the manifest tells their figures.
  Result<void> write_manifest(const NewManifest& manifest) {
    lsm::Manifest content = manifest.content;
    for (const NewTable& table : manifest.tables) {
      const std::string path = repaired(table.name);
      ASHLAR_TRY(os::remove_file(disk_, path));
      ASHLAR_TRY_ASSIGN(lsm::TableInfo info, copy_table(disk_, table, path));
      ASHLAR_TRY(add_table(content, {.level = table.level, .table = std::move(info)}));
    }
    ASHLAR_TRY_ASSIGN(const auto file, create_anew(disk_, repaired(manifest.name)));
    ASHLAR_TRY(file->write(0, lsm::encode_manifest(content)));
    return file->sync();
  }

  os::Disk& disk_;
  const std::string& path_;
  const Inspection& inspection_;
  const RepairPlan& plan_;
};

/// What is left to do of a repair that was stopped while it moved things about, if there was one.
Result<std::optional<RepairSteps>> find_stopped(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(const FormatFile format, read_format(disk, path));
  if (format.state != FormatState::kUnderRepair) return std::nullopt;
  // When they are damaged as well, what is there is judged as it is.
  return decode_repair_steps(format.text);
}

}  // namespace

Result<RepairOutcome> repair(os::Disk& disk, const std::string& path, RepairMode mode,
                             log::LogId new_log_id) {
  const bool applies = mode == RepairMode::kApply;
  ASHLAR_TRY_ASSIGN(const auto directory, applies ? Directory::open_for_repair(disk, path)
                                                  : Directory::open_as_is(disk, path));
  RepairOutcome outcome;
  ASHLAR_TRY_ASSIGN(const auto stopped, find_stopped(disk, path));
  if (stopped && !applies) {
    for (const RepairStep& step : stopped->list) outcome.pending.push_back(words_of(step));
    outcome.pending.push_back("replace " + std::string(kFormatName));
    return outcome;
  }
  if (stopped) {
    ASHLAR_TRY(run_repair_steps(disk, path, *stopped));
    outcome.was_taken_up = true;
  }
  ASHLAR_TRY_ASSIGN(const Inspection inspection, inspect(disk, *directory));
  outcome.before = inspection.report;
  if (inspection.report.is_sound()) return outcome;
  ASHLAR_TRY_ASSIGN(const RepairPlan plan, plan_repair(inspection, new_log_id));
  outcome.moved = plan.aside;
  outcome.kept = plan.kept;
  outcome.losses = plan.losses;
  Repair repair(disk, path, inspection, plan);
  if (!applies) {
    ASHLAR_TRY_ASSIGN(outcome.aside, repair.choose_aside());
    return outcome;
  }
  ASHLAR_TRY(repair.apply(outcome));
  ASHLAR_TRY_ASSIGN(const Inspection after, inspect(disk, *directory));
  if (after.report.is_sound()) return outcome;
  const Damage& left = after.report.damages.front();
  return std::unexpected(
      Error(ErrorCode::kIo, left.path + " at " + std::to_string(left.offset) +
                                ": is still damaged after the repair: " + left.what));
}

}  // namespace ashlar::db
