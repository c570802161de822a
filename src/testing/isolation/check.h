/// \file
/// Judges a recorded history of transactions: which anomalies of isolation are in it.
///
/// Invariants, given that values are unique and stamps are those of one clock:
///   Y3  What is reported did happen: a history that a level explains holds it.
///   Y4  Of lists that were read whole in the end a history that a level does not explain does not
///       hold it. Of registers as far as the order of versions can be known (register_orders.h,
///       read_walk.h).
///
/// Source: Kingsbury, Alvaro: "Elle: Inferring Isolation Anomalies from Experimental Observations",
/// VLDB 2020.
#pragma once

#include "ashlar/result.h"
#include "testing/isolation/anomaly.h"
#include "testing/isolation/dependency_graph.h"
#include "testing/isolation/transaction_history.h"

namespace ashlar::testing {

/// Returns: all that was found; ask it whether a level `holds`. With `HistoryOrder::kRealTime`
///          kSerializable means strict serializability, kSnapshot strong snapshot isolation
/// Errors:  kInvalidArgument  a value is written twice
/// Cost:    linear in the history, some hundred bytes a transaction besides it
Result<IsolationReport> check_isolation(const TransactionHistory& history, HistoryOrder order);

}  // namespace ashlar::testing
