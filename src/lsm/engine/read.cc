// Reads. The newest row of a key is in the first part of the state that has one: the active
// memtable, the full ones from new to old, the tables of level 0 likewise, one table of each level
// below.

#include <algorithm>
#include <ranges>

#include "base/assert.h"
#include "lsm/engine/engine_core.h"
#include "lsm/guarded_read.h"

namespace ashlar::lsm {

std::optional<DiskEngine::Row> DiskEngine::find_in_memtables(const State& state,
                                                             std::string_view key,
                                                             std::uint64_t hash,
                                                             Sequence sequence) noexcept {
  if (const auto found = (*state.active)->get(key, hash, sequence)) return row_of(*found);
  for (const auto& full : std::ranges::reverse_view(state.full)) {
    if (const auto found = (*full)->get(key, hash, sequence)) return row_of(*found);
  }
  return std::nullopt;
}

/// The newest row of `key` that `state` has at `sequence`. The caller is inside a guard, and the
/// state is one that was found in it, or that is held.
Result<std::optional<DiskEngine::Row>> DiskEngine::find(const State& state, std::string_view key,
                                                        std::uint64_t hash,
                                                        Sequence sequence) const {
  if (const auto row = find_in_memtables(state, key, hash, sequence)) return row;
  Result<std::optional<Row>> row;
  state.version->visit_tables_for(key, [&](const Table& table) {
    auto found = opened(table).get(key, hash);
    if (!found) [[unlikely]] {
      row = std::unexpected(std::move(found).error());
      return true;
    }
    if (*found) row = row_of(**found);
    return found->has_value();
  });
  return row;
}

bool DiskEngine::is_visible(const Row& row, const engine::View& view) const noexcept {
  if (row.kind == engine::OperationKind::kErase) return false;
  if (row.deadline_ms == engine::kNever) [[likely]]
    return true;
  const bool is_past =
      view.is_latest() ? clock_.is_past(row.deadline_ms) : row.deadline_ms <= view.taken_at_ms;
  return !is_past;
}

Result<bool> DiskEngine::read(const State& state, Sequence sequence, std::string_view key,
                              const engine::View& view, Value* value,
                              engine::TimeMs* deadline_ms) const {
  ASHLAR_TRY_ASSIGN(const std::optional<Row> row, find(state, key, hash_of(key), sequence));
  if (!row || !is_visible(*row, view)) return false;
  if (value != nullptr) ASHLAR_TRY(copy_value(*row, *value));
  if (deadline_ms != nullptr) *deadline_ms = row->deadline_ms;
  return true;
}

/// The guard under which the row was found is open, so that nothing that it refers to goes (V42).
Result<void> DiskEngine::copy_value(const Row& row, Value& to) const {
  if (row.kind == engine::OperationKind::kPutApart) return values_.read(row.value, to);
  to.assign(row.value);
  return {};
}

Result<bool> DiskEngine::get(std::string_view key, const engine::View& view, Value* value,
                             engine::TimeMs* deadline_ms) const {
  return read_guarded(domain_, [&] {
    if (!view.is_latest()) {
      return read(snapshots_.state_at(view.sequence), view.sequence, key, view, value, deadline_ms);
    }
    const State& state = catalog_->states().current();  // Before the sequence (V35).
    return read(state, visible(), key, view, value, deadline_ms);
  });
}

/// The state and the sequence of a view, for longer than a guard should be open.
DiskEngine::Held DiskEngine::hold(const engine::View& view) const {
  if (!view.is_latest()) {
    return {.state = base::Ref<const State>(&snapshots_.state_at(view.sequence)),
            .sequence = view.sequence};
  }
  Held held;
  held.state = catalog_->states().hold_with([&] { held.sequence = visible(); });
  return held;
}

Result<void> DiskEngine::multi_get(std::span<const std::string_view> keys, const engine::View& view,
                                   std::span<std::optional<Value>> values) const {
  ASHLAR_ASSERT(keys.size() == values.size(), "every key has a place for its value");
  const Held held = hold(view);
  for (std::size_t begin = 0; begin < keys.size(); begin += kKeysPerGuard) {
    const std::size_t count = std::min(kKeysPerGuard, keys.size() - begin);
    ASHLAR_TRY(read_guarded(domain_, [&] {
      return read_group(*held.state, held.sequence, keys.subspan(begin, count), view,
                        values.subspan(begin, count));
    }));
  }
  return {};
}

Result<engine::View> DiskEngine::acquire_snapshot() {
  const Held held = hold(engine::kLatest);
  // After the state is held: what flushes and compactions took for expired had expired by then.
  const engine::View view{.sequence = held.sequence, .taken_at_ms = clock_.now_ms()};
  snapshots_.add(view, held.state);
  return view;
}

void DiskEngine::release_snapshot(Sequence sequence) noexcept {
  snapshots_.remove(sequence);
}

}  // namespace ashlar::lsm
