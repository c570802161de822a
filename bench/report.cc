#include "report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <vector>

namespace ashlar::bench {

Spread spread_of(std::span<const double> figures) {
  std::vector<double> sorted(figures.begin(), figures.end());
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  const bool is_even = sorted.size() % 2 == 0;
  const double median = is_even ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle];
  return {.median = median, .lowest = sorted.front(), .highest = sorted.back()};
}

std::string fixed(double number, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << number;
  return text.str();
}

Verdict verdict_of(const RowResult& result) {
  if (!result.must) return Verdict::kInformation;
  if (result.has_failed_besides) return Verdict::kBelowMust;
  if (result.goal == Goal::kOursAtMost) {
    if (result.ours > *result.must) return Verdict::kBelowMust;
    return result.aim && result.ours <= *result.aim ? Verdict::kAim : Verdict::kMust;
  }
  if (!result.ratio) return Verdict::kNoPeer;
  if (*result.ratio < *result.must) return Verdict::kBelowMust;
  return result.aim && *result.ratio >= *result.aim ? Verdict::kAim : Verdict::kMust;
}

bool is_ok(const RowResult& result) {
  const Verdict verdict = verdict_of(result);
  return verdict != Verdict::kNoPeer && verdict != Verdict::kBelowMust;
}

namespace {

std::string json_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + '"';
}

// JSON has no numbers that are not finite.
std::string number_or_null(std::optional<double> number) {
  return number && std::isfinite(*number) ? fixed(*number, 4) : "null";
}

// Three digits are what the noise leaves.
std::string rounded(double number) {
  const double size = std::abs(number);
  if (size >= 100) return fixed(number, 0);
  return fixed(number, size >= 10 ? 1 : 2);
}

std::string_view verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kInformation:
      return "-";
    case Verdict::kNoPeer:
      return "skipped: no peer";
    case Verdict::kBelowMust:
      return "MISSED";
    case Verdict::kMust:
      return "ok";
    case Verdict::kAim:
      return "ok, aim met";
  }
  return "";
}

std::string bound_text(const RowResult& result, std::optional<double> bound) {
  if (!bound) return "-";
  if (result.goal == Goal::kOursAtMost) return "<= " + rounded(*bound) + " " + result.unit;
  return ">= " + rounded(*bound) + std::string(result.ratio_unit);
}

constexpr std::size_t kColumns = 7;
using Line = std::array<std::string, kColumns>;

Line line_of(const RowResult& result) {
  std::string peer = result.peer.empty() ? "-" : result.peer;
  if (result.peer_value) peer = rounded(*result.peer_value) + " " + result.unit + "  " + peer;
  return {result.name,
          rounded(result.ours) + " " + result.unit,
          peer,
          result.ratio ? rounded(*result.ratio) + std::string(result.ratio_unit) : "-",
          bound_text(result, result.must),
          bound_text(result, result.aim),
          std::string(verdict_text(verdict_of(result)))};
}

std::string range_text(const Spread& spread, const std::string& unit) {
  return rounded(spread.lowest) + " to " + rounded(spread.highest) + " " + unit;
}

}  // namespace

std::string json_of(const RowResult& result) {
  const std::string peer = result.peer.empty() ? "null" : json_text(result.peer);
  return "{\"name\":" + json_text(result.name) + ",\"ours\":" + number_or_null(result.ours) +
         ",\"peer\":" + peer + ",\"peer_value\":" + number_or_null(result.peer_value) +
         ",\"unit\":" + json_text(result.unit) + ",\"ratio\":" + number_or_null(result.ratio) +
         ",\"must\":" + number_or_null(result.must) + ",\"aim\":" + number_or_null(result.aim) +
         ",\"ok\":" + (is_ok(result) ? "true" : "false") + "}";
}

void write_table(std::span<const RowResult> results, std::ostream& out) {
  std::vector<Line> lines = {{"row", "ours", "peer", "ratio", "must", "aim", "verdict"}};
  for (const auto& result : results) lines.push_back(line_of(result));

  std::array<std::size_t, kColumns> widths = {};
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) {
      out << std::left << std::setw(static_cast<int>(widths[i]) + 2) << line[i];
    }
    out << line.back() << '\n';
  }

  out << "\nlowest to highest round, and notes\n";
  for (const auto& result : results) {
    if (!result.ours_spread && result.note.empty()) continue;
    out << "  " << std::left << std::setw(static_cast<int>(widths[0]) + 2) << result.name;
    if (result.ours_spread) out << "ours " << range_text(*result.ours_spread, result.unit);
    if (result.peer_spread) out << ", peer " << range_text(*result.peer_spread, result.unit);
    if (result.ours_spread && !result.note.empty()) out << "; ";
    out << result.note << '\n';
  }
}

void write_document_figures(std::span<const RowResult> results, std::ostream& out) {
  struct Figure {
    std::string_view row;
    std::string_view what;
    double ns;
  };
  static constexpr std::array<Figure, 5> kFigures = {{
      {.row = "mem-set", .what = "set", .ns = 477},
      {.row = "mem-get", .what = "get", .ns = 68},
      {.row = "mem-delete", .what = "delete", .ns = 240},
      {.row = "mem-batch-set", .what = "batch set of ten", .ns = 5300},
      {.row = "mem-batch-get", .what = "batch get of ten", .ns = 1100},
  }};
  out << "\nthe starting document's own figures (taken on another machine: for orientation only)\n";
  for (const auto& figure : kFigures) {
    out << "  " << std::left << std::setw(18) << figure.what << rounded(figure.ns) << " ns";
    const auto ours = std::ranges::find(results, figure.row, &RowResult::name);
    if (ours != results.end()) out << ", ours here " << rounded(ours->ours) << " ns";
    out << '\n';
  }
}

}  // namespace ashlar::bench
