// What a caller may rely on in a failure: it has one code of the closed list with a name of its
// own, and its message survives copying, moving and the want of memory.

#include "ashlar/result.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ashlar {
namespace {

TEST(ErrorCode, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kCorruption); ++code) {
    names.insert(error_code_name(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), 8U);
  EXPECT_EQ(error_code_name(ErrorCode::kInvalidArgument), "InvalidArgument");
  EXPECT_EQ(error_code_name(ErrorCode::kCorruption), "Corruption");
}

TEST(ErrorCodeDeathTest, ANumberOutsideTheListIsABrokenRule) {
  EXPECT_DEATH(error_code_name(static_cast<ErrorCode>(200)), "one of the closed list");
}

TEST(Error, KeepsItsCodeAndMessage) {
  const Error error(ErrorCode::kBusy, std::string("key \"a\" is held"));
  EXPECT_EQ(error.code(), ErrorCode::kBusy);
  EXPECT_EQ(error.message(), "key \"a\" is held");
}

TEST(Error, OfALiteralPointsAtTheLiteral) {
  static constexpr const char* kText = "the process is out of memory";
  const Error error = Error::of_literal(ErrorCode::kOutOfSpace, kText);
  EXPECT_EQ(error.message().data(), kText);
}

TEST(Error, ACopyIsIndependentOfItsOriginal) {
  Error original(ErrorCode::kIo, std::string("read of a file failed: a long enough message"));
  const Error copy = original;
  original = Error::of_literal(ErrorCode::kBusy, "other");
  EXPECT_EQ(copy.code(), ErrorCode::kIo);
  EXPECT_EQ(copy.message(), "read of a file failed: a long enough message");
  EXPECT_EQ(original.message(), "other");
}

TEST(Error, AssigningACopyReplacesTextByLiteralAndBack) {
  const Error text(ErrorCode::kIo, std::string("text"));
  const Error literal = Error::of_literal(ErrorCode::kBusy, "literal");
  Error error = text;
  error = literal;
  EXPECT_EQ(error.message(), "literal");
  error = text;
  EXPECT_EQ(error.message(), "text");
  const Error& self = error;
  error = self;
  EXPECT_EQ(error.message(), "text");
}

TEST(Error, MovedFromHasAnEmptyMessage) {
  Error from(ErrorCode::kIo, std::string("text"));
  const Error to = std::move(from);
  EXPECT_EQ(to.message(), "text");
  EXPECT_EQ(from.message(), "");  // NOLINT(bugprone-use-after-move)
}

Result<int> half_of(int number) {
  if (number % 2 != 0) return std::unexpected(Error::of_literal(ErrorCode::kBusy, "odd"));
  return number / 2;
}

Result<int> quarter_of(int number) {
  ASHLAR_TRY(half_of(number));
  ASHLAR_TRY_ASSIGN(const int half, half_of(number));
  ASHLAR_TRY_ASSIGN(const int quarter, half_of(half));
  return quarter;
}

TEST(Try, PassesAnswersOnAndReturnsErrors) {
  EXPECT_EQ(quarter_of(8).value(), 2);
  EXPECT_EQ(quarter_of(6).error().message(), "odd");
  EXPECT_EQ(quarter_of(3).error().code(), ErrorCode::kBusy);
}

}  // namespace
}  // namespace ashlar
