#include "lsm/upkeep/compaction.h"

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "engine/merging_cursor.h"
#include "lsm/upkeep/level_walk.h"

namespace ashlar::lsm {
namespace {

// How many rows are merged between two looks at whether to stop: some 100 us.
constexpr std::uint64_t kRowsPerLook = 256;

using Sources = std::vector<std::unique_ptr<engine::RowCursor>>;

/// What `plan` merges, the newest first (V2, V14): tables of level 0 may overlap, so each is a
/// source; those of another level are one.
Sources sources_of(const CompactionPlan& plan) {
  const std::span<const TableRef> inputs = plan.inputs;
  const std::size_t step = plan.input_level == 0 ? 1 : inputs.size();
  Sources sources;
  for (std::size_t i = 0; i < inputs.size(); i += step) {
    const bool is_in_order = plan.input_level > 0 || i == 0 ||
                             inputs[i - 1]->info().age_rank > inputs[i]->info().age_rank;
    ASHLAR_ASSERT(is_in_order, "V2: of two tables of level 0 the first is the newer one");
    sources.push_back(std::make_unique<LevelWalk>(inputs.subspan(i, step)));
  }
  if (!plan.below.empty()) sources.push_back(std::make_unique<LevelWalk>(plan.below));
  return sources;
}

/// Returns: false when it was stopped
Result<bool> merge(const CompactionPlan& plan, TableOutput& output, const std::stop_token& stop) {
  engine::MergingCursor rows(sources_of(plan));
  rows.seek_to_first();
  while (rows.is_valid()) {
    if (stop.stop_requested()) return false;
    ASHLAR_TRY(output.add_some(rows, kRowsPerLook));
  }
  ASHLAR_TRY(rows.status());
  return true;
}

std::uint64_t remove_all(std::span<const TableRef> tables, std::uint32_t level, VersionEdit& edit) {
  std::uint64_t file_bytes = 0;
  for (const TableRef& table : tables) {
    edit.removals.push_back({.level = level, .number = table->info().number});
    file_bytes += table->info().file_bytes;
  }
  return file_bytes;
}

}  // namespace

Result<std::optional<CompactionResult>> compact(TableStore& store, const CompactionPlan& plan,
                                                OutputRule rule, const std::stop_token& stop) {
  ASHLAR_ASSERT(!plan.is_move, "what goes down as it is has nothing to merge");
  ASHLAR_ASSERT(!plan.inputs.empty(), "a plan is about a table");
  ASHLAR_ASSERT(plan.output_level > 0, "V9: what is merged leaves level 0");
  rule.is_bottom_most = plan.is_bottom_most;
  rule.cut_along = plan.further_below;
  TableOutput output(store, rule);
  ASHLAR_TRY_ASSIGN(const bool is_done, merge(plan, output, stop));
  if (!is_done) return std::nullopt;
  ASHLAR_TRY_ASSIGN(const auto tables, output.finish());

  CompactionResult result;
  result.read_bytes = remove_all(plan.inputs, plan.input_level, result.edit) +
                      remove_all(plan.below, plan.output_level, result.edit);
  for (const auto& table : tables) {
    result.written_bytes += table->info().file_bytes;
    result.edit.additions.push_back({.level = plan.output_level, .table = TableRef(table)});
  }
  return result;
}

}  // namespace ashlar::lsm
