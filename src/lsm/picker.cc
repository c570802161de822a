#include "lsm/picker.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/assert.h"

namespace ashlar::lsm {
namespace {

constexpr std::uint64_t kDuePercent = 100;
// A level with twice what it may have comes before rows that take space for too long.
constexpr std::uint64_t kUrgentPercent = 200;

/// `part` in hundredths of `whole`. Levels are far below the 2^57 bytes from which it overflows.
std::uint64_t percent_of(std::uint64_t part, std::uint64_t whole) noexcept {
  return part * 100 / std::max<std::uint64_t>(whole, 1);
}

bool is_full_of_erases(const TableInfo& table, std::uint64_t percent) noexcept {
  return table.erase_count > 0 && percent_of(table.erase_count, table.row_count) >= percent;
}

bool has_expired(const TableInfo& table, engine::TimeMs now_ms, engine::TimeMs lag_ms) noexcept {
  // A deadline may be any number; `now_ms` and the lag are of our time.
  return table.expiring_count > 0 && table.earliest_deadline_ms <= now_ms - lag_ms;
}

/// Makes room in the ends of `plan` for `table`.
void stretch(CompactionPlan& plan, const TableInfo& table) {
  if (plan.smallest.empty() || table.smallest < plan.smallest) plan.smallest = table.smallest;
  if (table.largest > plan.largest) plan.largest = table.largest;
}

std::uint64_t bytes_of(std::span<const TableRef> tables) noexcept {
  std::uint64_t bytes = 0;
  for (const TableRef& table : tables) bytes += table->info().file_bytes;
  return bytes;
}

}  // namespace

Picker::Picker(const Version& version, const PickerSettings& settings,
               std::span<const CompactionPlan> running)
    : version_(version), settings_(settings), running_(running) {
  ASHLAR_ASSERT(settings.fan_out > 1, "levels grow on the way down");
  ASHLAR_ASSERT(settings.base_bytes > 0, "a level that is used may have something");
  ASHLAR_ASSERT(settings.level0_count_max > 0, "level 0 may have tables");
  ASHLAR_ASSERT(settings.erase_percent_max > 0, "a table without erases is not full of them");
  set_targets();
}

/// Level 0 may not go past rows that are older than its own, so it goes no further than to the
/// first level that has a table.
void Picker::set_targets() {
  std::uint64_t bytes = settings_.base_bytes;
  for (std::uint32_t level = 1; level < kLevelCount; ++level) {
    bytes = std::max(bytes, version_.bytes(level));
  }
  for (std::uint32_t level = kLastLevel; level > 0 && bytes >= settings_.base_bytes; --level) {
    targets_[level] = bytes;
    base_level_ = level;
    bytes /= settings_.fan_out;
  }
  for (std::uint32_t level = 1; level < base_level_; ++level) {
    if (!version_.tables(level).empty()) base_level_ = level;
  }
  for (const CompactionPlan& plan : running_) {
    // Nor past what is on its way.
    if (plan.output_level > 0) base_level_ = std::min(base_level_, plan.output_level);
  }
}

bool Picker::is_running(const Table& table) const {
  return std::ranges::any_of(running_, [&](const CompactionPlan& plan) {
    const auto is_it = [&](const TableRef& taken) {
      return taken->info().number == table.info().number;
    };
    return std::ranges::any_of(plan.inputs, is_it) || std::ranges::any_of(plan.below, is_it);
  });
}

/// Whether `plan` must wait for one that runs (V10). Keys that overlap may be on their way into any
/// level from input to output, so none of these may be shared, be there a table yet or not.
bool Picker::is_blocked(const CompactionPlan& plan) const {
  return std::ranges::any_of(running_, [&](const CompactionPlan& other) {
    return plan.smallest <= other.largest && other.smallest <= plan.largest &&
           plan.input_level <= other.output_level && other.input_level <= plan.output_level;
  });
}

std::uint64_t Picker::fullness_percent(std::uint32_t level) const {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  for (const TableRef& table : version_.tables(level)) {
    if (is_running(*table)) continue;
    ++count;
    bytes += table->info().file_bytes;
  }
  if (level == 0) {
    // As a level of bytes it is due above what it may have; as a number of tables, at it.
    const std::uint64_t by_count = percent_of(count, settings_.level0_count_max);
    return by_count >= kDuePercent ? std::max(by_count, kDuePercent + 1) : by_count;
  }
  if (level == kLastLevel || bytes == 0) return 0;   // The last level takes what there is.
  if (targets_[level] == 0) return kDuePercent + 1;  // Drains when nothing else presses.
  return bytes > targets_[level] ? std::max(percent_of(bytes, targets_[level]), kDuePercent + 1)
                                 : percent_of(bytes, targets_[level]);
}

/// What compacting `table` costs for what it moves: the bytes below it in hundredths of its own.
std::uint64_t Picker::overlap_percent(std::uint32_t level, const Table& table) const {
  ASHLAR_ASSERT(level > 0 && level < kLastLevel, "there is a level below that has an order");
  const TableInfo& info = table.info();
  return percent_of(version_.overlapping_bytes(level + 1, info.smallest, info.largest),
                    info.file_bytes);
}

/// The tables of level 0 to take along with `seed`, newest first: of all that overlap, be it by way
/// of others, the oldest up to `seed`, and newer ones while the plan has room (V9). Those that stay
/// are newer than any taken one that they overlap with.
Picker::Tables Picker::level0_inputs(const Table& seed) const {
  CompactionPlan ends;
  stretch(ends, seed.info());
  for (std::size_t count = 0;;) {
    const Tables overlapping = version_.overlapping(0, ends.smallest, ends.largest);
    if (overlapping.size() == count) break;
    count = overlapping.size();
    for (const TableRef& table : overlapping) stretch(ends, table->info());
  }
  Tables tables = version_.overlapping(0, ends.smallest, ends.largest);
  std::uint64_t bytes = 0;
  auto first = tables.end();
  while (first != tables.begin()) {
    const TableInfo& next = (*std::prev(first))->info();
    bytes += next.file_bytes;
    if (next.age_rank > seed.info().age_rank && bytes > settings_.plan_bytes_max) break;
    --first;
  }
  tables.erase(tables.begin(), first);
  return tables;
}

/// Takes more of the input level where that makes the plan take no more of the output level: what
/// lies below is rewritten anyway. A plan with nothing below stays as it is, to be a move.
void Picker::widen(CompactionPlan& plan) const {
  if (plan.input_level == 0 || plan.input_level == plan.output_level || plan.below.empty()) return;
  Tables wider = version_.overlapping(plan.input_level, plan.smallest, plan.largest);
  if (wider.size() == plan.inputs.size()) return;
  CompactionPlan ends = plan;
  for (const TableRef& table : wider) stretch(ends, table->info());
  const Tables below = version_.overlapping(plan.output_level, ends.smallest, ends.largest);
  if (below.size() != plan.below.size()) return;
  if (bytes_of(wider) + bytes_of(below) > settings_.plan_bytes_max) return;
  ends.inputs = std::move(wider);
  if (!is_blocked(ends)) plan = std::move(ends);
}

/// Whether the input may go down as it is: alone, with nothing to merge with, and with nothing to
/// leave out at the bottom that the plan is about.
bool Picker::may_move(const CompactionPlan& plan) const {
  if (plan.inputs.size() != 1 || !plan.below.empty()) return false;
  if (plan.input_level == plan.output_level) return false;
  if (bytes_of(plan.further_below) > settings_.overlap_bytes_max) return false;
  if (!plan.is_bottom_most) return true;
  const TableInfo& table = plan.inputs[0]->info();
  if (plan.reason == PlanReason::kManual) {
    return table.erase_count == 0 && table.expiring_count == 0;
  }
  return plan.reason == PlanReason::kLevelFull &&
         !is_full_of_erases(table, settings_.erase_percent_max);
}

/// Adds to the inputs all that follows from them.
void Picker::complete(CompactionPlan& plan) const {
  for (const TableRef& table : plan.inputs) stretch(plan, table->info());
  if (plan.input_level != plan.output_level) {
    plan.below = version_.overlapping(plan.output_level, plan.smallest, plan.largest);
    for (const TableRef& table : plan.below) stretch(plan, table->info());
    widen(plan);
  }
  if (plan.output_level < kLastLevel) {
    plan.further_below = version_.overlapping(plan.output_level + 1, plan.smallest, plan.largest);
  }
  plan.is_bottom_most = true;
  for (std::uint32_t level = plan.output_level + 1; level < kLevelCount; ++level) {
    if (!version_.is_clear(level, plan.smallest, plan.largest)) plan.is_bottom_most = false;
  }
  plan.input_bytes = bytes_of(plan.inputs) + bytes_of(plan.below);
  plan.is_move = may_move(plan);
}

/// Returns: nullopt when the plan has to wait for one that runs
std::optional<CompactionPlan> Picker::plan_for(std::uint32_t level, const TableRef& seed,
                                               PlanReason reason) const {
  CompactionPlan plan{.reason = reason, .input_level = level};
  if (level == 0) {
    plan.output_level = base_level_;
    plan.inputs = level0_inputs(*seed);
  } else {
    plan.output_level = std::min(level + 1, kLastLevel);
    plan.inputs = {seed};
  }
  complete(plan);
  if (is_blocked(plan)) return std::nullopt;
  ASHLAR_ASSERT(
      std::ranges::none_of(plan.inputs, [&](const TableRef& t) { return is_running(*t); }),
      "V10: no table is taken twice");
  ASHLAR_ASSERT(std::ranges::none_of(plan.below, [&](const TableRef& t) { return is_running(*t); }),
                "V10: no table is taken twice");
  return plan;
}

/// The plan for a level that is too large: from level 0 the oldest tables, from another the table
/// that costs the least for what it is, or the next one, when that has to wait.
std::optional<CompactionPlan> Picker::pick_level(std::uint32_t level) const {
  const auto tables = version_.tables(level);
  std::vector<std::pair<std::uint64_t, std::size_t>> order;  // What it costs, and where it stands.
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (is_running(*tables[i])) continue;
    order.emplace_back(level == 0 ? tables.size() - i : overlap_percent(level, *tables[i]), i);
  }
  std::ranges::sort(order);
  for (const auto& [cost, index] : order) {
    if (auto plan = plan_for(level, tables[index], PlanReason::kLevelFull)) return plan;
  }
  return std::nullopt;
}

/// The plan for the fullest level that is above `percent_min`, or the next one, when that has to
/// wait.
std::optional<CompactionPlan> Picker::pick_fullest(std::uint64_t percent_min) const {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    const std::uint64_t percent = fullness_percent(level);
    if (percent > percent_min) order.emplace_back(percent, level);
  }
  std::ranges::sort(order, std::greater<>());
  for (const auto& [percent, level] : order) {
    if (auto plan = pick_level(level)) return plan;
  }
  return std::nullopt;
}

/// The plan for the first table, going down, that is wanted and need not wait.
template <typename Wanted>
std::optional<CompactionPlan> Picker::pick_table(PlanReason reason, Wanted is_wanted) const {
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : version_.tables(level)) {
      if (!is_wanted(level, table->info()) || is_running(*table)) continue;
      if (auto plan = plan_for(level, table, reason)) return plan;
    }
  }
  return std::nullopt;
}

std::optional<CompactionPlan> Picker::pick(engine::TimeMs now_ms) const {
  if (auto urgent = pick_fullest(kUrgentPercent)) return urgent;
  const auto is_expired = [&](std::uint32_t, const TableInfo& table) {
    return has_expired(table, now_ms, settings_.expiry_lag_ms_max);
  };
  if (auto expired = pick_table(PlanReason::kExpiry, is_expired)) return expired;
  if (auto full = pick_fullest(kDuePercent)) return full;
  return pick_table(PlanReason::kErases, [&](std::uint32_t, const TableInfo& table) {
    return is_full_of_erases(table, settings_.erase_percent_max);
  });
}

std::optional<CompactionPlan> Picker::pick_range(std::string_view smallest,
                                                 std::string_view largest,
                                                 engine::TimeMs now_ms) const {
  return pick_table(PlanReason::kManual, [&](std::uint32_t level, const TableInfo& table) {
    if (!table.overlaps(smallest, largest)) return false;
    return level < kLastLevel || table.erase_count > 0 || has_expired(table, now_ms, 0);
  });
}

std::uint64_t bytes_to_compact(const Version& version, engine::TimeMs now_ms) noexcept {
  std::uint64_t total = 0;
  std::uint64_t carried = 0;  // By all of the levels so far.
  for (std::uint32_t level = 0; level < kLastLevel; ++level) {
    carried += version.bytes(level);
    const std::uint64_t below = version.bytes(level + 1);
    // Where nothing is below, only tables that overlap each other are merged: those of level 0.
    const bool is_merged = below > 0 || (level == 0 && version.tables(0).size() > 1);
    if (carried > 0 && is_merged) total += carried + below;
  }
  if (carried > 0) return total;
  for (const TableRef& table : version.tables(kLastLevel)) {
    const bool is_due = table->info().erase_count > 0 || has_expired(table->info(), now_ms, 0);
    if (is_due) total += table->info().file_bytes;
  }
  return total;
}

VersionEdit edit_of_move(const CompactionPlan& plan) {
  ASHLAR_ASSERT(plan.is_move, "only what goes down as it is moves");
  ASHLAR_ASSERT(plan.inputs.size() == 1, "a move is that of one table");
  return {.removals = {{.level = plan.input_level, .number = plan.inputs[0]->info().number}},
          .additions = {{.level = plan.output_level, .table = plan.inputs[0]}}};
}

}  // namespace ashlar::lsm
