/// \file
/// The command line of a campaign: `--name=value` for each, as `make campaign` passes them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace ashlar::crash {

class CampaignArguments {
 public:
  /// Ends the program with status 2 where an argument is of another form.
  CampaignArguments(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
      const std::string_view argument = arguments[i];
      const std::size_t equals = argument.find('=');
      if (!argument.starts_with("--") || equals == std::string_view::npos) refuse(argument);
      given_[std::string(argument.substr(2, equals - 2))] = argument.substr(equals + 1);
    }
  }

  /// Takes a number, or `otherwise` when it is not given.
  std::uint64_t number(const std::string& name, std::uint64_t otherwise) {
    const std::string value = text(name);
    if (value.empty()) return otherwise;
    if (value.find_first_not_of("0123456789") != std::string::npos) refuse(value);
    return std::strtoull(value.c_str(), nullptr, 10);
  }

  /// Takes a text; empty when it is not given.
  std::string text(const std::string& name) {
    const auto found = given_.find(name);
    if (found == given_.end()) return {};
    std::string value = std::move(found->second);
    given_.erase(found);
    return value;
  }

  /// Takes one of the names in `choices`, or `otherwise` when none is given.
  template <typename T>
  T choice(const std::string& name, T otherwise, const std::map<std::string, T>& choices) {
    const std::string value = text(name);
    if (value.empty()) return otherwise;
    const auto chosen = choices.find(value);
    if (chosen == choices.end()) refuse(value);
    return chosen->second;
  }

  /// To be called when all has been taken: ends the program with status 2 if anything is left.
  void expect_nothing_left() const {
    if (!given_.empty()) refuse(given_.begin()->first);
  }

  /// Says that `argument` is not understood, and ends the program.
  [[noreturn]] static void refuse(std::string_view argument) {
    std::fprintf(stderr, "campaign: '%s' is not understood\n", std::string(argument).c_str());
    std::exit(2);
  }

 private:
  std::map<std::string, std::string> given_;
};

}  // namespace ashlar::crash
