// What readers of the report rely on: verdicts follow the bounds, JSON is JSON with all its fields,
// the table has a line a row.

#include "report.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <sstream>
#include <string>

namespace ashlar::bench {
namespace {

RowResult ratio_row(double ratio) {
  return {.name = "row",
          .ours = 100,
          .peer = "peer",
          .peer_value = 100 * ratio,
          .unit = "ns",
          .ratio = ratio,
          .must = 3,
          .aim = 5};
}

RowResult bytes_row(double ours) {
  return {.name = "bytes",
          .ours = ours,
          .unit = "B",
          .must = 155,
          .aim = 142,
          .goal = Goal::kOursAtMost};
}

TEST(Verdict, OfARatioIsFromBelow) {
  EXPECT_EQ(verdict_of(ratio_row(2.9)), Verdict::kBelowMust);
  EXPECT_EQ(verdict_of(ratio_row(3)), Verdict::kMust);
  EXPECT_EQ(verdict_of(ratio_row(5)), Verdict::kAim);
}

TEST(Verdict, OfAnAmountIsFromAbove) {
  EXPECT_EQ(verdict_of(bytes_row(156)), Verdict::kBelowMust);
  EXPECT_EQ(verdict_of(bytes_row(155)), Verdict::kMust);
  EXPECT_EQ(verdict_of(bytes_row(142)), Verdict::kAim);
}

TEST(Verdict, NothingGoodComesOfAMissingPeerOrAFailure) {
  RowResult result = ratio_row(9);
  result.ratio.reset();
  EXPECT_EQ(verdict_of(result), Verdict::kNoPeer);
  EXPECT_FALSE(is_ok(result));

  result = ratio_row(9);
  result.has_failed_besides = true;
  EXPECT_FALSE(is_ok(result));
}

TEST(Verdict, ARowWithoutABoundIsForInformation) {
  RowResult result = ratio_row(0.1);
  result.must.reset();
  EXPECT_EQ(verdict_of(result), Verdict::kInformation);
  EXPECT_TRUE(is_ok(result));
}

TEST(Json, HasAllFieldsInOrder) {
  EXPECT_EQ(json_of(ratio_row(4)),
            R"({"name":"row","ours":100.0000,"peer":"peer","peer_value":400.0000,"unit":"ns",)"
            R"("ratio":4.0000,"must":3.0000,"aim":5.0000,"ok":true})");
}

TEST(Json, WhatIsAbsentIsNull) {
  const RowResult result = {.name = "row", .ours = 1, .unit = "ns"};
  EXPECT_EQ(json_of(result),
            R"({"name":"row","ours":1.0000,"peer":null,"peer_value":null,"unit":"ns",)"
            R"("ratio":null,"must":null,"aim":null,"ok":true})");
}

TEST(Json, EscapesTextAndHasNoInfinity) {
  RowResult result = {.name = "a\"b\\c\n", .ours = std::numeric_limits<double>::infinity()};
  EXPECT_EQ(json_of(result),
            R"({"name":"a\"b\\c\u000a","ours":null,"peer":null,"peer_value":null,"unit":"",)"
            R"("ratio":null,"must":null,"aim":null,"ok":true})");
}

TEST(Spread, TakesTheMiddle) {
  EXPECT_EQ(spread_of(std::array<double, 3>{3, 1, 2}).median, 2);
  EXPECT_EQ(spread_of(std::array<double, 4>{4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(spread_of(std::array<double, 3>{3, 1, 2}).lowest, 1);
  EXPECT_EQ(spread_of(std::array<double, 3>{3, 1, 2}).highest, 3);
}

TEST(Table, HasALineARowUnderItsHead) {
  const std::array<RowResult, 2> results = {ratio_row(4), bytes_row(140)};
  std::ostringstream out;
  write_table(results, out);
  std::istringstream lines(out.str());
  std::string line;
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with("row ")) << line;
  EXPECT_TRUE(line.ends_with("verdict")) << line;
  std::getline(lines, line);
  EXPECT_NE(line.find("4.00x"), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with("ok")) << line;
  std::getline(lines, line);
  EXPECT_NE(line.find("<= 155 B"), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with("ok, aim met")) << line;
}

}  // namespace
}  // namespace ashlar::bench
