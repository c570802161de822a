// What tests and benches may rely on: the world they hand in is the one that the database lives in.

#include "db/access.h"

#include <gtest/gtest.h>

#include <utility>

#include "os/manual_clock.h"

namespace ashlar::db {
namespace {

TEST(Access, TheDatabaseLivesByTheGivenClock) {
  os::ManualClock clock(77);
  Result<Db> db = Access::open({}, {.clock = &clock, .has_background = false});
  ASSERT_TRUE(db);
  EXPECT_EQ(db->snapshot().value().taken_at_ms(), 77);
}

TEST(Access, TheEngineIsTheOneUnderTheDatabase) {
  os::ManualClock clock;
  Result<Db> db = Access::open({}, {.clock = &clock, .hash_seed = 1, .has_background = false});
  ASSERT_TRUE(db);
  ASSERT_TRUE(db->put("k", "v"));
  engine::StorageEngine& engine = Access::engine(*db);
  EXPECT_TRUE(engine.get("k", engine::kLatest, nullptr, nullptr).value());
  EXPECT_EQ(engine.memory_bytes(), db->approximate_memory());
  engine.check();
}

TEST(Access, WithoutAClockTimeIsThatOfTheSystem) {
  Result<Db> db = Access::open({}, {});
  ASSERT_TRUE(db);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::int64_t difference_ms =
      db->snapshot().value().taken_at_ms() - now.time_since_epoch().count();
  EXPECT_LT(std::abs(difference_ms), 60'000);
}

TEST(Access, OptionsAreCheckedHereToo) {
  const Result<Db> refused = Access::open({.key_bytes_max = 0}, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
}

TEST(AccessDeathTest, AMovedFromDbHasNoEngine) {
  Db db = Access::open({}, {.has_background = false}).value();
  const Db moved = std::move(db);
  EXPECT_DEATH(static_cast<void>(Access::engine(db)), "a moved-from Db has no engine");
}

}  // namespace
}  // namespace ashlar::db
