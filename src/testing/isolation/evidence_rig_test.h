/// \file
/// All that is known of a small history, made in the order in which a check makes it, for tests of
/// its parts.
#pragma once

#include <initializer_list>
#include <vector>

#include "testing/isolation/history_rig_test.h"
#include "testing/isolation/list_orders.h"
#include "testing/isolation/read_walk.h"
#include "testing/isolation/register_orders.h"

namespace ashlar::testing {

/// Lifetime: its parts refer to one another, so it stays where it is.
struct EvidenceRig {
  explicit EvidenceRig(std::initializer_list<Transaction> transactions)
      : history(history_of(transactions)),
        versions(*Versions::of(history)),
        observations(history, versions),
        evidence{.history = history, .versions = versions, .observations = observations},
        lists(evidence, report),
        walk(evidence, lists, report) {
    walk.run();
    successions = walk.successions();
    add_first_versions(evidence, successions);
    successions.insert(successions.end(), lists.successions().begin(), lists.successions().end());
  }
  EvidenceRig(const EvidenceRig&) = delete;
  EvidenceRig& operator=(const EvidenceRig&) = delete;

  DependencyGraph graph(HistoryOrder order) const {
    return dependencies(evidence, {.reads = walk.reads(), .successions = successions}, order);
  }

  TransactionHistory history;
  Versions versions;
  Observations observations;
  Evidence evidence;
  IsolationReport report;
  ListOrders lists;
  ReadWalk walk;
  std::vector<Succession> successions;
};

}  // namespace ashlar::testing
