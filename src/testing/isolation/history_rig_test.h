/// \file
/// Histories by hand, in few words, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "testing/isolation/check.h"

namespace ashlar::testing {

inline Operation append(std::string key, std::uint64_t element) {
  return {.kind = OperationKind::kAppend, .key = std::move(key), .value = element};
}
inline Operation list(std::string key, std::vector<std::uint64_t> elements) {
  return {.kind = OperationKind::kReadList, .key = std::move(key), .elements = std::move(elements)};
}
inline Operation write(std::string key, std::uint64_t value) {
  return {.kind = OperationKind::kWrite, .key = std::move(key), .value = value};
}
inline Operation read(std::string key, std::uint64_t value) {
  return {.kind = OperationKind::kRead, .key = std::move(key), .value = value};
}
inline Operation erase(std::string key) {
  return {.kind = OperationKind::kErase, .key = std::move(key)};
}
inline Operation range(std::string key, std::string last, std::vector<FoundRegister> found) {
  return {.kind = OperationKind::kReadRange,
          .key = std::move(key),
          .last = std::move(last),
          .found = std::move(found)};
}

/// A transaction that was under way as long as all others of its kind, in a session of its own.
inline Transaction beside(std::vector<Operation> operations,
                          Outcome outcome = Outcome::kCommitted) {
  return {.begin = 1'000, .end = 2'000, .outcome = outcome, .operations = std::move(operations)};
}

/// A transaction with its own time.
inline Transaction during(std::uint64_t begin, std::uint64_t end,
                          std::vector<Operation> operations) {
  return {.begin = begin, .end = end, .operations = std::move(operations)};
}

inline Transaction in_session(std::uint32_t session, Transaction transaction) {
  transaction.session = session;
  return transaction;
}

inline TransactionHistory history_of(std::initializer_list<Transaction> transactions) {
  TransactionHistory history;
  for (const Transaction& transaction : transactions) {
    const auto added = history.add(transaction);
    EXPECT_TRUE(added.has_value()) << added.error().message();
  }
  return history;
}

inline IsolationReport report_of(std::initializer_list<Transaction> transactions,
                                 HistoryOrder order = HistoryOrder::kNone) {
  auto report = check_isolation(history_of(transactions), order);
  EXPECT_TRUE(report.has_value()) << report.error().message();
  return std::move(*report);
}

/// Expects `report` to hold one anomaly, of `kind`, and both levels to think of it as they should.
inline void expect_only(const IsolationReport& report, AnomalyKind kind) {
  EXPECT_EQ(report.count(), 1U) << report.text();
  EXPECT_EQ(report.count(kind), 1U) << report.text();
  EXPECT_FALSE(report.holds(IsolationLevel::kSerializable));
  EXPECT_EQ(report.holds(IsolationLevel::kSnapshot), is_allowed(kind, IsolationLevel::kSnapshot));
}

inline void expect_clean(const IsolationReport& report) {
  EXPECT_EQ(report.count(), 0U) << report.text();
  EXPECT_TRUE(report.holds(IsolationLevel::kSerializable));
}

}  // namespace ashlar::testing
