// What anybody may read stays, and what nobody can read any more may go.

#include "lsm/values/value_ledger.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace ashlar::lsm {
namespace {

constexpr engine::ValuePiece kFirst{.first = 0, .end = 4096};
constexpr engine::ValuePiece kSecond{.first = 4096, .end = 8192};

// V42
TEST(ValueLedger, KeepsAPieceUntilTheLastTableGoes) {
  ValueLedger ledger;
  const std::vector<table::ValueShare> one{{.first = 0, .bytes = 10}};
  const std::vector<table::ValueShare> both{{.first = 0, .bytes = 1}, {.first = 4096, .bytes = 2}};
  EXPECT_FALSE(ledger.refers_to(kFirst));
  ledger.add(one);
  ledger.add(both);
  EXPECT_TRUE(ledger.refers_to(kFirst));
  EXPECT_TRUE(ledger.refers_to(kSecond));
  ledger.remove(both);
  EXPECT_TRUE(ledger.refers_to(kFirst));
  EXPECT_FALSE(ledger.refers_to(kSecond));
  ledger.remove(one);
  EXPECT_FALSE(ledger.refers_to(kFirst));
}

// V42: of what a memtable has, nobody knows more than from where to where it stands.
TEST(ValueLedger, KeepsTheRangeOfAMemtable) {
  ValueLedger ledger;
  std::optional<LogRangeHold> hold(std::in_place, ledger, 4096);
  EXPECT_FALSE(ledger.refers_to(kSecond)) << "it has no value that stands apart";
  hold->use();
  EXPECT_FALSE(ledger.refers_to(kFirst));
  EXPECT_TRUE(ledger.refers_to(kSecond));
  EXPECT_TRUE(ledger.refers_to({.first = 1U << 20U, .end = 2U << 20U})) << "it is written to";
  EXPECT_FALSE(ledger.refers_to({.first = engine::kCollectedBit, .end = ~std::uint64_t{0}}))
      << "what was collected is none of the log";
  hold->end_at(8192);
  EXPECT_TRUE(ledger.refers_to(kSecond));
  EXPECT_FALSE(ledger.refers_to({.first = 8192, .end = 8193}));
  hold.reset();
  EXPECT_FALSE(ledger.refers_to(kSecond));
}

}  // namespace
}  // namespace ashlar::lsm
