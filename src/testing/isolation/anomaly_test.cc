// What a report promises: every anomaly is counted, some of each kind are explained, and a level
// holds when nothing was found that it forbids.

#include "testing/isolation/anomaly.h"

#include <gtest/gtest.h>

#include <set>

namespace ashlar::testing {
namespace {

TEST(Anomaly, HasANameOfItsOwnForEachKind) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    names.insert(anomaly_name(static_cast<AnomalyKind>(i)));
  }
  EXPECT_EQ(names.size(), kAnomalyKinds);
  EXPECT_EQ(anomaly_name(AnomalyKind::kGarbageRead), "garbage read");
  EXPECT_EQ(anomaly_name(AnomalyKind::kOrderViolation), "order violation");
  EXPECT_EQ(anomaly_name(AnomalyKind::kPhantom), "phantom");
}

TEST(Anomaly, IsAllowedAtSnapshotForWriteSkewAndPhantomsAlone) {
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    const auto kind = static_cast<AnomalyKind>(i);
    const bool is_skew = kind == AnomalyKind::kWriteSkew || kind == AnomalyKind::kPhantom;
    EXPECT_EQ(is_allowed(kind, IsolationLevel::kSnapshot), is_skew);
    EXPECT_FALSE(is_allowed(kind, IsolationLevel::kSerializable));
  }
}

TEST(IsolationReport, HoldsEachLevelWhileItIsEmpty) {
  const IsolationReport report;

  EXPECT_TRUE(report.holds(IsolationLevel::kSnapshot));
  EXPECT_TRUE(report.holds(IsolationLevel::kSerializable));
  EXPECT_EQ(report.text(), "no anomalies\n");
}

TEST(IsolationReport, HoldsSnapshotAloneWithWriteSkew) {
  IsolationReport report;
  report.count_one(AnomalyKind::kWriteSkew);

  EXPECT_TRUE(report.holds(IsolationLevel::kSnapshot));
  EXPECT_FALSE(report.holds(IsolationLevel::kSerializable));
}

TEST(IsolationReport, CountsAllAndKeepsSome) {
  IsolationReport report;
  for (std::size_t i = 0; i < 3 * IsolationReport::kKeptMax; ++i) {
    if (!report.count_one(AnomalyKind::kLostUpdate)) continue;
    report.keep({.kind = AnomalyKind::kLostUpdate, .explanation = "  one\n"});
  }
  report.count_one(AnomalyKind::kReadSkew);

  EXPECT_EQ(report.count(AnomalyKind::kLostUpdate), 3 * IsolationReport::kKeptMax);
  EXPECT_EQ(report.count(), 3 * IsolationReport::kKeptMax + 1);
  EXPECT_EQ(report.anomalies().size(), IsolationReport::kKeptMax);
  EXPECT_TRUE(report.text().starts_with("lost update: 48\nread skew: 1\n\nlost update\n  one\n"))
      << report.text();
}

}  // namespace
}  // namespace ashlar::testing
