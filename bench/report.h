/// \file
/// What a row found, how it is judged, and how it is written: as a table for people and as one JSON
/// object a line for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace ashlar::bench {

/// The figures of one side over all rounds.
struct Spread {
  double median = 0;
  double lowest = 0;
  double highest = 0;
};

/// The spread of `figures`, which are at least one.
Spread spread_of(std::span<const double> figures);

/// What `must` and `aim` are bounds of.
enum class Goal : std::uint8_t {
  kRatioAtLeast,  ///< Of `ratio`, from below.
  kOursAtMost,    ///< Of `ours`, from above.
};

/// How a result stands to its bounds.
enum class Verdict : std::uint8_t { kInformation, kNoPeer, kBelowMust, kMust, kAim };

/// One line of the report.
struct RowResult {
  // What a designated initialiser may leave out needs one of its own, or g++ warns.
  // NOLINTBEGIN(readability-redundant-member-init)
  std::string name;
  double ours = 0;
  std::string peer = {};  ///< Empty: none.
  std::optional<double> peer_value = {};
  std::string unit = {};  ///< Of `ours` and `peer_value`.
  std::optional<double> ratio = {};
  std::string_view ratio_unit = "x";  ///< "x", or " pt" for a difference in points.
  std::optional<double> must = {};    ///< Absent: the row is for information.
  std::optional<double> aim = {};
  Goal goal = Goal::kRatioAtLeast;
  bool has_failed_besides = false;  ///< Another condition of the row does not hold.
  std::optional<Spread> ours_spread = {};
  std::optional<Spread> peer_spread = {};
  std::string note = {};
  // NOLINTEND(readability-redundant-member-init)
};

Verdict verdict_of(const RowResult& result);

/// Whether the row meets its `must`. A row without one does; one without its peer does not.
bool is_ok(const RowResult& result);

/// `result` as one line of JSON, without the end of line.
std::string json_of(const RowResult& result);

/// Writes the table of `results`, then spreads and notes.
void write_table(std::span<const RowResult> results, std::ostream& out);

/// Writes the figures of the document that the project started from beside ours.
void write_document_figures(std::span<const RowResult> results, std::ostream& out);

/// `number` with `digits` digits behind the point.
std::string fixed(double number, int digits);

}  // namespace ashlar::bench
