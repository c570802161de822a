// A transaction that met a conflict is run again, as often as it was asked for and not once more.

#include <gtest/gtest.h>

#include <string>

#include "ashlar/transaction.h"
#include "db/access.h"
#include "db/engine_rig_test.h"

namespace ashlar {
namespace {

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : std::string(error_code_name(result.error().code()));
}

TEST(Transact, TellsHowOftenItRanAndGivesUp) {
  db::EngineRig rig;
  auto db = rig.open({}, {.has_background = false});
  ASSERT_TRUE(db.has_value());
  int run = 0;
  const auto body = [&](Transaction& transaction) -> Result<void> {
    ASHLAR_TRY(transaction.get("a"));
    if (++run < 3) ASHLAR_TRY(db->put("a", std::to_string(run)));
    return transaction.put("b", "done");
  };
  EXPECT_EQ(transact(*db, body).value(), 3U);
  run = -1000;
  EXPECT_EQ(code_of(transact(*db, body, {.run_count_max = 4})), "Conflict");
  EXPECT_EQ(run, -996);
  const auto failed = transact(*db, [](Transaction& transaction) -> Result<void> {
    ASHLAR_TRY(transaction.put("c", "1"));
    return std::unexpected(Error::of_literal(ErrorCode::kInvalidArgument, "mine"));
  });
  EXPECT_EQ(failed.error().message(), "mine");
  EXPECT_FALSE(db->exists("c").value());
}

}  // namespace
}  // namespace ashlar
