/// \file
/// What the parts of a check share: what they look at, and where they say what they found.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "testing/isolation/anomaly.h"
#include "testing/isolation/observations.h"
#include "testing/isolation/wording.h"

namespace ashlar::testing {

/// The history under check, and what is known of it from the start.
///
/// Lifetime: all of it must outlive those that hold it.
struct Evidence {
  const TransactionHistory& history;
  const Versions& versions;
  const Observations& observations;
};

/// That `reader` read `version`, which it did not write.
struct VersionRead {
  std::uint32_t reader = kNoNumber;
  std::uint32_t version = kNoNumber;
  bool is_missed_by_range = false;  ///< The version is an absence, and a range read tells of it.
};

/// That `next` stands after `version` in the order of the versions of their key.
struct Succession {
  std::uint32_t version = kNoNumber;
  std::uint32_t next = kNoNumber;
  bool is_by_time = false;  ///< Known only if transactions take effect between begin and end.
};

/// Counts an anomaly that needs no cycle, and explains it while there are few of its kind.
///
/// Input: explain  returns one sentence without its full stop; called only when it is kept
template <typename Explain>
void report_direct(const Evidence& evidence, IsolationReport& report, AnomalyKind kind,
                   std::initializer_list<std::uint32_t> transactions, Explain explain) {
  if (!report.count_one(kind)) return;
  const Wording wording(evidence.history, evidence.versions);
  Anomaly anomaly{
      .kind = kind, .transactions = transactions, .explanation = "  " + explain(wording) + "\n"};
  for (const std::uint32_t number : transactions) {
    anomaly.explanation += wording.introduction(number);
  }
  report.keep(std::move(anomaly));
}

}  // namespace ashlar::testing
