#include "arguments.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <utility>

namespace ashlar::bench {
namespace {

using Outcome = std::expected<void, std::string>;

constexpr std::string_view kUsage =
    "usage: ashlar-bench [--rows=name,name] [--rounds=N] [--seconds=S] [--json=FILE]\n"
    "                    [--list] [--help]\n"
    "  --rows     the rows to run; all unless given. A star at the end of a name means all\n"
    "             rows that begin so: disk-*\n"
    "  --rounds   rounds of each side, 1 to 1000; 5 unless given\n"
    "  --seconds  length of a round, above 0 to 600; 0.8 unless given\n"
    "  --json     the file to write one JSON object a row to\n"
    "  --list     prints the names of the rows\n";

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = {};
  const char* begin = text.data();
  const char* end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::unexpected<std::string> complaint(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const auto part : parts) text += part;
  return std::unexpected(std::move(text));
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const auto name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

/// Whether `wanted` means `row`: by its name or, with a star at the end, by how it begins.
bool is_meant(std::string_view wanted, std::string_view row) {
  if (!wanted.ends_with('*')) return wanted == row;
  wanted.remove_suffix(1);
  return row.starts_with(wanted);
}

Outcome take_rows(std::string_view text, std::span<const std::string_view> row_names,
                  std::vector<std::string>& rows) {
  while (true) {
    const auto comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    const auto count_before = rows.size();
    for (const auto row : row_names) {
      if (is_meant(name, row)) rows.emplace_back(row);
    }
    if (rows.size() == count_before) {
      return complaint({"no row is named '", name, "'; there are: ", joined(row_names)});
    }
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

Outcome take_flag(std::string_view flag, std::string_view value,
                  std::span<const std::string_view> row_names, Arguments& arguments) {
  if (flag == "--rows") return take_rows(value, row_names, arguments.rows);
  if (flag == "--json") {
    if (value.empty()) return complaint({"--json needs the name of a file"});
    arguments.json_path = value;
    return {};
  }
  if (flag == "--rounds") {
    const auto rounds = number_of<int>(value);
    if (!rounds || *rounds < 1 || *rounds > 1000) {
      return complaint({"--rounds is '", value, "', not 1 to 1000"});
    }
    arguments.settings.rounds = *rounds;
    return {};
  }
  const auto seconds = number_of<double>(value);
  if (!seconds || !(*seconds > 0) || *seconds > 600) {
    return complaint({"--seconds is '", value, "', not above 0 to 600"});
  }
  arguments.settings.seconds = *seconds;
  return {};
}

}  // namespace

std::string_view usage() {
  return kUsage;
}

std::expected<Arguments, std::string> parse_arguments(std::span<const std::string_view> words,
                                                      std::span<const std::string_view> row_names) {
  static constexpr std::array<std::string_view, 4> kFlags = {"--rows", "--rounds", "--seconds",
                                                             "--json"};
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--list" || word == "--help") {
      arguments.action = word == "--list" ? Arguments::Action::kList : Arguments::Action::kHelp;
      continue;
    }
    const auto equals = word.find('=');
    const std::string_view flag = word.substr(0, equals);
    if (std::ranges::find(kFlags, flag) == kFlags.end()) {
      return complaint(
          {"'", word, "' is not a flag; there are: ", joined(kFlags), ", --list, --help"});
    }
    if (equals == std::string_view::npos && i + 1 == words.size()) {
      return complaint({flag, " needs a value"});
    }
    const std::string_view value =
        equals == std::string_view::npos ? words[++i] : word.substr(equals + 1);
    if (auto taken = take_flag(flag, value, row_names, arguments); !taken) {
      return std::unexpected(std::move(taken).error());
    }
  }
  return arguments;
}

}  // namespace ashlar::bench
