// What long values rely on: a position leads to the same bytes for ever, whatever the log gives up,
// and after every way in which a process or a machine can end.

#include "db/values/value_store.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "ashlar/db.h"
#include "db/access.h"
#include "db/calling_thread_test.h"
#include "lsm/engine/tiny_settings_test.h"
#include "os/manual_clock.h"
#include "os/simulated_disk.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

constexpr const char* kValues = "/data/values";

struct ValueStoreTest : ::testing::Test {
  Result<Db> try_open() {
    Options options;
    options.directory = "/data";
    options.engine = Engine::kDisk;
    options.memory_budget_bytes = std::size_t{64} << 20U;
    Environment environment = in_calling_thread(
        disk_, clock_,
        {.segment_bytes = std::uint64_t{64} << 10U, .ring_bytes = std::size_t{32} << 10U});
    environment.disk_engine = lsm::tiny_settings(options);
    return Access::open(options, environment);
  }
  void reopen() {
    db_.reset();
    auto opened = try_open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    db_.emplace(std::move(*opened));
  }

  void put(const std::string& key, const std::string& value,
           Durability durability = Durability::kProcess) {
    ASSERT_TRUE(db_->put(key, value, Expiry::never(), durability).has_value());
    rows_[key] = value;
  }

  void expect_rows() {
    std::map<std::string, std::string> found;
    auto rows = db_->scan();
    ASSERT_TRUE(rows.has_value());
    for (rows->seek_to_first(); rows->is_valid(); rows->next()) {
      found.emplace(rows->key(), rows->value());
    }
    ASSERT_TRUE(rows->status().has_value()) << rows->status().error().message();
    ASSERT_EQ(found.size(), rows_.size());
    EXPECT_TRUE(found == rows_);
  }

  std::vector<std::string> kept() { return os::list_directory(disk_, kValues).value(); }

  std::map<std::string, std::string> rows_;
  os::ManualClock clock_;
  os::SimulatedDisk disk_;
  std::optional<Db> db_;
};

// J3, C2: random writes, with openings after every kind of end in between.
TEST_F(ValueStoreTest, BringsLongValuesBack) {
  testing::Random random(testing::seed());
  std::size_t kept_count = 0;
  for (int round = 0; round < 8; ++round) {
    reopen();
    expect_rows();
    for (int i = 0; i < 300; ++i) {
      const std::string key = "key:" + std::to_string(random.below(80));
      const bool is_longer_than_the_ring = random.chance(1);
      const std::uint64_t bytes = is_longer_than_the_ring ? 40'000 : random.below(2'000);
      if (random.chance(15)) {
        ASSERT_TRUE(db_->erase(key, Durability::kProcess).has_value());
        rows_.erase(key);
      } else {
        put(key, random.bytes(bytes));
      }
      if (random.chance(2)) Access::engine(*db_).maintain();
    }
    expect_rows();
    kept_count += kept().size();
    if (round % 3 == 1) {
      put("last", "durable", Durability::kDisk);
      disk_.cut_power(os::PowerCut::kKeepRandom, static_cast<std::uint64_t>(round));
      db_.reset();
    } else if (round % 3 == 2) {
      disk_.crash_process();
      db_.reset();
    }
  }
  EXPECT_GT(kept_count, 0U) << "segments were given up";
}

// V48: twenty times the same set of values takes little more than once its space.
TEST_F(ValueStoreTest, KeepsSpaceInProportionToWhatIsNeeded) {
  reopen();
  for (int round = 0; round < 20; ++round) {
    for (int key = 0; key < 200; ++key) {
      put("key:" + std::to_string(key), std::string(2'000, static_cast<char>('a' + round)));
    }
    Access::engine(*db_).maintain();
  }
  ASSERT_TRUE(db_->compact().has_value());
  expect_rows();
  std::uint64_t bytes = 0;
  const std::vector<std::string> pieces = kept();
  for (const std::string& name : pieces) {
    bytes += disk_.read_all(std::string(kValues) + "/" + name).size();
  }
  const std::vector<std::string> tables = os::list_directory(disk_, "/data/tables").value();
  for (const std::string& name : tables) {
    bytes += disk_.read_all("/data/tables/" + name).size();
  }
  EXPECT_LT(bytes, 5 * 200 * 2'000U / 2);
  reopen();
  expect_rows();
}

// V41, J3: a file that is referred to and is gone, or is another, keeps the directory from opening;
// one that is damaged is found by whoever reads the value, by its name and the place in it.
TEST_F(ValueStoreTest, RefusesWhatIsNotWhatItWas) {
  reopen();
  for (int key = 0; key < 200; ++key) put("key:" + std::to_string(key), std::string(2'000, 'v'));
  ASSERT_TRUE(db_->checkpoint().has_value());
  ASSERT_FALSE(kept().empty());
  const std::string path = std::string(kValues) + "/" + kept().front();
  db_.reset();
  const std::string content = disk_.read_all(path);
  const std::size_t at = content.find("vvvvvvvv");
  disk_.overwrite(path, at + 5, "w");
  reopen();
  int damaged_count = 0;
  for (const auto& [key, value] : rows_) {
    const auto got = db_->get(key);
    if (got) {
      EXPECT_EQ((*got)->view(), value);
      continue;
    }
    ++damaged_count;
    EXPECT_EQ(got.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(got.error().message().find(path + " at " + std::to_string(at)),
              std::string_view::npos)
        << got.error().message();
  }
  EXPECT_EQ(damaged_count, 1);
  db_.reset();
  disk_.overwrite(path, 24, "x");
  const auto opened = try_open();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
  EXPECT_NE(opened.error().message().find(path), std::string_view::npos)
      << opened.error().message();
}

/// Says that nothing is referred to.
class Forgetful final : public engine::ValueReferrer {
 public:
  bool refers_to(const engine::ValuePiece&) const override { return false; }
};

/// A log whose segments are given up, and a store that takes them, for one or the other referrer.
struct LogAndStore {
  explicit LogAndStore(const engine::ValueReferrer& referrer)
      : store(std::move(*ValueStore::open(disk, {.log = "/log", .values = "/values"}))) {
    store->serve(referrer);
    log::LogReport report;
    log = std::move(*log::LocalLog::open(
        disk, "/log",
        {.segment_bytes = 64U << 10U,
         .ring_bytes = 32U << 10U,
         .has_thread = false,
         .heir = store.get()},
        {}, [](const log::Frame&) { return Result<void>(); }, report));
    store->attach(*log);
  }

  log::Position append(const std::string& payload) {
    const log::Entry entry(payload);
    log::Position end = 0;
    while (true) {
      EXPECT_TRUE(log->make_room(entry).has_value());
      if (log->try_append(entry, end) == log::Appended::kYes) break;
    }
    return end - log::frame_bytes_for(payload.size()) + log::FrameHeader::kBytes;
  }

  std::string read(log::Position position, std::size_t bytes) const {
    std::string read(bytes, '\0');
    const auto done = store->read(position, read);
    return done ? read : std::string(done.error().message());
  }

  os::SimulatedDisk disk;
  std::unique_ptr<ValueStore> store;
  std::unique_ptr<log::LocalLog> log;
};

/// Says that all is.
class Clinging final : public engine::ValueReferrer {
 public:
  bool refers_to(const engine::ValuePiece&) const override { return true; }
};

// J3: a value is read from the ring, from a segment, and from what is kept of the log alike.
TEST(ValueStore, ReadsWhereverTheBytesAre) {
  const Clinging referrer;
  LogAndStore rig(referrer);
  std::map<log::Position, std::string> values;
  testing::Random random(testing::seed());
  for (int i = 0; i < 200; ++i) {
    const std::string value = random.bytes(1 + random.below(6'000));
    values[rig.append(value)] = value;
    if (i % 50 == 49) {
      const log::Position end = rig.log->end().position;
      ASSERT_TRUE(rig.log->durable(end).has_value());
      ASSERT_TRUE(rig.log->truncate_before(end).has_value());
    }
    if (i % 20 != 0) continue;
    for (const auto& [position, expected] : values) {
      ASSERT_EQ(rig.read(position, expected.size()), expected);
    }
  }
  EXPECT_GT(os::list_directory(rig.disk, "/values").value().size(), 3U);
  const auto pieces = rig.store->pieces();
  for (std::size_t i = 1; i < pieces.size(); ++i) EXPECT_EQ(pieces[i - 1].end, pieces[i].first);
}

// V41, planted: where nobody tells the log what is referred to, segments are used again, and other
// bytes stand where the value was. What is read then is not the value.
TEST(ValueStore, LosesWhatNobodyRefersTo) {
  const Forgetful referrer;
  LogAndStore rig(referrer);
  const std::string value(5'000, 'v');
  const log::Position position = rig.append(value);
  for (int i = 0; i < 100; ++i) rig.append(std::string(5'000, 'w'));
  const log::Position end = rig.log->end().position;
  ASSERT_TRUE(rig.log->durable(end).has_value());
  EXPECT_EQ(rig.read(position, value.size()), value);
  ASSERT_TRUE(rig.log->truncate_before(end).has_value());
  EXPECT_TRUE(os::list_directory(rig.disk, "/values").value().empty());
  EXPECT_NE(rig.read(position, value.size()), value);
}

// L12: what has a name in `values/` is never used again, though nobody refers to it by now.
TEST(ValueStore, TakesWhatItHasANameFor) {
  const Clinging clinging;
  LogAndStore rig(clinging);
  for (int i = 0; i < 100; ++i) rig.append(std::string(5'000, 'w'));
  const log::Position end = rig.log->end().position;
  ASSERT_TRUE(rig.log->durable(end).has_value());
  const auto first = rig.log->segments().front();
  EXPECT_TRUE(rig.store->take(first.header, first.path).value());
  // As after a crash: the name in the log is still there.
  const Forgetful forgetful;
  const auto again = std::move(*ValueStore::open(rig.disk, {.log = "/log", .values = "/values"}));
  again->serve(forgetful);
  EXPECT_TRUE(again->take(first.header, first.path).value());
  ASSERT_TRUE(again->drop_unreferred().has_value());
  EXPECT_TRUE(os::list_directory(rig.disk, "/values").value().empty());
  EXPECT_FALSE(again->take(first.header, first.path).value());
}

}  // namespace
}  // namespace ashlar::db
