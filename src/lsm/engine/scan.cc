// Ordered walks: all parts of a state merged, and of that what a reader sees.

#include <new>
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

/// A walk that holds the state it walks over, and is counted as long as it is open.
class StateCursor final : public engine::Cursor {
 public:
  StateCursor(Snapshots& snapshots, base::Ref<const State> state, Sources sources, Range range,
              engine::TimeMs moment_ms)
      : snapshots_(snapshots),
        state_(std::move(state)),
        rows_(std::make_unique<engine::MergingCursor>(std::move(sources)), std::move(range),
              moment_ms) {
    snapshots_.begin_walk();
  }
  StateCursor(const StateCursor&) = delete;
  StateCursor& operator=(const StateCursor&) = delete;
  ~StateCursor() override { snapshots_.end_walk(); }

  void seek_to_first() override { rows_.seek_to_first(); }
  void seek_to_last() override { rows_.seek_to_last(); }
  void seek(std::string_view key) override { rows_.seek(key); }
  void seek_for_previous(std::string_view key) override { rows_.seek_for_previous(key); }
  void next() override { rows_.next(); }
  void previous() override { rows_.previous(); }
  bool is_valid() const noexcept override { return rows_.is_valid(); }
  std::string_view key() const noexcept override { return rows_.key(); }
  std::string_view value() const noexcept override { return rows_.value(); }
  Result<void> status() const override { return rows_.status(); }

 private:
  Snapshots& snapshots_;
  const base::Ref<const State> state_;  // Before the rows, which go first.
  engine::VisibleCursor rows_;
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
  for (auto full = state.full.rbegin(); full != state.full.rend(); ++full) {
    ASHLAR_TRY(add_memtable(sources, ***full, sequence));
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

}  // namespace

Result<std::unique_ptr<engine::Cursor>> DiskEngine::scan(const Range& range,
                                                         const engine::View& view) {
  Held held = hold(view);
  const engine::TimeMs moment_ms = view.is_latest() ? clock_.now_ms() : view.taken_at_ms;
  ASHLAR_TRY_ASSIGN(Sources sources, sources_of(*held.state, held.sequence));
  return std::make_unique<StateCursor>(snapshots_, std::move(held.state), std::move(sources), range,
                                       moment_ms);
}

Result<void> DiskEngine::visit_all(const RowVisitor& visit) {
  const Held held = hold(engine::kLatest);
  const engine::TimeMs moment_ms = clock_.now_ms();
  ASHLAR_TRY_ASSIGN(Sources sources, sources_of(*held.state, held.sequence));
  engine::MergingCursor rows(std::move(sources));
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) {
    if (rows.kind() == engine::OperationKind::kErase || rows.deadline_ms() <= moment_ms) continue;
    ASHLAR_TRY(
        visit({.key = rows.key(), .value = rows.value(), .deadline_ms = rows.deadline_ms()}));
  }
  return rows.status();
}

}  // namespace ashlar::lsm
