#include "db/inspection/table_plan.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "lsm/manifest_store.h"
#include "lsm/table_store.h"
#include "lsm/version.h"

namespace ashlar::db {
namespace {

std::string name_of_manifest(std::uint64_t number) {
  return std::string(kTableFolder) + "/" + lsm::manifest_name(number);
}
std::string name_of_table(std::uint64_t number) {
  return std::string(kTableFolder) + "/" + lsm::table_name(number);
}

class TablePlanner {
 public:
  TablePlanner(const Inspection& inspection, std::uint64_t new_id) noexcept
      : inspection_(inspection), survey_(inspection.tables), new_id_(new_id) {}

  Result<TablePlan> operator()() {
    plan_.start = inspection_.start;
    plan_.walk = inspection_.walk;
    if (survey_.basis == nullptr) {
      if (!survey_.manifests.empty() || !survey_.strangers.empty()) {
        return std::unexpected(nothing_tells());
      }
      ASHLAR_TRY(begin_anew());
      return std::move(plan_);
    }
    plan_.basis = "the tables of " + name_of_manifest(survey_.basis->number);
    if (!survey_.has_newest()) ASHLAR_TRY(take_older());
    plan_manifest();
    return std::move(plan_);
  }

 private:
  Error nothing_tells() const {
    const std::string folder = survey_.manifests.empty()
                                   ? inspection_.base.value_or(FoundBase{}).path
                                   : survey_.newest()->path;
    return {ErrorCode::kUnavailable,
            folder + ": nothing tells which of " + std::to_string(survey_.strangers.size()) +
                " tables count and which of them are the newer, and a wrong guess would bring back"
                " what was erased: nothing was changed; go back to a backup"};
  }

  /// There is neither a manifest nor a table: what the log holds is all.
  Result<void> begin_anew() {
    plan_.basis = "the log";
    if (plan_.walk) return {};
    const LogSurvey& log = inspection_.log;
    for (std::size_t run = log.runs().size(); run-- > 0 && !plan_.walk;) {
      ASHLAR_TRY_ASSIGN(const std::optional<log::Start> first, log.first_frame(run));
      if (!first) continue;
      plan_.start = *first;
      ASHLAR_TRY_ASSIGN(plan_.walk, log.walk(*first));
    }
    lsm::Manifest content{.database_id = new_id_,
                          .hash_seed = base::hash_key("tables of a repair", new_id_),
                          .last_sequence = plan_.start.commit,
                          .log_place = {.position = plan_.start.position,
                                        .chain = plan_.start.chain,
                                        .commit = plan_.start.commit}};
    plan_.manifest =
        NewManifest{.name = name_of_manifest(1), .content = std::move(content), .tables = {}};
    plan_.losses.push_back(
        "the tables are missing: every row that was not written since position " +
        std::to_string(plan_.start.position) + " is lost");
    return {};
  }

  /// The newest manifest cannot be used. An older one whose tables are all there loses nothing when
  /// the log has all that came behind it.
  Result<void> take_older() {
    const lsm::Manifest& content = *survey_.basis->content;
    plan_.start = start_of(content);
    ASHLAR_TRY_ASSIGN(plan_.walk, inspection_.log.walk(plan_.start));
    if (!plan_.walk || !plan_.walk->is_whole()) return std::unexpected(nothing_tells());
    ASHLAR_TRY_ASSIGN(const LogSurvey::Before before,
                      inspection_.log.judge_before(plan_.walk->run, plan_.start));
    if (before.is_foreign) return std::unexpected(nothing_tells());
    // What only the newest named goes aside: an opening would remove it.
    for (const std::string& name : survey_.strangers) {
      plan_.removed.push_back(std::string(kTableFolder) + "/" + name);
    }
    plan_.kept.push_back(name_of_manifest(survey_.newest()->number) +
                         " is damaged and not needed: an older one and the log hold what it did");
    return {};
  }

  /// The manifest takes the number of the newest, whose place it takes; older ones go.
  void plan_manifest() {
    const bool is_damaged = survey_.newest()->damage || !survey_.has_newest() ||
                            std::ranges::any_of(survey_.tables, [](const SurveyedTable& table) {
                              return !table.is_sound();
                            });
    if (!is_damaged) return;
    const std::string name = name_of_manifest(survey_.newest()->number);
    if (survey_.has_newest() && survey_.newest()->damage) {
      plan_.kept.push_back(name + " had one bit flipped, which is set right");
    }
    for (const FoundManifest& found : survey_.manifests) {
      if (&found != survey_.newest()) plan_.removed.push_back(name_of_manifest(found.number));
    }
    plan_.manifest = NewManifest{.name = name, .content = *survey_.basis->content, .tables = {}};
    plan_.manifest->content.tables.clear();
    for (const SurveyedTable& table : survey_.tables) {
      if (table.is_sound()) {
        plan_.manifest->content.tables.push_back(table.entry);  // I13
      } else {
        plan_table(table);
      }
    }
  }

  void plan_table(const SurveyedTable& table) {
    const lsm::TableInfo& info = table.entry.table;
    const std::string old_name = name_of_table(info.number);
    if (table.is_there) plan_.removed.push_back(old_name);
    tell_losses(table, old_name);
    if (!table.is_readable || table.lost_blocks.size() == table.block_count) return;
    lsm::Manifest& content = plan_.manifest->content;
    const std::uint64_t number = content.next_file_number++;
    ASHLAR_ASSERT(number > info.number, "a new file gets a number that none had");
    plan_.manifest->tables.push_back({.name = name_of_table(number),
                                      .number = number,
                                      .level = table.entry.level,
                                      .age_rank = info.age_rank,
                                      .source = table.path,
                                      .identity = identity_of(content, info.number),
                                      .lost_blocks = table.lost_blocks});
    plan_.kept.push_back(std::to_string(info.row_count - table.lost_row_count) + " of " +
                         std::to_string(info.row_count) + " rows of " + old_name + ", in " +
                         name_of_table(number));
  }

  void tell_losses(const SurveyedTable& table, const std::string& name) {
    ASHLAR_ASSERT(table.lost_row_count <= table.entry.table.row_count,
                  "no more rows are lost than there were");
    for (const KeyRange& range : table.lost_keys) {
      plan_.losses.push_back(name + ": rows with keys " + text_of(range) +
                             " cannot be read; older ones of these keys may show again");
    }
    if (table.lost_row_count > 0) {
      plan_.losses.push_back(name + ": " + std::to_string(table.lost_row_count) + " of its " +
                             std::to_string(table.entry.table.row_count) +
                             " rows are lost, erases among them; a batch may be there in part");
    }
  }

  const Inspection& inspection_;
  const TableSurvey& survey_;
  const std::uint64_t new_id_;
  TablePlan plan_;
};

}  // namespace

Result<void> add_table(lsm::Manifest& manifest, const lsm::Manifest::Entry& entry) {
  lsm::VersionEdit edit;
  const auto add = [&](const lsm::Manifest::Entry& table) {
    edit.additions.push_back(
        {.level = table.level, .table = lsm::TableRef(base::make_ref<lsm::Table>(table.table))});
  };
  for (const lsm::Manifest::Entry& there : manifest.tables) add(there);
  add(entry);
  ASHLAR_TRY_ASSIGN(const lsm::Version version, lsm::Version().apply(edit));
  manifest.set_tables(version);
  return {};
}

Result<TablePlan> plan_tables(const Inspection& inspection, std::uint64_t new_id) {
  ASHLAR_ASSERT(inspection.engine() == Engine::kDisk, "the disk engine has tables");
  return TablePlanner(inspection, new_id)();
}

}  // namespace ashlar::db
