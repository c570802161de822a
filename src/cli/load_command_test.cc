// What `ashlar load` promises: dump, load, dump is the same, in both forms and across them; a
// damaged dump is refused with its place and with how much of it was stored.

#include <gtest/gtest.h>

#include <string>

#include "cli/cli_rig_test.h"
#include "cli/dump_rig_test.h"

namespace ashlar::cli {
namespace {

constexpr std::int64_t kFarMs = 4'000'000'000'000;

class LoadCommandTest : public ::testing::Test {
 protected:
  /// Rows of every byte, with deadlines and without.
  void fill() {
    Db db = rig_.open();
    for (const OwnedRow& row : odd_rows()) {
      const Expiry expiry =
          row.deadline_ms == Expiry::kNeverMs ? Expiry::never() : Expiry::at_ms(kFarMs);
      ASSERT_TRUE(db.put(row.key, row.value, expiry, Durability::kProcess).has_value());
    }
    ASSERT_TRUE(db.close().has_value());
  }

  CliRig rig_;
};

TEST_F(LoadCommandTest, BringsADumpBackInBothFormsAndAcrossThem) {
  fill();
  const std::string text = rig_.run({"dump", rig_.path()}).out;
  const std::string binary = rig_.run({"dump", rig_.path(), "--form", "binary"}).out;
  ASSERT_EQ(read_dump(text).rows, read_dump(binary).rows);
  const auto from_text = rig_.run({"load", rig_.path("b"), "--durability=process"}, text);
  ASSERT_EQ(from_text.status, kGood) << from_text.err;
  EXPECT_EQ(from_text.out, "6 rows loaded, 0 skipped that had expired\n");
  EXPECT_EQ(from_text.err, "") << "no progress where nobody looks";
  EXPECT_EQ(rig_.run({"dump", rig_.path("b"), "--form=binary"}).out, binary);
  ASSERT_EQ(rig_.run({"load", rig_.path("c"), "--form=binary"}, binary).status, kGood);
  EXPECT_EQ(rig_.run({"dump", rig_.path("c")}).out, text);
}

TEST_F(LoadCommandTest, LoadsManyRows) {
  rig_.fill(5000);
  const std::string dump = rig_.run({"dump", rig_.path()}).out;
  const auto answer = rig_.run({"load", rig_.path("b"), "--durability", "none"}, dump);
  EXPECT_EQ(answer.out, "5000 rows loaded, 0 skipped that had expired\n");
  EXPECT_EQ(rig_.run({"dump", rig_.path("b")}).out, dump);
}

TEST_F(LoadCommandTest, SkipsAndCountsWhatHasExpired) {
  const auto writer = make_text_writer();
  const std::string dump = dump_of(*writer, {{"gone", "x", 1000}, {"here", "y", kFarMs}});
  const auto answer = rig_.run({"load", rig_.path()}, dump);
  EXPECT_EQ(answer.out, "1 rows loaded, 1 skipped that had expired\n");
  EXPECT_FALSE(rig_.open().exists("gone").value());
}

TEST_F(LoadCommandTest, TellsWhereAPipeWasCutAndHowMuchWasStored) {
  rig_.fill(2500);
  const std::string dump = rig_.run({"dump", rig_.path()}).out;
  const std::string cut = dump.substr(0, dump.rfind("\"key:999\""));
  const auto answer = rig_.run({"load", rig_.path("b")}, cut);
  EXPECT_EQ(answer.status, kDamage);
  EXPECT_EQ(answer.err,
            "ashlar: standard input: line 2501 is missing: the dump ends before its closing line\n"
            "ashlar: 2499 rows had been loaded\n");
  EXPECT_EQ(rig_.open("b").stats()->key_count, 2499U);
}

TEST_F(LoadCommandTest, StoresNothingOfADamagedFile) {
  rig_.fill(100);
  std::string dump = rig_.run({"dump", rig_.path()}).out;
  dump[dump.size() - 3] ^= 1;
  rig_.write("damaged", dump);
  const auto answer = rig_.run({"load", rig_.path("b"), "--input", rig_.path("damaged")});
  EXPECT_EQ(answer.status, kDamage);
  EXPECT_NE(answer.err.find("damaged: line 102 closes a dump of other rows"), std::string::npos)
      << answer.err;
  EXPECT_NE(answer.err.find("0 rows had been loaded"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(rig_.path("b")));
}

TEST_F(LoadCommandTest, ReadsAFile) {
  rig_.fill(100);
  ASSERT_EQ(rig_.run({"dump", rig_.path(), "--output", rig_.path("kept")}).status, kGood);
  const auto answer = rig_.run({"load", rig_.path("b"), "--input", rig_.path("kept")});
  EXPECT_EQ(answer.out, "100 rows loaded, 0 skipped that had expired\n");
  EXPECT_EQ(rig_.run({"load", rig_.path("b"), "--input", rig_.path("none")}).status, kFailed);
}

}  // namespace
}  // namespace ashlar::cli
