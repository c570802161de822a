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

/// What a plan merges: walks, the newest first, and their rows in order.
///
/// Threads:  confined.
/// Lifetime: the plan must outlive it.
class Merge {
 public:
  explicit Merge(const CompactionPlan& plan);

  /// Returns: false when it was stopped
  Result<bool> run(TableOutput& output, const std::stop_token& stop);

  std::uint64_t whole_block_count() const noexcept { return whole_block_count_; }

 private:
  void add_source(std::span<const TableRef> tables);
  bool may_add_block(const LevelWalk& walk, const TableOutput& output);
  Result<void> add_next(TableOutput& output);

  std::vector<LevelWalk*> walks_;                            // Of `rows_`: in their order,
  std::vector<std::unique_ptr<engine::RowCursor>> sources_;  // and here until it is made.
  std::optional<engine::MergingCursor> rows_;
  std::uint64_t whole_block_count_ = 0;
};

/// Tables of level 0 may overlap, so each is a source; those of another level are one. The newest
/// comes first (V2, V14).
Merge::Merge(const CompactionPlan& plan) {
  const std::span<const TableRef> inputs = plan.inputs;
  const std::size_t step = plan.input_level == 0 ? 1 : inputs.size();
  for (std::size_t i = 0; i < inputs.size(); i += step) {
    const bool is_in_order = plan.input_level > 0 || i == 0 ||
                             inputs[i - 1]->info().age_rank > inputs[i]->info().age_rank;
    ASHLAR_ASSERT(is_in_order, "V2: of two tables of level 0 the first is the newer one");
    add_source(inputs.subspan(i, step));
  }
  if (!plan.below.empty()) add_source(plan.below);
  rows_.emplace(std::move(sources_));
}

void Merge::add_source(std::span<const TableRef> tables) {
  auto walk = std::make_unique<LevelWalk>(tables);
  walks_.push_back(walk.get());
  sources_.push_back(std::move(walk));
}

/// Whether the block that begins with the row at hand may go as it is: no row of another source
/// belongs between its own, or hides one, or is hidden by one.
bool Merge::may_add_block(const LevelWalk& walk, const TableOutput& output) {
  const table::Block& block = walk.in_table().rows();
  return rows_->is_alone_up_to(block.key(block.row_count() - 1)) &&
         output.may_add_block(walk.in_table());
}

Result<void> Merge::add_next(TableOutput& output) {
  LevelWalk& walk = *walks_[rows_->source()];
  if (!walk.in_table().is_at_block_begin() || !may_add_block(walk, output)) {
    return output.add_some(*rows_, 1);
  }
  ASHLAR_TRY(output.add_block(walk.in_table()));
  ++whole_block_count_;
  walk.skip_block();
  rows_->resume();
  return {};
}

Result<bool> Merge::run(TableOutput& output, const std::stop_token& stop) {
  rows_->seek_to_first();
  while (rows_->is_valid()) {
    if (stop.stop_requested()) return false;
    ASHLAR_TRY(add_next(output));
  }
  ASHLAR_TRY(rows_->status());
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
  Merge merge(plan);
  ASHLAR_TRY_ASSIGN(const bool is_done, merge.run(output, stop));
  if (!is_done) return std::nullopt;
  ASHLAR_TRY_ASSIGN(const auto tables, output.finish());

  CompactionResult result{.whole_block_count = merge.whole_block_count()};
  result.read_bytes = remove_all(plan.inputs, plan.input_level, result.edit) +
                      remove_all(plan.below, plan.output_level, result.edit);
  for (const auto& table : tables) {
    result.written_bytes += table->info().file_bytes;
    result.edit.additions.push_back({.level = plan.output_level, .table = TableRef(table)});
  }
  return result;
}

}  // namespace ashlar::lsm
