// Ordered walks: all parts of a state merged, and of that what a reader sees.

#include <new>
#include <ranges>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "engine/merging_cursor.h"
#include "engine/visible_cursor.h"
#include "lsm/engine/engine_core.h"
#include "lsm/level_cursor.h"
#include "lsm/table_cursor.h"

namespace ashlar::lsm {
namespace {

using Sources = std::vector<std::unique_ptr<engine::RowCursor>>;

/// A walk holds the state it walks over, and is counted as long as it is open.
class HeldState final : public engine::VisibleCursor::Hold {
 public:
  HeldState(Snapshots& snapshots, base::Ref<const State> state)
      : snapshots_(snapshots), state_(std::move(state)) {
    snapshots_.begin_walk();
  }
  HeldState(const HeldState&) = delete;
  HeldState& operator=(const HeldState&) = delete;
  ~HeldState() override { snapshots_.end_walk(); }

 private:
  Snapshots& snapshots_;
  const base::Ref<const State> state_;
};

Result<void> add_memtable(Sources& sources, const Memtable& memtable, Sequence sequence) {
  if (memtable.row_count() == 0) return {};
  ASHLAR_TRY_ASSIGN(auto cursor, memtable.cursor(sequence));
  sources.push_back(std::move(cursor));
  return {};
}

/// A cursor over each part of `state`, the newest first (V14).
Result<Sources> sources_of(const State& state, Sequence sequence) {
  Sources sources;
  ASHLAR_TRY(add_memtable(sources, **state.active, sequence));
  for (const auto& full : std::ranges::reverse_view(state.full)) {
    ASHLAR_TRY(add_memtable(sources, **full, sequence));
  }
  for (const TableRef& table : state.version->tables(0)) {
    sources.push_back(std::make_unique<TableCursor>(base::Ref<const OpenTable>(&opened(*table))));
  }
  for (std::uint32_t level = 1; level < kLevelCount; ++level) {
    const auto tables = state.version->tables(level);
    if (!tables.empty()) sources.push_back(std::make_unique<LevelCursor>(tables));
  }
  return sources;
}

/// All of them as one. What is merged already, as after a compaction of all, needs no merging.
std::unique_ptr<engine::RowCursor> merge(Sources sources) {
  if (sources.size() == 1) return std::move(sources.front());
  return std::make_unique<engine::MergingCursor>(std::move(sources));
}

}  // namespace

Result<std::unique_ptr<engine::Cursor>> DiskEngine::scan(const Range& range,
                                                         const engine::View& view) {
  Held held = hold(view);
  const engine::TimeMs moment_ms = view.is_latest() ? clock_.now_ms() : view.taken_at_ms;
  ASHLAR_TRY_ASSIGN(Sources sources, sources_of(*held.state, held.sequence));
  auto hold = std::make_unique<HeldState>(snapshots_, std::move(held.state));
  return std::make_unique<engine::VisibleCursor>(merge(std::move(sources)), range, moment_ms,
                                                 std::move(hold), &values_);
}

Result<void> DiskEngine::visit_all(const RowVisitor& visit) {
  const Held held = hold(engine::kLatest);
  const engine::TimeMs moment_ms = clock_.now_ms();
  ASHLAR_TRY_ASSIGN(Sources sources, sources_of(*held.state, held.sequence));
  const auto rows = merge(std::move(sources));
  Value apart;
  for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
    const engine::StoredRow& row = *rows->row();
    if (row.kind == engine::OperationKind::kErase || row.deadline_ms <= moment_ms) continue;
    const bool is_apart = row.kind == engine::OperationKind::kPutApart;
    if (is_apart) ASHLAR_TRY(values_.read(row.value, apart));
    ASHLAR_TRY(visit({.key = row.key,
                      .value = is_apart ? apart.view() : row.value,
                      .deadline_ms = row.deadline_ms}));
  }
  return rows->status();
}

}  // namespace ashlar::lsm
