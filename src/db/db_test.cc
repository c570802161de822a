// What a user of a database may rely on, call by call; time stands still unless a test moves it.

#include "ashlar/db.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>

#include "db/access.h"
#include "db/engine_rig_test.h"
#include "os/manual_clock.h"

namespace ashlar {
namespace {

using std::chrono::milliseconds;
using std::string_view_literals::operator""sv;

constexpr std::int64_t kStartMs = 1'000'000;

class DbTest : public ::testing::Test {
 protected:
  Db open(const Options& options = {.key_bytes_max = 64, .value_bytes_max = 4096}) {
    Result<Db> opened = rig_.open(options, {.clock = &clock_, .has_background = false});
    EXPECT_TRUE(opened) << opened.error().message();
    return std::move(*opened);
  }

  /// The value of `key`, "-" when absent, the name of the code when reading failed.
  static std::string read(const Db& db, std::string_view key, const Snapshot* snapshot = nullptr) {
    const auto result = db.get(key, snapshot);
    if (!result) return std::string(error_code_name(result.error().code()));
    return *result ? std::string((*result)->view()) : "-";
  }

  os::ManualClock clock_{kStartMs};
  db::EngineRig rig_;
  Db db_ = open();
};

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(error_code_name(result.error().code()));
}

TEST_F(DbTest, ReadsBackWhatWasPut) {
  ASSERT_TRUE(db_.put("stone", "dressed"));
  EXPECT_EQ(read(db_, "stone"), "dressed");
  ASSERT_TRUE(db_.put("stone", "laid"));
  EXPECT_EQ(read(db_, "stone"), "laid");
  EXPECT_EQ(read(db_, "ston"), "-");
  EXPECT_EQ(read(db_, "stone "), "-");
}

TEST_F(DbTest, KeysAndValuesAreAnyBytes) {
  ASSERT_TRUE(db_.put("a\0b"sv, "\0\xff"sv));
  ASSERT_TRUE(db_.put("empty", ""));
  EXPECT_EQ(read(db_, "a\0b"sv), "\0\xff"sv);
  EXPECT_EQ(read(db_, "a"), "-");
  EXPECT_EQ(read(db_, "empty"), "");
}

TEST_F(DbTest, ValuesOfEachSizeComeBackWhole) {
  for (const std::size_t size : {0U, 1U, 100U, 144U, 145U, 1024U, 4096U}) {
    std::string value(size, 'v');
    for (std::size_t i = 0; i < size; ++i) value[i] = static_cast<char>(i * 31);
    ASSERT_TRUE(db_.put("k", value));
    EXPECT_EQ(read(db_, "k"), value) << size;
  }
}

TEST_F(DbTest, LimitsHoldAtAndBeyondThem) {
  EXPECT_EQ(code_of(db_.put(std::string(64, 'k'), std::string(4096, 'v'))), "ok");
  const auto refused = db_.put(std::string(65, 'k'), "v");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(),
            "key \"" + std::string(32, 'k') + "\"... has 65 bytes, 1 to 64 allowed");
  EXPECT_EQ(code_of(db_.put("", "v")), "InvalidArgument");
  EXPECT_EQ(code_of(db_.put("k", std::string(4097, 'v'))), "InvalidArgument");
  EXPECT_EQ(read(db_, ""), "InvalidArgument");
  EXPECT_EQ(code_of(db_.exists("")), "InvalidArgument");
  EXPECT_EQ(code_of(db_.erase("")), "InvalidArgument");
  EXPECT_EQ(code_of(db_.expire("", Expiry::never())), "InvalidArgument");
  EXPECT_EQ(code_of(db_.expire("", Expiry::at_ms(0))), "InvalidArgument");
  EXPECT_EQ(code_of(db_.persist("")), "InvalidArgument");
  EXPECT_EQ(code_of(db_.expiry_of("")), "InvalidArgument");
  EXPECT_EQ(code_of(db_.time_to_live("")), "InvalidArgument");
  const std::string_view keys[] = {"k", ""};
  EXPECT_EQ(code_of(db_.multi_get(keys)), "InvalidArgument");
}

TEST_F(DbTest, OptionsOutsideTheirRangeAreRefused) {
  EXPECT_EQ(code_of(Db::open({.key_bytes_max = 0})), "InvalidArgument");
  EXPECT_EQ(code_of(Db::open({.memory_budget_bytes = 1})), "InvalidArgument");
}

TEST_F(DbTest, OpensInTheRealWorld) {
  Result<Db> db = Db::open();
  ASSERT_TRUE(db);
  ASSERT_TRUE(db->put("k", "v", Expiry::in(std::chrono::hours(1))));
  EXPECT_EQ(read(*db, "k"), "v");
  const auto left = db->time_to_live("k");
  ASSERT_TRUE(left && *left);
  EXPECT_LE(**left, std::chrono::hours(1));
  EXPECT_GT(**left, std::chrono::minutes(50));
  EXPECT_TRUE(db->close());
}

TEST_F(DbTest, EraseTellsWhetherTheKeyWasThere) {
  ASSERT_TRUE(db_.put("k", "v"));
  EXPECT_EQ(db_.exists("k").value(), true);
  EXPECT_EQ(db_.erase("k").value(), true);
  EXPECT_EQ(db_.erase("k").value(), false);
  EXPECT_EQ(db_.exists("k").value(), false);
  EXPECT_EQ(read(db_, "k"), "-");
}

// T1
TEST_F(DbTest, AKeyIsThereBeforeItsDeadlineAndGoneFromItOn) {
  ASSERT_TRUE(db_.put("k", "v", Expiry::in(milliseconds(10))));
  EXPECT_EQ(db_.time_to_live("k").value(), milliseconds(10));
  clock_.advance(9);
  EXPECT_EQ(read(db_, "k"), "v");
  EXPECT_EQ(db_.time_to_live("k").value(), milliseconds(1));
  clock_.advance(1);
  EXPECT_EQ(read(db_, "k"), "-");
  EXPECT_EQ(db_.exists("k").value(), false);
  EXPECT_EQ(db_.time_to_live("k").value(), std::nullopt);
  EXPECT_FALSE(db_.expiry_of("k").value());
  EXPECT_EQ(db_.expire("k", Expiry::never()).value(), false);
  EXPECT_EQ(db_.persist("k").value(), false);
  EXPECT_EQ(db_.erase("k").value(), false);
}

TEST_F(DbTest, APutReplacesTheEarlierDeadlineToo) {
  ASSERT_TRUE(db_.put("k", "v", Expiry::in(milliseconds(10))));
  ASSERT_TRUE(db_.put("k", "w"));
  clock_.advance(100);
  EXPECT_EQ(read(db_, "k"), "w");
  EXPECT_TRUE(db_.expiry_of("k").value()->is_never());
  EXPECT_EQ(db_.time_to_live("k").value(), std::nullopt);
}

TEST_F(DbTest, APutWithADeadlineInThePastLeavesTheKeyAbsent) {
  const Expiry past[] = {Expiry::in(milliseconds(0)),
                         Expiry::in(milliseconds(-5)),
                         Expiry::in(milliseconds::min()),
                         Expiry::at_ms(kStartMs),
                         Expiry::at_ms(0),
                         Expiry::at_ms(std::numeric_limits<std::int64_t>::min())};
  for (const Expiry& expiry : past) {
    ASSERT_TRUE(db_.put("k", "before"));
    ASSERT_TRUE(db_.put("k", "v", expiry));
    EXPECT_EQ(read(db_, "k"), "-");
    EXPECT_EQ(db_.erase("k").value(), false);
    ASSERT_TRUE(db_.put("k", "before"));
    WriteBatch batch;
    batch.put("k", "v", expiry);
    ASSERT_TRUE(db_.write(batch));
    EXPECT_EQ(read(db_, "k"), "-");
    ASSERT_TRUE(db_.put("k", "before"));
    EXPECT_EQ(db_.expire("k", expiry).value(), true);
    EXPECT_EQ(read(db_, "k"), "-");
    EXPECT_EQ(db_.expire("k", expiry).value(), false);
  }
}

TEST_F(DbTest, ADeadlineBeyondTheEndOfTimeMeansNever) {
  ASSERT_TRUE(db_.put("k", "v", Expiry::in(milliseconds::max())));
  EXPECT_TRUE(db_.expiry_of("k").value()->is_never());
  ASSERT_TRUE(db_.put("k", "v", Expiry::at_ms(Expiry::kNeverMs - 1)));
  EXPECT_FALSE(db_.expiry_of("k").value()->is_never());
  EXPECT_EQ(read(db_, "k"), "v");
}

TEST_F(DbTest, ExpireGivesAnExistingKeyANewDeadline) {
  EXPECT_EQ(db_.expire("k", Expiry::in(milliseconds(5))).value(), false);
  ASSERT_TRUE(db_.put("k", "v"));
  EXPECT_EQ(db_.expire("k", Expiry::in(milliseconds(5))).value(), true);
  EXPECT_EQ(db_.expiry_of("k").value()->resolve_ms(0), kStartMs + 5);
  EXPECT_EQ(db_.expire("k", Expiry::at_ms(kStartMs + 50)).value(), true);
  clock_.advance(49);
  EXPECT_EQ(read(db_, "k"), "v");
  clock_.advance(1);
  EXPECT_EQ(read(db_, "k"), "-");
}

TEST_F(DbTest, PersistTellsWhetherThereWasADeadline) {
  EXPECT_EQ(db_.persist("k").value(), false);
  ASSERT_TRUE(db_.put("k", "v"));
  EXPECT_EQ(db_.persist("k").value(), false);
  ASSERT_TRUE(db_.expire("k", Expiry::in(milliseconds(5))));
  EXPECT_EQ(db_.persist("k").value(), true);
  EXPECT_EQ(db_.persist("k").value(), false);
  clock_.advance(100);
  EXPECT_EQ(read(db_, "k"), "v");
}

// C1
TEST_F(DbTest, ABatchHappensInItsOrder) {
  for (const int filler_count : {0, 13, 14, 100}) {  // On both sides of the array on the stack.
    ASSERT_TRUE(db_.put("gone", "v"));
    WriteBatch batch;
    batch.put("twice", "first");
    batch.erase("gone");
    batch.put("twice", "second");
    for (int i = 0; i < filler_count; ++i) batch.put("filler" + std::to_string(i), "f");
    ASSERT_TRUE(db_.write(batch));
    EXPECT_EQ(read(db_, "twice"), "second");
    EXPECT_EQ(read(db_, "gone"), "-");
    if (filler_count > 0) {
      EXPECT_EQ(read(db_, "filler" + std::to_string(filler_count - 1)), "f");
    }
  }
}

// C1
TEST_F(DbTest, ABatchWithOneBadOperationDoesNothing) {
  WriteBatch batch;
  batch.put("good", "v");
  batch.put("bad", std::string(4097, 'v'));
  const auto refused = db_.write(batch);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(refused.error().message().starts_with("operation 1: value of key \"bad\""));
  EXPECT_EQ(read(db_, "good"), "-");
  EXPECT_TRUE(db_.write(WriteBatch()));
}

TEST_F(DbTest, ABatchThatWasOverfullIsRefusedWhole) {
  WriteBatch batch;
  batch.put("good", "v");
  batch.put("never read", std::string_view("x", kBatchBytesHardMax));
  EXPECT_EQ(code_of(db_.write(batch)), "InvalidArgument");
  EXPECT_EQ(read(db_, "good"), "-");
}

TEST_F(DbTest, MultiGetAnswersInTheOrderOfTheKeys) {
  ASSERT_TRUE(db_.put("a", "1"));
  ASSERT_TRUE(db_.put("b", std::string(1000, 'b')));
  const std::string_view keys[] = {"b", "absent", "a", "b"};
  const auto values = db_.multi_get(keys);
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 4U);
  EXPECT_TRUE((*values)[0] && *(*values)[0] == std::string(1000, 'b'));
  EXPECT_FALSE((*values)[1]);
  EXPECT_TRUE((*values)[2] && *(*values)[2] == "1");
  EXPECT_TRUE((*values)[3] && *(*values)[3] == std::string(1000, 'b'));
  EXPECT_TRUE(db_.multi_get({}).value().empty());
}

// C3, T1: a snapshot fixes sequence and time.
TEST_F(DbTest, ASnapshotKeepsWhatItSaw) {
  ASSERT_TRUE(db_.put("k", "old"));
  ASSERT_TRUE(db_.put("expires", "v", Expiry::in(milliseconds(5))));
  Snapshot snapshot = db_.snapshot().value();
  EXPECT_EQ(snapshot.taken_at_ms(), kStartMs);
  ASSERT_TRUE(db_.put("k", "new"));
  ASSERT_TRUE(db_.put("later", "v"));
  clock_.advance(100);
  EXPECT_EQ(read(db_, "k", &snapshot), "old");
  EXPECT_EQ(read(db_, "later", &snapshot), "-");
  EXPECT_EQ(read(db_, "expires", &snapshot), "v");
  EXPECT_EQ(db_.exists("expires", &snapshot).value(), true);
  EXPECT_EQ(read(db_, "k"), "new");
  EXPECT_EQ(read(db_, "expires"), "-");
  const std::string_view keys[] = {"k", "later"};
  const auto values = db_.multi_get(keys, &snapshot);
  EXPECT_TRUE(*values.value()[0] == "old" && !values.value()[1]);
  EXPECT_GT(db_.snapshot().value().sequence(), snapshot.sequence());
}

TEST_F(DbTest, AReleasedOrForeignSnapshotIsRefused) {
  Db other = open();
  Snapshot snapshot = db_.snapshot().value();
  const std::string_view keys[] = {"k"};
  EXPECT_EQ(read(other, "k", &snapshot), "InvalidArgument");
  snapshot.release();
  snapshot.release();  // The second time nothing happens.
  EXPECT_EQ(read(db_, "k", &snapshot), "InvalidArgument");
  EXPECT_EQ(code_of(db_.exists("k", &snapshot)), "InvalidArgument");
  EXPECT_EQ(code_of(db_.multi_get(keys, &snapshot)), "InvalidArgument");
  EXPECT_EQ(code_of(db_.multi_get({}, &snapshot)), "InvalidArgument");
  EXPECT_EQ(code_of(db_.scan({}, &snapshot)), "InvalidArgument");
}

std::string keys_forward(Iterator& rows) {
  std::string keys;
  for (rows.seek_to_first(); rows.is_valid(); rows.next()) keys += std::string(rows.key()) + ' ';
  EXPECT_TRUE(rows.status());
  return keys;
}

std::string keys_backward(Iterator& rows) {
  std::string keys;
  for (rows.seek_to_last(); rows.is_valid(); rows.previous()) keys += std::string(rows.key()) + ' ';
  EXPECT_TRUE(rows.status());
  return keys;
}

TEST_F(DbTest, AScanWalksItsRangeInBothDirections) {
  for (const char* key : {"b2", "a", "b1", "c", "b3"}) ASSERT_TRUE(db_.put(key, "v"));
  Iterator all = db_.scan().value();
  EXPECT_FALSE(all.is_valid());
  EXPECT_EQ(keys_forward(all), "a b1 b2 b3 c ");
  EXPECT_EQ(keys_backward(all), "c b3 b2 b1 a ");
  Iterator some = db_.scan(Range::prefix("b")).value();
  EXPECT_EQ(keys_forward(some), "b1 b2 b3 ");
  EXPECT_EQ(keys_backward(some), "b3 b2 b1 ");
  Iterator half_open = db_.scan({.from = "b1", .to = "b3"}).value();
  EXPECT_EQ(keys_forward(half_open), "b1 b2 ");
  Iterator none = db_.scan({.from = "x", .to = "b"}).value();
  EXPECT_EQ(keys_forward(none), "");
  EXPECT_EQ(keys_backward(none), "");
}

TEST_F(DbTest, SeeksStandOnTheNearestKey) {
  for (const char* key : {"b", "d"}) ASSERT_TRUE(db_.put(key, std::string("v") + key));
  Iterator rows = db_.scan().value();
  rows.seek("c");
  ASSERT_TRUE(rows.is_valid());
  EXPECT_EQ(rows.key(), "d");
  EXPECT_EQ(rows.value(), "vd");
  rows.seek_for_previous("c");
  ASSERT_TRUE(rows.is_valid());
  EXPECT_EQ(rows.key(), "b");
  rows.seek("d");
  EXPECT_EQ(rows.key(), "d");
  rows.seek_for_previous("b");
  EXPECT_EQ(rows.key(), "b");
  rows.seek("e");
  EXPECT_FALSE(rows.is_valid());
  rows.seek_for_previous("a");
  EXPECT_FALSE(rows.is_valid());
}

TEST_F(DbTest, AScanDoesNotSeeWhatIsWrittenAfterItWasOpened) {
  ASSERT_TRUE(db_.put("a", "old"));
  Snapshot snapshot = db_.snapshot().value();
  ASSERT_TRUE(db_.put("b", "v"));
  Iterator rows = db_.scan().value();
  ASSERT_TRUE(db_.put("a", "new"));
  ASSERT_TRUE(db_.put("c", "v"));
  EXPECT_EQ(keys_forward(rows), "a b ");
  rows.seek("a");
  EXPECT_EQ(rows.value(), "old");
  Iterator earlier = db_.scan({}, &snapshot).value();
  EXPECT_EQ(keys_forward(earlier), "a ");
}

using DbDeathTest = DbTest;

TEST_F(DbDeathTest, AnIteratorThatStandsNowhereCannotStepOrBeRead) {
  ASSERT_TRUE(db_.put("a", "v"));
  Iterator rows = db_.scan().value();
  EXPECT_DEATH(rows.next(), "valid");
  EXPECT_DEATH(rows.previous(), "valid");
  EXPECT_DEATH(static_cast<void>(rows.key()), "valid");
  EXPECT_DEATH(static_cast<void>(rows.value()), "valid");
}

TEST_F(DbDeathTest, ADbOutlivesItsSnapshots) {
  // The one that dies starts threads, which a fork of a process that has some may not do.
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        Result<Snapshot> snapshot = std::unexpected(Error::of_literal(ErrorCode::kBusy, "none"));
        Db short_lived = open();
        snapshot = short_lived.snapshot();
        static_cast<void>(Db(std::move(short_lived)));
      },
      "a Db outlives its snapshots and iterators");
}

// D2
TEST_F(DbTest, CloseIsRefusedWhileSomethingIsHeld) {
  ASSERT_TRUE(db_.put("k", "v"));
  {
    const Snapshot snapshot = db_.snapshot().value();
    const Iterator rows = db_.scan().value();
    const auto refused = db_.close();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
    EXPECT_EQ(refused.error().message(), "2 snapshots or iterators are held");
    EXPECT_EQ(read(db_, "k"), "v");
  }
  EXPECT_TRUE(db_.close());
}

// D1
TEST_F(DbTest, AfterCloseEveryCallSaysSo) {
  ASSERT_TRUE(db_.close());
  const std::string_view keys[] = {"k"};
  WriteBatch batch;
  batch.erase("k");
  EXPECT_EQ(code_of(db_.close()), "Closed");
  EXPECT_EQ(code_of(db_.put("k", "v")), "Closed");
  EXPECT_EQ(read(db_, "k"), "Closed");
  EXPECT_EQ(read(db_, ""), "Closed");
  EXPECT_EQ(code_of(db_.exists("k")), "Closed");
  EXPECT_EQ(code_of(db_.erase("k")), "Closed");
  EXPECT_EQ(code_of(db_.expire("k", Expiry::never())), "Closed");
  EXPECT_EQ(code_of(db_.persist("k")), "Closed");
  EXPECT_EQ(code_of(db_.expiry_of("k")), "Closed");
  EXPECT_EQ(code_of(db_.time_to_live("k")), "Closed");
  EXPECT_EQ(code_of(db_.write(batch)), "Closed");
  EXPECT_EQ(code_of(db_.write(WriteBatch())), "Closed");
  EXPECT_EQ(code_of(db_.multi_get(keys)), "Closed");
  EXPECT_EQ(code_of(db_.multi_get({})), "Closed");
  EXPECT_EQ(code_of(db_.scan()), "Closed");
  EXPECT_EQ(code_of(db_.snapshot()), "Closed");
  EXPECT_EQ(code_of(db_.stats()), "Closed");
}

TEST_F(DbTest, AMovedDbCarriesOn) {
  ASSERT_TRUE(db_.put("k", "v"));
  Snapshot snapshot = db_.snapshot().value();
  Db moved(std::move(db_));
  EXPECT_EQ(read(moved, "k", &snapshot), "v");
  db_ = open();
  EXPECT_EQ(read(db_, "k"), "-");
  EXPECT_EQ(read(db_, "k", &snapshot), "InvalidArgument");
  snapshot.release();  // Before `moved` goes.
}

TEST_F(DbTest, StatsCountWhatHappened) {
  ASSERT_TRUE(db_.put("a", "1"));
  ASSERT_TRUE(db_.put("b", "2"));
  ASSERT_TRUE(db_.erase("a"));
  const Snapshot snapshot = db_.snapshot().value();
  const Stats stats = db_.stats().value();
  EXPECT_EQ(stats.key_count, 1U);
  EXPECT_EQ(stats.put_count, 2U);
  EXPECT_EQ(stats.erase_count, 1U);
  EXPECT_EQ(stats.snapshot_count, 1U);
  EXPECT_EQ(stats.memory_budget_bytes, Options().memory_budget_bytes);
  EXPECT_GT(db_.approximate_memory(), 0U);
}

}  // namespace
}  // namespace ashlar
