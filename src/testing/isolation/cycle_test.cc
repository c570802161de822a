// What a cycle is called, by its edges alone, and how it reads.

#include "testing/isolation/cycle.h"

#include <gtest/gtest.h>

#include "testing/isolation/evidence_rig_test.h"

namespace ashlar::testing {
namespace {

constexpr EdgeKind kWw = EdgeKind::kWriteWrite;
constexpr EdgeKind kWr = EdgeKind::kWriteRead;
constexpr EdgeKind kRw = EdgeKind::kReadWrite;

// Versions 0 to 3 are the absences of keys 0 to 3, so that each edge can be of a key of its own.
AnomalyKind kind_of(std::vector<Edge> edges) {
  const EvidenceRig rig({beside({read("a", 0), read("b", 0), read("c", 0), read("d", 0)})});
  const auto count = static_cast<std::uint32_t>(edges.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    edges[i].from = i;
    edges[i].to = (i + 1) % count;
    if (edges[i].version == kNoNumber && edges[i].kind != EdgeKind::kOrder) edges[i].version = i;
  }
  return Cycle(std::move(edges), count).kind(rig.versions);
}

TEST(Cycle, IsNamedByItsEdges) {
  EXPECT_EQ(kind_of({{.kind = kWw}, {.kind = kWw}}), AnomalyKind::kDirtyWrite);
  EXPECT_EQ(kind_of({{.kind = kWw}, {.kind = kWr}}), AnomalyKind::kCircularFlow);
  EXPECT_EQ(kind_of({{.kind = kRw}, {.kind = kWr}}), AnomalyKind::kReadSkew);
  EXPECT_EQ(kind_of({{.kind = kRw}, {.kind = kWw}}), AnomalyKind::kReadSkew);
  EXPECT_EQ(kind_of({{.kind = kRw}, {.kind = kRw}}), AnomalyKind::kWriteSkew);
  EXPECT_EQ(kind_of({{.kind = kRw}, {.kind = kWr}, {.kind = kRw}, {.kind = kWr}}),
            AnomalyKind::kLongFork);
  EXPECT_EQ(kind_of({{.kind = kRw}, {.kind = kWr}, {.kind = kRw}}), AnomalyKind::kWriteSkew);
}

TEST(Cycle, OfOneKeyIsALostUpdate) {
  EXPECT_EQ(kind_of({{.version = 2, .kind = kRw}, {.version = 2, .kind = kWw}}),
            AnomalyKind::kLostUpdate);
  EXPECT_EQ(kind_of({{.version = 2, .kind = kRw}, {.version = 2, .kind = kRw}}),
            AnomalyKind::kLostUpdate);
  EXPECT_EQ(kind_of({{.version = 2, .kind = kRw}, {.version = 2, .kind = kWr}}),
            AnomalyKind::kReadSkew);
}

TEST(Cycle, WithAKeyThatARangeMissedIsAPhantom) {
  EXPECT_EQ(kind_of({{.kind = kRw, .is_predicate = true}, {.kind = kRw}}), AnomalyKind::kPhantom);
  EXPECT_EQ(kind_of({{.kind = kRw, .is_predicate = true}, {.kind = kWr}}), AnomalyKind::kReadSkew);
}

TEST(Cycle, ThatNeedsTimeIsNamedForIt) {
  const Edge order{.kind = EdgeKind::kOrder, .is_by_time = true};
  EXPECT_EQ(kind_of({{.kind = kRw}, order}), AnomalyKind::kStaleRead);
  EXPECT_EQ(kind_of({{.kind = kRw, .is_by_time = true}, {.kind = kWw}}), AnomalyKind::kStaleRead);
  EXPECT_EQ(kind_of({{.version = 2, .kind = kRw, .is_by_time = true}, {.version = 2, .kind = kWw}}),
            AnomalyKind::kStaleRead);
  EXPECT_EQ(kind_of({{.kind = kWw}, order}), AnomalyKind::kOrderViolation);
  EXPECT_EQ(kind_of({{.kind = kRw}, order, {.kind = kRw}, order}), AnomalyKind::kLongFork);
  EXPECT_EQ(kind_of({{.kind = kRw}, {.kind = kRw}, order}), AnomalyKind::kWriteSkew);
}

TEST(Cycle, ReadsAsWhatHappened) {
  const EvidenceRig rig(
      {beside({list("k3", {}), write("r", 8)}), beside({append("k3", 7), range("", "", {})})});
  const std::uint32_t element = *rig.versions.find(0, 7);
  const std::uint32_t value = *rig.versions.find(1, 8);
  const Cycle cycle({{.from = 0, .to = 1, .version = element, .kind = kRw},
                     {.from = 1, .to = 0, .version = value, .kind = kRw, .is_predicate = true}},
                    2);

  EXPECT_EQ(cycle.transactions(), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(cycle.explanation(rig.evidence),
            "  T0 read k3 without element 7, which T1 appended\n"
            "  T1 read a range with r without value 8, which T0 wrote\n"
            "  T0: session 0, 1000 to 2000, committed\n"
            "  T1: session 0, 1000 to 2000, committed\n");
}

TEST(Cycle, TellsAWayOverMomentsAsOne) {
  const EvidenceRig rig({during(1, 2, {append("x", 1)}), during(3, 4, {list("x", {})})});
  const std::uint32_t element = *rig.versions.find(0, 1);
  const Edge order{.kind = EdgeKind::kOrder, .is_by_time = true};
  std::vector<Edge> edges = {order, order, {.version = element, .kind = kRw}, order};
  const std::vector<std::uint32_t> nodes = {2, 3, 1, 0, 2};  // Begins at a moment.
  for (std::size_t i = 0; i < edges.size(); ++i) {
    edges[i].from = nodes[i];
    edges[i].to = nodes[i + 1];
  }
  const Cycle cycle(edges, 2);

  EXPECT_EQ(cycle.edges().front().from, 1U);
  EXPECT_TRUE(cycle.explanation(rig.evidence)
                  .starts_with("  T1 read x without element 1, which T0 appended\n"
                               "  T0 ended before T1 began\n  T1: "))
      << cycle.explanation(rig.evidence);
}

}  // namespace
}  // namespace ashlar::testing
