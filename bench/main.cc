// ashlar-bench: runs the rows, prints the table. Exit status: 0 when all rows ran, whatever their
// verdicts; 1 when a back-end failed or gave a wrong answer; 2 for a command line that makes no
// sense.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.h"
#include "machine.h"
#include "report.h"
#include "rows.h"

namespace ashlar::bench {
namespace {

constexpr int kDone = 0;
constexpr int kWrong = 1;
constexpr int kBadCommandLine = 2;

std::vector<std::string_view> row_names() {
  std::vector<std::string_view> names;
  for (const auto& row : all_rows()) names.push_back(row.name);
  return names;
}

/// Opens `path` empty, with the folders that lead to it.
std::ofstream open_json(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder);
  std::ofstream file(path, std::ios::trunc);
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

int run(const Arguments& arguments) {
  std::ofstream json;
  if (!arguments.json_path.empty()) json = open_json(arguments.json_path);
  write_machine(std::cout);
  std::cout << arguments.settings.rounds << " rounds of " << arguments.settings.seconds
            << " s, sides take turns, medians; keys of 16 bytes, values of 100\n\n";

  std::vector<RowResult> results;
  int status = kDone;
  for (const auto& row : all_rows()) {
    const auto& wanted = arguments.rows;
    if (!wanted.empty() && std::ranges::find(wanted, row.name) == wanted.end()) continue;
    std::cerr << "running " << row.name << ": " << row.what << '\n';
    const RowOutcome outcome = row.run(row, arguments.settings);
    if (outcome.wrong_count > 0) {
      std::cerr << row.name << ": " << outcome.wrong_count
                << " wrong answers or failed writes from " << outcome.wrong_of << '\n';
      status = kWrong;
    }
    for (const auto& result : outcome.results) {
      results.push_back(result);
      if (outcome.wrong_count > 0) results.back().has_failed_besides = true;
      if (json.is_open()) json << json_of(results.back()) << '\n' << std::flush;
    }
  }
  write_table(results, std::cout);
  write_document_figures(results, std::cout);
  if (json.is_open() && !json) throw std::runtime_error("cannot write " + arguments.json_path);
  return status;
}

int run_command_line(int count, char** words) {
  const std::vector<std::string_view> after_name(words + std::min(count, 1), words + count);
  const auto arguments = parse_arguments(after_name, row_names());
  if (!arguments) {
    std::cerr << "ashlar-bench: " << arguments.error() << '\n';
    return kBadCommandLine;
  }
  switch (arguments->action) {
    case Arguments::Action::kHelp:
      std::cout << usage();
      return kDone;
    case Arguments::Action::kList:
      for (const auto& row : all_rows()) std::cout << row.name << "  " << row.what << '\n';
      return kDone;
    case Arguments::Action::kRun:
      return run(*arguments);
  }
  return kBadCommandLine;
}

}  // namespace
}  // namespace ashlar::bench

int main(int count, char** words) {
  try {
    return ashlar::bench::run_command_line(count, words);
  } catch (const std::exception& error) {
    std::cerr << "ashlar-bench: " << error.what() << '\n';
    return ashlar::bench::kWrong;
  }
}
