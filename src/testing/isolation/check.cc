#include "testing/isolation/check.h"

#include <vector>

#include "base/assert.h"
#include "testing/isolation/cycle_search.h"
#include "testing/isolation/list_orders.h"
#include "testing/isolation/read_walk.h"
#include "testing/isolation/register_orders.h"

namespace ashlar::testing {

Result<IsolationReport> check_isolation(const TransactionHistory& history, HistoryOrder order) {
  ASHLAR_TRY_ASSIGN(const Versions versions, Versions::of(history));
  const Observations observations(history, versions);
  const Evidence evidence{.history = history, .versions = versions, .observations = observations};

  IsolationReport report;
  const ListOrders lists(evidence, report);
  ReadWalk walk(evidence, lists, report);
  walk.run();

  std::vector<Succession> successions = walk.successions();
  add_first_versions(evidence, successions);
  if (order == HistoryOrder::kRealTime) add_successions_by_time(evidence, successions);
  successions.insert(successions.end(), lists.successions().begin(), lists.successions().end());
  for (const Succession& succession : successions) {
    ASHLAR_ASSERT(versions[succession.version].key == versions[succession.next].key,
                  "versions follow one another within a key");
  }

  const DependencyGraph graph =
      dependencies(evidence, {.reads = walk.reads(), .successions = successions}, order);
  CycleSearch(evidence, graph, walk, report).run();
  return report;
}

}  // namespace ashlar::testing
