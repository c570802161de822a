// What the orders of lists promise: versions follow one another as the longest read has them, what
// is wrong in it leaves no edge, and what nobody read stands at the end.

#include "testing/isolation/list_orders.h"

#include <gtest/gtest.h>

#include <utility>

#include "testing/isolation/evidence_rig_test.h"

namespace ashlar::testing {
namespace {

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

Pairs orders_of(const EvidenceRig& rig) {
  Pairs pairs;
  for (const Succession& succession : rig.lists.successions()) {
    pairs.emplace_back(rig.versions[succession.version].value, rig.versions[succession.next].value);
  }
  return pairs;
}

TEST(ListOrders, FollowTheLongestRead) {
  const EvidenceRig rig({beside({append("x", 1)}), beside({append("x", 2)}),
                         beside({append("x", 3)}), beside({list("x", {3})}),
                         beside({list("x", {3, 1, 2})})});

  EXPECT_EQ(orders_of(rig), (Pairs{{0, 3}, {3, 1}, {1, 2}}));
  EXPECT_EQ(rig.lists.version_at(0, 0), 0U);
  EXPECT_EQ(rig.versions[rig.lists.version_at(0, 2)].value, 1U);
}

TEST(ListOrders, PassByElementsThatWereRolledBack) {
  const EvidenceRig rig({beside({append("x", 1)}), beside({append("x", 2)}, Outcome::kAborted),
                         beside({append("x", 3)}), beside({list("x", {1, 2, 3})})});

  EXPECT_EQ(orders_of(rig), (Pairs{{0, 1}, {1, 3}}));
  EXPECT_EQ(rig.versions[rig.lists.version_at(0, 2)].value, 1U);
  EXPECT_EQ(rig.report.count(AnomalyKind::kAbortedRead), 1U);
}

TEST(ListOrders, PutWhatNobodyReadAtTheEnd) {
  const EvidenceRig rig({beside({append("x", 1)}), beside({append("x", 2)}),
                         beside({append("x", 3)}), beside({list("x", {1})})});

  EXPECT_EQ(orders_of(rig), (Pairs{{0, 1}, {1, 2}, {1, 3}}));
  EXPECT_EQ(rig.report.count(), 0U);
}

TEST(ListOrders, LeaveOutWhatWasLost) {
  const EvidenceRig rig({during(1, 2, {append("x", 1)}), during(1, 2, {append("x", 2)}),
                         during(1, 3, {append("x", 3)}), during(3, 4, {list("x", {1})})});

  EXPECT_EQ(orders_of(rig), (Pairs{{0, 1}, {1, 3}}));
  EXPECT_EQ(rig.report.count(AnomalyKind::kLostAppend), 1U);
}

TEST(ListOrders, LoseNothingThatWasFoundInAReadOfAnotherOrder) {
  const EvidenceRig rig({during(1, 2, {append("x", 1)}), during(1, 2, {append("x", 2)}),
                         during(3, 4, {list("x", {1})}), during(3, 4, {list("x", {2})})});

  EXPECT_EQ(rig.report.count(AnomalyKind::kIncompatibleOrder), 1U);
  EXPECT_EQ(rig.report.count(), 1U) << rig.report.text();
}

TEST(ListOrders, TellWhatIsWrongInReadsOfAnotherOrder) {
  const EvidenceRig rig({beside({append("x", 1)}), beside({append("x", 2)}, Outcome::kAborted),
                         beside({append("x", 3)}), beside({list("x", {1, 3, 4, 5, 6, 7})}),
                         beside({list("x", {3, 3, 2, 99})}), beside({append("x", 4)}),
                         beside({append("x", 5)}), beside({append("x", 6)}),
                         beside({append("x", 7)})});

  EXPECT_EQ(rig.report.count(AnomalyKind::kIncompatibleOrder), 1U);
  EXPECT_EQ(rig.report.count(AnomalyKind::kDuplicateElement), 1U);
  EXPECT_EQ(rig.report.count(AnomalyKind::kAbortedRead), 1U);
  EXPECT_EQ(rig.report.count(AnomalyKind::kGarbageRead), 1U);
  EXPECT_EQ(rig.report.count(), 4U) << rig.report.text();
}

}  // namespace
}  // namespace ashlar::testing
