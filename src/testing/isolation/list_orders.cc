#include "testing/isolation/list_orders.h"

#include <algorithm>
#include <string>

#include "base/assert.h"

namespace ashlar::testing {
namespace {

void report_garbage(const Evidence& evidence, IsolationReport& report, std::uint32_t reader,
                    std::uint32_t key, std::uint64_t element) {
  report_direct(evidence, report, AnomalyKind::kGarbageRead, {reader}, [&](const Wording& say) {
    return say.transaction(reader) + " read element " + std::to_string(element) + " of " +
           say.key(key) + ", which nobody appended";
  });
}

void report_aborted(const Evidence& evidence, IsolationReport& report, std::uint32_t reader,
                    std::uint32_t version) {
  const std::uint32_t writer = evidence.versions[version].writer;
  report_direct(evidence, report, AnomalyKind::kAbortedRead, {writer, reader},
                [&](const Wording& say) {
                  return say.transaction(reader) + " read " + say.version(version) + ", which " +
                         say.transaction(writer) + " appended and took back";
                });
}

void report_duplicate(const Evidence& evidence, IsolationReport& report, std::uint32_t reader,
                      std::uint32_t version) {
  const std::uint32_t writer = evidence.versions[version].writer;
  report_direct(evidence, report, AnomalyKind::kDuplicateElement, {writer, reader},
                [&](const Wording& say) {
                  return say.transaction(reader) + " read " + say.version(version) +
                         " twice, which " + say.transaction(writer) + " appended once";
                });
}

}  // namespace

ListOrders::ListOrders(const Evidence& evidence, IsolationReport& report)
    : evidence_(evidence), report_(report), is_placed_(evidence.versions.count(), false) {
  for (std::uint32_t key = 0; key < evidence.history.key_count(); ++key) {
    order_begin_.push_back(order_.size());
    order_key(key);
  }
  place_unread();
}

std::uint32_t ListOrders::version_at(std::uint32_t key, std::size_t length) const {
  ASHLAR_ASSERT(length <= evidence_.observations.longest(key).elements.size(),
                "a place in an order is one that was read");
  return length == 0 ? key : order_[order_begin_[key] + length - 1];
}

void ListOrders::order_key(std::uint32_t key) {
  std::uint32_t last = key;  // The initial version has the number of the key.
  for (const std::uint64_t element : evidence_.observations.longest(key).elements) {
    if (is_sound(key, element)) {
      const std::uint32_t version = *evidence_.versions.find(key, element);
      if (is_turned_around(last, version)) report_turned_around(version, last);
      successions_.push_back({.version = last, .next = version});
      last = version;
    }
    order_.push_back(last);
  }
}

/// Whether one transaction made both, and `version` first.
bool ListOrders::is_turned_around(std::uint32_t last, std::uint32_t version) const {
  return evidence_.versions[last].writer == evidence_.versions[version].writer && version < last;
}

void ListOrders::report_turned_around(std::uint32_t first, std::uint32_t second) {
  const std::uint32_t writer = evidence_.versions[first].writer;
  report_direct(evidence_, report_, AnomalyKind::kIncompatibleOrder, {writer},
                [&](const Wording& say) {
                  return say.transaction(writer) + " appended " + say.version(first) + " before " +
                         say.content(second) + ", and they stand the other way round";
                });
}

/// Whether the writer of `version`, which no read holds, appended another after it that one holds.
bool ListOrders::is_passed_over(std::uint32_t version) const {
  const Version& passed = evidence_.versions[version];
  for (std::uint32_t i = version + 1; i < evidence_.versions.end_of(passed.writer); ++i) {
    if (evidence_.versions[i].key == passed.key && is_placed_[i]) return true;
  }
  return false;
}

/// Whether `element`, the next of the longest read of `key`, stands there rightly.
bool ListOrders::is_sound(std::uint32_t key, std::uint64_t element) {
  const std::uint32_t reader = evidence_.observations.longest(key).reader;
  const auto version = evidence_.versions.find(key, element);
  if (!version) {
    report_garbage(evidence_, report_, reader, key, element);
    return false;
  }
  if (is_placed_[*version]) {
    report_duplicate(evidence_, report_, reader, *version);
    return false;
  }
  is_placed_[*version] = true;
  const std::uint32_t writer = evidence_.versions[*version].writer;
  if (evidence_.observations.took_effect(writer)) return true;
  report_aborted(evidence_, report_, reader, *version);
  return false;
}

/// Elements that no read holds stand after the last one of a list, in an order nobody knows.
void ListOrders::place_unread() {
  const Versions& versions = evidence_.versions;
  for (std::uint32_t i = evidence_.history.key_count(); i < versions.count(); ++i) {
    const Version& version = versions[i];
    if (evidence_.history.role(version.key) != TransactionHistory::Role::kList) continue;
    if (!evidence_.observations.took_effect(version.writer)) continue;
    if (is_placed_[i] || evidence_.observations.is_seen(i)) continue;
    const LongestRead& longest = evidence_.observations.longest(version.key);
    if (longest.latest_begin > evidence_.history.header(version.writer).end || is_passed_over(i)) {
      report_lost(i);
    } else {
      successions_.push_back(
          {.version = version_at(version.key, longest.elements.size()), .next = i});
    }
  }
}

void ListOrders::report_lost(std::uint32_t version) {
  const std::uint32_t writer = evidence_.versions[version].writer;
  report_direct(evidence_, report_, AnomalyKind::kLostAppend, {writer}, [&](const Wording& say) {
    return say.transaction(writer) + " appended " + say.version(version) +
           ", and no read found it, the last of which began at " +
           std::to_string(
               evidence_.observations.longest(evidence_.versions[version].key).latest_begin);
  });
}

void report_odd_elements(const Evidence& evidence, IsolationReport& report, std::uint32_t reader,
                         std::uint32_t key, std::span<const std::uint64_t> elements) {
  std::vector<std::uint64_t> sorted(elements.begin(), elements.end());
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto version = evidence.versions.find(key, sorted[i]);
    if (!version) {
      report_garbage(evidence, report, reader, key, sorted[i]);
    } else if (i > 0 && sorted[i] == sorted[i - 1]) {
      report_duplicate(evidence, report, reader, *version);
    } else if (!evidence.observations.took_effect(evidence.versions[*version].writer)) {
      report_aborted(evidence, report, reader, *version);
    }
  }
}

}  // namespace ashlar::testing
