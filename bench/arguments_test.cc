// What a user of the command line relies on: what is understood takes effect, and what is not is
// named together with what would be.

#include "arguments.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace ashlar::bench {
namespace {

std::expected<Arguments, std::string> parse(const std::vector<std::string_view>& words) {
  static constexpr std::array<std::string_view, 2> kRows = {"mem-get", "mem-set"};
  return parse_arguments(words, kRows);
}

std::string complaint(const std::vector<std::string_view>& words) {
  const auto arguments = parse(words);
  return arguments ? "none" : arguments.error();
}

TEST(Arguments, NoneMeansEverything) {
  const auto arguments = parse({});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_TRUE(arguments->rows.empty());
  EXPECT_EQ(arguments->settings.rounds, Settings{}.rounds);
}

TEST(Arguments, TakeEffect) {
  const auto arguments =
      parse({"--rows=mem-set,mem-get", "--rounds=3", "--seconds=0.2", "--json", "a/b.jsonl"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(arguments->rows, (std::vector<std::string>{"mem-set", "mem-get"}));
  EXPECT_EQ(arguments->settings.rounds, 3);
  EXPECT_DOUBLE_EQ(arguments->settings.seconds, 0.2);
  EXPECT_EQ(arguments->json_path, "a/b.jsonl");
}

TEST(Arguments, AStarMeansAllRowsThatBeginSo) {
  EXPECT_EQ(parse({"--rows=mem-*"})->rows, (std::vector<std::string>{"mem-get", "mem-set"}));
  EXPECT_EQ(parse({"--rows=mem-s*"})->rows, (std::vector<std::string>{"mem-set"}));
  EXPECT_EQ(parse({"--rows=*"})->rows.size(), 2U);
  EXPECT_NE(complaint({"--rows=disk-*"}), "none");
  EXPECT_NE(complaint({"--rows=*-get"}), "none");
}

TEST(Arguments, AnUnknownRowIsToldWhichThereAre) {
  EXPECT_EQ(complaint({"--rows=mem-get,disk"}),
            "no row is named 'disk'; there are: mem-get, mem-set");
  EXPECT_NE(complaint({"--rows="}), "none");
}

TEST(Arguments, AnUnknownFlagIsToldWhichThereAre) {
  EXPECT_EQ(complaint({"--fast"}),
            "'--fast' is not a flag; there are: --rows, --rounds, --seconds, --json, --list, "
            "--help");
}

TEST(Arguments, NumbersOutsideTheirRangeAreRefused) {
  for (const std::string_view word : {"--rounds=0", "--rounds=1001", "--rounds=x", "--seconds=0",
                                      "--seconds=601", "--seconds=nan", "--seconds=", "--rounds"}) {
    EXPECT_NE(complaint({word}), "none") << word;
  }
}

TEST(Arguments, ListAndHelpAreActions) {
  EXPECT_EQ(parse({"--list"})->action, Arguments::Action::kList);
  EXPECT_EQ(parse({"--help"})->action, Arguments::Action::kHelp);
}

}  // namespace
}  // namespace ashlar::bench
