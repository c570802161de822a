// What a binary dump promises (U1 to U3), as for text.

#include <gtest/gtest.h>

#include <string>

#include "cli/dump_rig_test.h"

namespace ashlar::cli {
namespace {

TEST(DumpBinary, LooksAsDocumented) {
  const auto writer = make_binary_writer();
  const std::string dump = dump_of(*writer, {{"key", "value"}, {"k", "", 0x0102}});
  const std::string expected =
      std::string("ashlrdmp\1\0\0\0\0\0\0\0", 16) + std::string("\1\3\5keyvalue", 11) +
      std::string("\2\1\0\2\1\0\0\0\0\0\0k", 12) + std::string("\0\2\0\0\0\0\0\0\0", 9);
  EXPECT_EQ(dump.substr(0, dump.size() - 8), expected);
}

// U1.
TEST(DumpBinary, BringsEveryByteBack) {
  const auto writer = make_binary_writer();
  const std::string dump = dump_of(*writer, odd_rows());
  for (const std::size_t piece : {1U, 7U, 4096U}) {
    const ReadDump read = read_dump(dump, piece);
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.rows, odd_rows());
  }
}

// U2.
TEST(DumpBinary, IsRefusedWhenItIsCut) {
  const auto writer = make_binary_writer();
  const std::string dump = dump_of(*writer, {{"k", "v"}, {"l", "w", 5}});
  for (std::size_t bytes = 0; bytes < dump.size(); ++bytes) {
    EXPECT_NE(read_dump(dump.substr(0, bytes)).error, "") << bytes;
  }
  EXPECT_EQ(
      read_dump(dump.substr(0, dump.size() - 17)).error,
      "offset " + std::to_string(dump.size() - 17) + ": the dump ends before its closing record");
  EXPECT_NE(read_dump(dump + "x").error.find("behind the end"), std::string::npos);
}

// U2, U3.
TEST(DumpBinary, IsRefusedWhenAByteIsChanged) {
  const auto writer = make_binary_writer();
  const std::string dump = dump_of(*writer, {{"k\x01", "v\\"}, {"l", "w", 5}});
  for (std::size_t bit = 0; bit < dump.size() * 8; ++bit) {
    std::string changed = dump;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(read_dump(changed).error, "") << "bit " << bit;
  }
}

TEST(DumpBinary, HasTheTotalOfTheTextForm) {
  DumpTotal total;
  for (const OwnedRow& row : odd_rows()) {
    total.add({.key = row.key, .value = row.value, .deadline_ms = row.deadline_ms});
  }
  const auto binary = make_binary_writer();
  const std::string dump = dump_of(*binary, odd_rows());
  EXPECT_EQ(base::load_number<std::uint64_t>(dump.data() + dump.size() - 8), total.checksum);
  const auto text = make_text_writer();
  char digits[20];
  std::snprintf(digits, sizeof(digits), "%016llx\n",
                static_cast<unsigned long long>(total.checksum));
  EXPECT_TRUE(dump_of(*text, odd_rows()).ends_with(digits));
}

}  // namespace
}  // namespace ashlar::cli
