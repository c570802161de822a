/// \file
/// Which tables to compact next: a function of a version, of settings and of what is running.
///
/// Targets are counted down from the last level, which is as large as the largest one is: each
/// level above may have a tenth of the one below. A level whose target would be less than
/// `base_bytes` is not used, and level 0 goes to the first that is, so that a small database has
/// two levels and not seven. Levels that are used no longer have a target of nothing and drain.
///
/// Of a level that is too large the table is chosen that has the least below it for what it is.
/// That needs no cursor to keep and to store, makes a load in the order of keys a row of moves, and
/// a table that is passed over again and again is one that costs much and brings little. (A cursor
/// going round writes as much when keys are spread evenly, and more when they are not.) What such a
/// table may not keep for ever, erases and rows whose deadline has passed, has plans of its own.
///
/// Invariants:
///   V9   Carrying out a plan keeps V2 and V3: it takes every table of its output level that
///        overlaps, and of level 0 every older table that overlaps with one that it takes.
///   V10  Two plans that run at a time have no table in common, and where their keys overlap, no
///        level from input to output.
///   V11  A bottom-most plan has no row below it: erases and expired rows may vanish.
///   V12  Carrying out plans until there is none comes to an end, and then every level is within
///        its target.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/operation.h"
#include "lsm/version.h"

namespace ashlar::lsm {

struct PickerSettings {
  /// At so many tables in level 0 it is compacted: each is one more to look at for every read.
  std::uint64_t level0_count_max = 4;

  /// The smallest target of a level.
  std::uint64_t base_bytes = std::uint64_t{128} << 20U;

  /// How much larger each level is than the one above. At 10 a row is written some 10 times a
  /// level; with 5 half as often, over half as many levels again, each a look for every read.
  std::uint64_t fan_out = 10;

  /// What a plan is filled up to. One table and all that it overlaps may be more.
  std::uint64_t plan_bytes_max = std::uint64_t{1} << 30U;

  /// A table is moved only where it overlaps with no more two levels further down, so that the
  /// compaction that it will be part of stays bounded.
  std::uint64_t overlap_bytes_max = std::uint64_t{640} << 20U;

  /// A table with so many erases in a hundred rows is compacted for them: a walk has to step over
  /// each. 1 to 100.
  std::uint64_t erase_percent_max = 50;

  /// How long after its deadline a row may take space.
  engine::TimeMs expiry_lag_ms_max = engine::TimeMs{3'600'000};
};

/// Why a plan was made.
enum class PlanReason : std::uint8_t { kLevelFull, kErases, kExpiry, kManual };

/// What a compaction is to do: merge the inputs of both levels into new tables of the output level.
struct CompactionPlan {
  PlanReason reason = PlanReason::kLevelFull;
  std::uint32_t input_level = 0;
  std::uint32_t output_level = 0;            ///< Below the input level, or the last level for both.
  std::vector<TableRef> inputs = {};         ///< Of the input level, in the order of the version.
  std::vector<TableRef> below = {};          ///< Of the output level: all that overlap.
  std::vector<TableRef> further_below = {};  ///< Of the level after: what outputs are cut along.
  std::string smallest = {};                 ///< The first key of all that is taken,
  std::string largest = {};                  ///< and the last.
  std::uint64_t input_bytes = 0;             ///< Of both levels.
  bool is_move = false;                      ///< The one input goes down as it is.
  bool is_bottom_most = false;               ///< V11.
};

/// Chooses compactions.
///
/// Threads:  confined.
/// Lifetime: what it is made from must outlive it; it is made for one choice.
class Picker {
 public:
  /// Input: running  the plans that are being carried out on tables of `version`
  Picker(const Version& version, const PickerSettings& settings,
         std::span<const CompactionPlan> running);

  /// The most urgent compaction: of a table that holds expired rows for too long, unless some level
  /// has twice what it may have; then of the level that is furthest beyond its target; then of a
  /// table that is full of erases.
  ///
  /// Returns: nullopt when nothing is due, or all that is due runs or waits for what runs
  std::optional<CompactionPlan> pick(engine::TimeMs now_ms) const;

  /// The next of the compactions after which every row between `smallest` and `largest`, both
  /// included, is in the last level, and no erase nor expired row is left there.
  ///
  /// Returns: nullopt when that is so, or what is left to do runs or waits for what runs
  std::optional<CompactionPlan> pick_range(std::string_view smallest, std::string_view largest,
                                           engine::TimeMs now_ms) const;

  /// How many bytes `level`, which is not 0, may have.
  std::uint64_t target_bytes(std::uint32_t level) const noexcept { return targets_[level]; }

  /// Where tables of level 0 go.
  std::uint32_t base_level() const noexcept { return base_level_; }

  /// How full a level is, in hundredths: above 100 it is due. Tables that are on their way out do
  /// not count.
  std::uint64_t fullness_percent(std::uint32_t level) const;

 private:
  using Tables = std::vector<TableRef>;

  void set_targets();
  bool is_running(const Table& table) const;
  bool is_blocked(const CompactionPlan& plan) const;
  std::uint64_t overlap_percent(std::uint32_t level, const Table& table) const;
  Tables level0_inputs(const Table& seed) const;
  void widen(CompactionPlan& plan) const;
  void complete(CompactionPlan& plan) const;
  bool may_move(const CompactionPlan& plan) const;
  std::optional<CompactionPlan> plan_for(std::uint32_t level, const TableRef& seed,
                                         PlanReason reason) const;
  std::optional<CompactionPlan> pick_level(std::uint32_t level) const;
  std::optional<CompactionPlan> pick_fullest(std::uint64_t percent_min) const;
  template <typename Wanted>
  std::optional<CompactionPlan> pick_table(PlanReason reason, Wanted is_wanted) const;

  const Version& version_;
  const PickerSettings& settings_;
  const std::span<const CompactionPlan> running_;
  std::array<std::uint64_t, kLevelCount> targets_ = {};
  std::uint32_t base_level_ = kLastLevel;
};

/// About how much is read until every row of `version` is in the last level, and no erase nor row
/// that expired by `now_ms` is left there: each level once with all that has come down to it.
/// Tables that go down as they are cost nothing.
std::uint64_t bytes_to_compact(const Version& version, engine::TimeMs now_ms) noexcept;

/// What is different once `plan`, a move, has been carried out.
VersionEdit edit_of_move(const CompactionPlan& plan);

}  // namespace ashlar::lsm
