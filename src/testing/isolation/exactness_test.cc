// Y3 and Y4: for lists whose order is known the check finds an anomaly exactly where no order of
// the transactions explains what they read. Here all orders of a few transactions are tried.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "testing/isolation/history_rig_test.h"
#include "testing/random.h"
#include "testing/seed.h"
#include "testing/workload_scale.h"

namespace ashlar::testing {
namespace {

using Lists = std::map<std::string, std::vector<std::uint64_t>>;

// A moment of a transaction: its begin, when its snapshot is taken, or its commit.
struct Moment {
  std::size_t transaction;
  bool is_commit;
};

/// Whether `transaction` reads what it did when it begins with `lists`; adds what it appends.
bool fits(const Transaction& transaction, Lists& lists) {
  return std::ranges::all_of(transaction.operations, [&](const Operation& operation) {
    if (operation.kind == OperationKind::kReadList) {
      return operation.elements == lists[operation.key];
    }
    lists[operation.key].push_back(operation.value);
    return true;
  });
}

bool may_precede(const Transaction& first, const Transaction& second) {
  return first.begin <= second.end;
}

/// Whether the transactions, run one after the other in some order that time allows, read what they
/// did.
bool is_serializable(const std::vector<Transaction>& transactions) {
  std::vector<std::size_t> order(transactions.size());
  std::iota(order.begin(), order.end(), 0U);
  do {
    Lists lists;
    bool is_explained = true;
    for (std::size_t i = 0; i < order.size() && is_explained; ++i) {
      for (std::size_t j = i + 1; j < order.size(); ++j) {
        is_explained = is_explained && may_precede(transactions[order[i]], transactions[order[j]]);
      }
      is_explained = is_explained && fits(transactions[order[i]], lists);
    }
    if (is_explained) return true;
  } while (std::ranges::next_permutation(order).found);
  return false;
}

/// Tries all interleavings of begins and commits that time allows, in which nobody writes what was
/// committed since it began.
class SnapshotOrders {
 public:
  explicit SnapshotOrders(const std::vector<Transaction>& transactions)
      : transactions_(transactions), states_(transactions.size()) {}

  bool explain() { return extend(Lists(), 0); }

 private:
  struct State {
    bool has_begun = false;
    bool has_ended = false;
    Lists snapshot = {};
  };

  bool extend(const Lists& committed, std::size_t ended_count) {
    if (ended_count == transactions_.size()) return true;
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      if (!states_[i].has_begun && may_begin(i)) {
        states_[i] = {.has_begun = true, .snapshot = committed};
        if (extend(committed, ended_count)) return true;
        states_[i] = {};
      } else if (states_[i].has_begun && !states_[i].has_ended) {
        Lists after = committed;
        if (!commit(i, after)) continue;
        states_[i].has_ended = true;
        if (extend(after, ended_count + 1)) return true;
        states_[i].has_ended = false;
      }
    }
    return false;
  }

  bool may_begin(std::size_t index) const {
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      if (!states_[i].has_ended && transactions_[i].end < transactions_[index].begin) return false;
    }
    return true;
  }

  bool commit(std::size_t index, Lists& committed) const {
    Lists own = states_[index].snapshot;
    if (!fits(transactions_[index], own)) return false;
    for (const Operation& operation : transactions_[index].operations) {
      if (operation.kind != OperationKind::kAppend) continue;
      const auto seen = states_[index].snapshot.find(operation.key);
      const std::size_t seen_count =
          seen == states_[index].snapshot.end() ? 0 : seen->second.size();
      if (committed[operation.key].size() != seen_count) return false;
    }
    for (const Operation& operation : transactions_[index].operations) {
      if (operation.kind == OperationKind::kAppend) committed[operation.key] = own[operation.key];
    }
    return true;
  }

  const std::vector<Transaction>& transactions_;
  std::vector<State> states_;
};

enum class Times : std::uint8_t { kAllBeside, kRandom };

/// Some transactions of one or two lists, whose reads are often right; and one that reads all in
/// the end, so that the order of each list is known.
std::vector<Transaction> random_transactions(Random& random, Times times) {
  const std::vector<std::string> keys = {"x", "y"};
  std::vector<Transaction> transactions(random.between(2, 4));
  std::uint64_t next_element = 1;
  Lists order;
  for (Transaction& transaction : transactions) {
    transaction.begin = times == Times::kRandom ? random.between(1, 20) : 1;
    transaction.end = times == Times::kRandom ? transaction.begin + random.between(1, 12) : 40;
    for (std::uint64_t i = random.between(1, 3); i > 0; --i) {
      const std::string& key = keys[random.below(keys.size())];
      if (random.chance(60)) {
        transaction.operations.push_back(list(key, {}));
      } else {
        transaction.operations.push_back(append(key, next_element));
        auto& elements = order[key];
        const std::uint64_t place = random.chance(80) ? elements.size() : random.below(4);
        const auto at = std::min<std::uint64_t>(place, elements.size());
        elements.insert(elements.begin() + static_cast<std::ptrdiff_t>(at), next_element++);
      }
    }
  }
  for (Transaction& transaction : transactions) {
    std::map<std::string, std::size_t> seen;
    Lists own;
    for (Operation& operation : transaction.operations) {
      auto& elements = order[operation.key];
      if (operation.kind == OperationKind::kAppend) {
        own[operation.key].push_back(operation.value);
        continue;
      }
      // Mostly what was read before, so that not every history is wrong for its own sake.
      const auto length = random.between(0, elements.size());
      const auto known = seen.try_emplace(operation.key, length).first->second;
      operation.elements.assign(elements.begin(),
                                elements.begin() + static_cast<std::ptrdiff_t>(known));
      std::erase_if(operation.elements, [&](std::uint64_t element) {
        return std::ranges::any_of(transaction.operations, [&](const Operation& other) {
          return other.kind == OperationKind::kAppend && other.value == element;
        });
      });
      const auto& tail = own[operation.key];
      operation.elements.insert(operation.elements.end(), tail.begin(), tail.end());
    }
  }
  transactions.push_back(during(100, 101, {list("x", order["x"]), list("y", order["y"])}));
  return transactions;
}

TransactionHistory history_with(const std::vector<Transaction>& transactions) {
  TransactionHistory history;
  for (const Transaction& transaction : transactions) {
    EXPECT_TRUE(history.add(transaction).has_value());
  }
  return history;
}

/// Returns: how many of the histories were right at each level, so that a test sees both kinds.
struct Counts {
  std::uint64_t serializable = 0;
  std::uint64_t snapshot_only = 0;
  std::uint64_t neither = 0;
};

Counts compare(Times times, std::uint64_t history_count) {
  Counts counts;
  Random random(seed(), static_cast<std::uint64_t>(times) + 1);
  for (std::uint64_t i = 0; i < history_count; ++i) {
    const auto transactions = random_transactions(random, times);
    const auto report = check_isolation(history_with(transactions), HistoryOrder::kRealTime);
    const bool is_serial = is_serializable(transactions);
    const bool is_snapshot = SnapshotOrders(transactions).explain();
    std::string text;
    for (const Transaction& transaction : transactions) {
      text += std::to_string(transaction.begin) + " to " + std::to_string(transaction.end) + ":";
      for (const Operation& operation : transaction.operations) {
        text += operation.kind == OperationKind::kAppend ? " append " : " read ";
        text += operation.key + " " + std::to_string(operation.value);
        for (const std::uint64_t element : operation.elements) {
          text += "," + std::to_string(element);
        }
      }
      text += "\n";
    }
    EXPECT_EQ(report->holds(IsolationLevel::kSerializable), is_serial) << text << report->text();
    EXPECT_EQ(report->holds(IsolationLevel::kSnapshot), is_snapshot) << text << report->text();
    if (::testing::Test::HasFailure()) break;
    ++(is_serial ? counts.serializable : is_snapshot ? counts.snapshot_only : counts.neither);
  }
  return counts;
}

TEST(Exactness, AgreesWithAllOrdersOfTransactionsSideBySide) {
  const Counts counts = compare(Times::kAllBeside, scaled(3'000));
  EXPECT_GT(counts.serializable, 0U);
  EXPECT_GT(counts.snapshot_only, 0U);
  EXPECT_GT(counts.neither, 0U);
}

TEST(Exactness, AgreesWithAllOrdersThatTimeAllows) {
  const Counts counts = compare(Times::kRandom, scaled(3'000));
  EXPECT_GT(counts.serializable, 0U);
  EXPECT_GT(counts.neither, 0U);
}

}  // namespace
}  // namespace ashlar::testing
