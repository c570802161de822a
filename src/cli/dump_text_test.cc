// What a text dump promises (U1 to U3): any row comes back, lines can be compared, and nothing that
// was cut or changed passes.

#include <gtest/gtest.h>

#include <string>

#include "cli/dump_rig_test.h"

namespace ashlar::cli {
namespace {

// The form as it is documented; a change of it needs another version.
TEST(DumpText, LooksAsDocumented) {
  const auto writer = make_text_writer();
  const std::string dump = dump_of(*writer, {{"key", "va\"lue\n"}, {"other", "", 1234}});
  EXPECT_EQ(dump.substr(0, dump.rfind(' ') + 1),
            "# ashlar dump 1 text\n\"key\" \"va\\\"lue\\x0a\"\n\"other\" \"\" 1234\n# end 2 ");
}

// U1.
TEST(DumpText, BringsEveryByteBack) {
  const auto writer = make_text_writer();
  const std::string dump = dump_of(*writer, odd_rows());
  for (const char c : dump) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
  for (const std::size_t piece : {1U, 7U, 4096U}) {
    const ReadDump read = read_dump(dump, piece);
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.rows, odd_rows());
  }
}

TEST(DumpText, MayHaveNoRows) {
  const auto writer = make_text_writer();
  const ReadDump read = read_dump(dump_of(*writer, {}));
  EXPECT_EQ(read.error, "");
  EXPECT_TRUE(read.rows.empty());
}

// U2: cut anywhere.
TEST(DumpText, IsRefusedWhenItIsCut) {
  const auto writer = make_text_writer();
  const std::string dump = dump_of(*writer, {{"k", "v"}, {"l", "w", 5}});
  for (std::size_t bytes = 0; bytes < dump.size(); ++bytes) {
    EXPECT_NE(read_dump(dump.substr(0, bytes)).error, "") << bytes;
  }
  EXPECT_EQ(read_dump(dump.substr(0, dump.rfind("# end"))).error,
            "line 4 is missing: the dump ends before its closing line");
  EXPECT_EQ(read_dump(dump + "\n").error, "line 5 stands behind the end of the dump");
}

// U2, U3: any byte changed.
TEST(DumpText, IsRefusedWhenAByteIsChanged) {
  const auto writer = make_text_writer();
  const std::string dump = dump_of(*writer, {{"k\x01", "v\\"}, {"l", "w", 5}});
  for (std::size_t i = 0; i < dump.size(); ++i) {
    for (const int bit : {0, 2, 5, 7}) {
      std::string changed = dump;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_NE(read_dump(changed).error, "") << "byte " << i << " bit " << bit;
    }
  }
}

TEST(DumpText, NamesTheLine) {
  EXPECT_EQ(read_dump("# ashlar dump 2 text\n").error,
            "line 1 is not the first line of a dump of version 1");
  EXPECT_EQ(read_dump("# ashlar dump 1 text\n\"k\" \"v\"\n\"k\" v\n").error, "line 3 is not a row");
  for (const char* row :
       {"\"k\"", "\"k\"  \"v\"", "\"k\" \"v\" ", "\"k\" \"v\" 01", "\"k\" \"\\x41\"",
        "\"k\" \"\\q\"", "\"k\" \"\\x0G\"", "\"k\" \"\\x0A\"", "",
        "\"k\" \"v\" 9223372036854775807", "\"k\" \"v\" 9223372036854775808"}) {
    EXPECT_EQ(read_dump("# ashlar dump 1 text\n" + std::string(row) + "\n").error,
              "line 2 is not a row")
        << row;
  }
}

}  // namespace
}  // namespace ashlar::cli
