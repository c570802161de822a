/// \file
/// The command line.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contender.h"

namespace ashlar::bench {

/// What to do, as the command line says it.
struct Arguments {
  enum class Action : std::uint8_t { kRun, kList, kHelp };

  Action action = Action::kRun;
  std::vector<std::string> rows;  ///< Empty: all.
  Settings settings;
  std::string json_path;  ///< Empty: no file.
};

/// Reads `words`, the command line without the name of the program. `row_names` are the rows that
/// there are.
///
/// Errors: a sentence that names what was not understood and what would be
std::expected<Arguments, std::string> parse_arguments(std::span<const std::string_view> words,
                                                      std::span<const std::string_view> row_names);

/// What `--help` prints.
std::string_view usage();

}  // namespace ashlar::bench
