// What readers of dumps rely on: bytes come in their order, however the source cuts them, and what
// a length claims takes no memory.

#include <gtest/gtest.h>

#include <string>

#include "cli/dump_rig_test.h"

namespace ashlar::cli {
namespace {

TEST(DumpInput, HandsBytesOutInOrder) {
  std::string all;
  for (int i = 0; i < 100'000; ++i) all += std::to_string(i);
  DumpInput input(pieces_of(all, 1000));
  std::string taken;
  while (true) {
    const std::size_t wanted = 1 + taken.size() % 37;
    const bool has_all = input.fetch(wanted).value();
    const std::size_t count = std::min(wanted, input.bytes().size());
    taken += input.bytes().substr(0, count);
    input.take(count);
    EXPECT_EQ(input.offset(), taken.size());
    if (!has_all) break;
  }
  EXPECT_EQ(taken, all);
}

TEST(DumpInput, TakesNoMemoryForWhatIsOnlyClaimed) {
  DumpInput input(pieces_of("short", 5));
  EXPECT_FALSE(input.fetch(std::size_t{1} << 50U).value());
  EXPECT_EQ(input.bytes(), "short");
}

TEST(DumpInput, PassesAnErrorOn) {
  DumpInput input([](std::span<char>) -> Result<std::size_t> {
    return std::unexpected(Error::of_literal(ErrorCode::kIo, "gone"));
  });
  EXPECT_EQ(input.fetch(1).error().code(), ErrorCode::kIo);
}

TEST(DumpInput, FindsOutTheForm) {
  EXPECT_EQ(read_dump("neither").error, "offset 0: this does not begin as a dump does");
  EXPECT_EQ(read_dump("").error, "offset 0: this does not begin as a dump does");
  DumpInput text(pieces_of(kTextBegin, 5));
  auto reader = make_reader(text, DumpForm::kBinary);
  EXPECT_EQ((*reader)->next().error().message(), "offset 0: no dump of version 1 begins like this");
}

}  // namespace
}  // namespace ashlar::cli
