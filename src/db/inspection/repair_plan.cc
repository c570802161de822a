#include "db/inspection/repair_plan.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "db/checkpoint_store.h"

namespace ashlar::db {
namespace {

constexpr std::uint64_t kBlock = os::kBlockBytes;
constexpr std::uint64_t kRingBytesMin = 4 * kBlock;

std::string text_of(std::uint64_t number) {
  return std::to_string(number);
}

std::uint64_t rounded_up(std::uint64_t bytes) noexcept {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

/// What a database begins from, and how far the log behind it goes.
struct Basis {
  const FoundCheckpoint* checkpoint = nullptr;
  std::string name = "the log";  // In words.
  bool is_salvaged = false;      // The checkpoint is damaged, or should be there and is not.
  log::Start start;
  std::optional<LogWalk> walk;

  log::Start end() const noexcept { return walk ? walk->end : start; }
};

class Planner {
 public:
  Planner(const Inspection& inspection, log::LogId new_log_id) noexcept
      : inspection_(inspection), new_log_id_(new_log_id) {}

  Result<RepairPlan> operator()() {
    ASHLAR_ASSERT(!inspection_.report.is_sound(), "what is sound is not repaired");
    plan_.engine = inspection_.engine();
    ASHLAR_TRY(plan_.engine == Engine::kDisk ? plan_tables() : choose_basis());
    if (inspection_.is_foreign_log) basis_.walk.reset();
    if (plan_.engine == Engine::kMemory) plan_checkpoints();
    if (is_log_damaged()) {
      plan_segments();
      plan_ring();
      ASHLAR_TRY(tell_log_losses());
    }
    const bool has_words = inspection_.format.state == FormatState::kDamaged ||
                           inspection_.format.state == FormatState::kUnderRepair;
    if (has_words) plan_.aside.emplace_back(kFormatName);
    tell_kept();
    return std::move(plan_);
  }

 private:
  const LogSurvey& log() const noexcept { return inspection_.log; }

  Result<void> choose_basis() {
    const auto& checkpoints = inspection_.checkpoints;
    const FoundCheckpoint* newest = checkpoints.empty() ? nullptr : &checkpoints.front();
    basis_ = {.checkpoint = newest, .start = inspection_.start, .walk = inspection_.walk};
    if (newest != nullptr && newest->is_sound()) return {};
    // Anything older, with a log that goes all the way, loses nothing.
    for (const FoundCheckpoint& older : checkpoints) {
      if (!older.is_sound()) continue;
      ASHLAR_TRY_ASSIGN(const bool is_found, try_basis(&older, older.origin(), newest));
      if (is_found) return {};
    }
    ASHLAR_TRY_ASSIGN(const bool is_found, try_basis(nullptr, {}, newest));
    if (is_found) return {};
    if (newest == nullptr && basis_.walk) return {};  // The log from its beginning.
    basis_.is_salvaged = true;
    if (newest != nullptr) return {};
    for (std::size_t run = log().runs().size(); run-- > 0 && !basis_.walk;) {
      ASHLAR_TRY_ASSIGN(const std::optional<log::Start> first, log().first_frame(run));
      if (!first) continue;
      basis_.start = *first;
      ASHLAR_TRY_ASSIGN(basis_.walk, log().walk(*first));
    }
    return {};
  }

  /// Takes what is planned for the tables, whose manifest is the basis.
  Result<void> plan_tables() {
    ASHLAR_TRY_ASSIGN(TablePlan tables, db::plan_tables(inspection_, new_log_id_));
    basis_.name = std::move(tables.basis);
    basis_.start = tables.start;
    basis_.walk = std::move(tables.walk);
    plan_.kept = std::move(tables.kept);
    plan_.losses = std::move(tables.losses);
    plan_.manifest = std::move(tables.manifest);
    const FoundManifest* const newest = inspection_.tables.newest();
    if (plan_.manifest) replace(plan_.manifest->name, newest != nullptr);
    for (const std::string& name : tables.removed) remove(name);
    return {};
  }

  /// Takes `checkpoint` (or none) for the basis if the log behind it goes as far as it ever did.
  Result<bool> try_basis(const FoundCheckpoint* checkpoint, const log::Start& start,
                         const FoundCheckpoint* newest) {
    ASHLAR_TRY_ASSIGN(std::optional<LogWalk> walk, log().walk(start));
    if (!walk || !walk->is_whole()) return false;
    const bool is_far = newest == nullptr || !newest->salvage.has_footer ||
                        walk->end.position >= newest->salvage.report.end;
    if (is_far) {
      basis_ = {.checkpoint = checkpoint, .start = start, .walk = std::move(walk)};
    }
    return is_far;
  }

  bool is_log_damaged() const {
    const std::string inside = log().directory();
    return !basis_.walk || !basis_.walk->is_whole() ||
           std::ranges::any_of(inspection_.report.damages, [&](const Damage& damage) {
             return damage.path.starts_with(inside);
           });
  }

  void replace(const std::string& name, bool is_there) {
    if (is_there) plan_.aside.push_back(name);
  }
  void remove(const std::string& name) {
    plan_.aside.push_back(name);
    plan_.removed.push_back(name);
  }

  void plan_checkpoints() {
    for (const FoundCheckpoint& found : inspection_.checkpoints) {
      if (&found == basis_.checkpoint) continue;
      remove(name_of(found));
      if (!found.is_sound() && !basis_.is_salvaged) {
        plan_.kept.push_back(name_of(found) +
                             " is damaged and not needed: the log holds what was in it");
      }
    }
    const bool is_ahead = basis_.checkpoint != nullptr && basis_.checkpoint->salvage.has_footer &&
                          basis_.checkpoint->salvage.report.end > basis_.end().position;
    if (!basis_.is_salvaged && !is_ahead) return;
    NewCheckpoint anew{.name = "checkpoint/" + checkpoint_name(1),
                       .source = {},
                       .origin = basis_.start,
                       .end = basis_.end().position,
                       .moment_ms = 0};
    if (basis_.checkpoint != nullptr) {
      const memory::CheckpointReport& report = basis_.checkpoint->salvage.report;
      anew.name = name_of(*basis_.checkpoint);
      anew.source = basis_.checkpoint->path;
      if (basis_.checkpoint->salvage.has_footer) anew.end = std::min(anew.end, report.end);
      anew.moment_ms = report.moment_ms;
    }
    replace(anew.name, basis_.checkpoint != nullptr);
    plan_.checkpoint = std::move(anew);
    tell_checkpoint_losses(is_ahead);
  }

  static std::string name_of(const FoundCheckpoint& found) {
    return "checkpoint/" + checkpoint_name(found.number);
  }

  void tell_checkpoint_losses(bool is_ahead) {
    if (basis_.checkpoint == nullptr) {
      plan_.losses.push_back(
          "the checkpoint is missing: every row that was not written since"
          " position " +
          text_of(basis_.start.position) + " is lost");
      return;
    }
    const memory::CheckpointSalvage& salvage = basis_.checkpoint->salvage;
    for (const memory::CheckpointDamage& damage : salvage.damages) {
      plan_.losses.push_back(name_of(*basis_.checkpoint) + ": bytes " + text_of(damage.offset) +
                             " to " + text_of(damage.offset + damage.bytes) + ": " + damage.what);
    }
    if (basis_.is_salvaged) {
      plan_.losses.push_back(text_of(salvage.read_row_count) + " rows of the checkpoint are left" +
                             (salvage.has_footer
                                  ? " of " + text_of(salvage.report.row_count)
                                  : std::string(", and nothing tells how many there were")) +
                             "; a batch may be there in part");
    }
    if (is_ahead) {
      plan_.losses.push_back(
          "rows of the checkpoint may hold changes that were made after commit " +
          text_of(basis_.end().commit) + ", up to position " + text_of(salvage.report.end) +
          " of the log");
    }
  }

  void plan_segments() {
    const std::uint64_t kept = plan_kept_segments();
    for (const SurveyedSegment& segment : log().segments()) {
      const bool is_kept = basis_.walk && is_in_run(segment) && segment.number <= kept;
      if (!is_kept) remove("log/" + log::segment_name(segment.number));
    }
    if (basis_.walk) return;
    // None of the log is left: a new one begins where it must go on.
    const std::uint64_t last = log().segments().empty() ? 0 : log().segments().back().number;
    const log::Position first = basis_.start.position / kBlock * kBlock;
    plan_.segments.push_back(
        {.name = "log/" + log::segment_name(last + 1),
         .header = {.log_id = new_log_id_, .number = last + 1, .first = first, .log_bytes = kBlock},
         .run = std::nullopt});
  }

  bool is_in_run(const SurveyedSegment& segment) const {
    const log::SegmentSet& run = log().runs()[basis_.walk->run];
    return segment.is_known() && segment.number >= run.segments().front().header.number &&
           segment.number <= run.segments().back().header.number;
  }

  /// Plans the segments up to the one in which the kept frames end. Returns the number of that one
  std::uint64_t plan_kept_segments() {
    if (!basis_.walk) return 0;
    const LogWalk& walk = *basis_.walk;
    const log::SegmentSet& run = log().runs()[walk.run];
    std::uint64_t last = run.segments().front().header.number;
    for (const log::FoundSegment& segment : run.segments()) {
      if (segment.header.first < walk.segments_end) last = segment.header.number;
    }
    for (const SurveyedSegment& segment : log().segments()) {
      if (!is_in_run(segment) || segment.number > last) continue;
      const bool is_last = segment.number == last;
      if (!is_last && segment.state == SurveyedSegment::Header::kGood) continue;
      NewSegment anew{.name = "log/" + log::segment_name(segment.number),
                      .header = segment.header,
                      .run = walk.run,
                      .from_segments = is_last ? walk.segments_end : segment.header.end(),
                      .from_ring = is_last ? walk.end.position : segment.header.end()};
      ASHLAR_ASSERT(anew.from_ring >= anew.header.first, "a segment ends behind its beginning");
      anew.header.log_bytes =
          std::max(anew.header.log_bytes, rounded_up(anew.from_ring - anew.header.first));
      replace(anew.name, true);
      plan_.segments.push_back(std::move(anew));
    }
    return last;
  }

  void plan_ring() {
    const std::uint64_t bytes = std::max<std::uint64_t>(log().ring().size(), kRingBytesMin);
    plan_.ring_bytes = bytes;
    replace("log/ring", log().has_ring());
  }

  Result<void> tell_log_losses() {
    const log::Start end = basis_.end();
    ASHLAR_TRY_ASSIGN(const LaterFrames later,
                      log().count_later(basis_.walk ? basis_.walk->run : 0, end.position));
    if (!basis_.walk) {
      plan_.losses.push_back("the log is lost from position " + text_of(end.position) +
                             ", commit " + text_of(end.commit) + ", on");
    } else if (later.frame_count > 0 && later.first > end.position) {
      plan_.losses.push_back("the log cannot be read from position " + text_of(end.position) +
                             " to " + text_of(later.first));
    }
    if (later.frame_count > 0) {
      plan_.losses.push_back(
          text_of(later.frame_count) + " later frames, " + text_of(later.bytes) +
          " bytes with commits from " + text_of(later.first_commit) + " to " +
          text_of(later.last_commit) +
          ", are whole and not used: without what is lost before them the order would be broken");
    }
    return {};
  }

  void tell_kept() {
    const log::Start end = basis_.end();
    std::string begin = basis_.name;
    if (basis_.checkpoint != nullptr) begin = name_of(*basis_.checkpoint);
    if (begin != "the log") begin += " and the log";
    plan_.kept.push_back(begin + " from position " + text_of(basis_.start.position) + " to " +
                         text_of(end.position) + ", up to commit " + text_of(end.commit));
  }

  const Inspection& inspection_;
  const log::LogId new_log_id_;
  Basis basis_;
  RepairPlan plan_;
};

}  // namespace

RepairSteps RepairPlan::steps() const {
  RepairSteps steps{.engine = engine, .list = {}};
  for (const NewSegment& segment : segments) steps.list.push_back({.name = segment.name});
  if (checkpoint) steps.list.push_back({.name = checkpoint->name});
  if (manifest) {
    for (const NewTable& table : manifest->tables) steps.list.push_back({.name = table.name});
    steps.list.push_back({.name = manifest->name});
  }
  if (ring_bytes) steps.list.push_back({.name = "log/ring"});
  for (const std::string& name : removed) {
    steps.list.push_back({.kind = RepairStep::Kind::kRemove, .name = name});
  }
  return steps;
}

Result<RepairPlan> plan_repair(const Inspection& inspection, log::LogId new_log_id) {
  return Planner(inspection, new_log_id)();
}

}  // namespace ashlar::db
