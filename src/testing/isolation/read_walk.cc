#include "testing/isolation/read_walk.h"

#include <algorithm>
#include <string>

#include "base/assert.h"

namespace ashlar::testing {

using Step = TransactionHistory::Step;

ReadWalk::ReadWalk(const Evidence& evidence, const ListOrders& orders, IsolationReport& report)
    : evidence_(evidence),
      orders_(orders),
      report_(report),
      view_at_(evidence.history.key_count(), 0),
      viewed_by_(evidence.history.key_count(), kNoNumber),
      rank_(evidence.history.key_count(), 0),
      replaced_by_(evidence.versions.count(), kNoNumber),
      is_reported_(evidence.history.count(), false) {
  sort_registers();
}

void ReadWalk::sort_registers() {
  const TransactionHistory& history = evidence_.history;
  for (std::uint32_t key = 0; key < history.key_count(); ++key) {
    if (history.role(key) == TransactionHistory::Role::kRegister) registers_.push_back(key);
  }
  std::ranges::sort(registers_, {}, [&](std::uint32_t key) { return history.key_name(key); });
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    rank_[registers_[i]] = static_cast<std::uint32_t>(i);
  }
}

void ReadWalk::run() {
  ASHLAR_ASSERT(now_ == kNoNumber, "a history is walked once");
  for (std::uint32_t i = 0; i < evidence_.history.count(); ++i) {
    if (evidence_.observations.took_effect(i)) walk(i);
  }
}

void ReadWalk::walk(std::uint32_t transaction) {
  now_ = transaction;
  views_.clear();
  std::uint32_t next_version = evidence_.versions.first_of(transaction);
  for (const Step& step : evidence_.history.steps(transaction)) {
    switch (step.kind) {
      case OperationKind::kAppend:
      case OperationKind::kWrite:
      case OperationKind::kErase:
        note_own(next_version++);
        break;
      case OperationKind::kReadList:
        read_list(step);
        break;
      case OperationKind::kRead:
        read_register(step.key, step.value, false);
        break;
      case OperationKind::kReadRange:
        read_range(step);
        break;
    }
  }
  ASHLAR_ASSERT(next_version == evidence_.versions.end_of(transaction),
                "the versions of a transaction are those of its steps");
  finish(transaction);
}

void ReadWalk::finish(std::uint32_t transaction) {
  for (const View& view : views_) {
    if (view.own == kNoNumber || view.replaced == kNoNumber) continue;
    note_replaced(transaction, view.replaced);
    if (evidence_.history.role(view.key) == TransactionHistory::Role::kRegister) {
      successions_.push_back({.version = view.replaced, .next = view.own});
    }
  }
}

void ReadWalk::note_replaced(std::uint32_t transaction, std::uint32_t version) {
  std::uint32_t& first = replaced_by_[version];
  if (first == kNoNumber) {
    first = transaction;
    return;
  }
  is_reported_[first] = true;
  is_reported_[transaction] = true;
  report_direct(evidence_, report_, AnomalyKind::kLostUpdate, {first, transaction},
                [&](const Wording& say) {
                  return say.transaction(first) + " and " + say.transaction(transaction) +
                         " both read " + say.version(version) + " and replaced it";
                });
}

ReadWalk::View& ReadWalk::view_of(std::uint32_t key) {
  if (viewed_by_[key] != now_) {
    viewed_by_[key] = now_;
    view_at_[key] = static_cast<std::uint32_t>(views_.size());
    views_.push_back({.key = key});
  }
  ASHLAR_ASSERT(views_[view_at_[key]].key == key, "a view is found by its key");
  return views_[view_at_[key]];
}

void ReadWalk::note_own(std::uint32_t version) {
  View& view = view_of(evidence_.versions[version].key);
  if (view.own == kNoNumber) view.replaced = view.read;
  view.own = version;
  ++view.own_appends;
}

void ReadWalk::note_read(View& view, std::uint32_t version, std::uint64_t answer,
                         bool is_missed_by_range) {
  if (view.has_read && view.answer == answer) return;
  if (!view.has_read) view.read = version;
  view.has_read = true;
  view.answer = answer;
  if (version == kNoNumber) return;
  reads_.push_back({.reader = now_, .version = version, .is_missed_by_range = is_missed_by_range});
}

void ReadWalk::read_list(const Step& step) {
  View& view = view_of(step.key);
  const std::span others = evidence_.history.answer(step);
  if (step.own_words != view.own_appends || is_own(step.key, others)) {
    report_direct(evidence_, report_, AnomalyKind::kInternal, {now_}, [&](const Wording& say) {
      return say.transaction(now_) + " had appended " + std::to_string(view.own_appends) + " to " +
             say.key(step.key) + " and did not find just these at its end";
    });
  }

  const LongestRead& longest = evidence_.observations.longest(step.key);
  if (!is_prefix(others, longest.elements)) {
    report_direct(evidence_, report_, AnomalyKind::kIncompatibleOrder, {longest.reader, now_},
                  [&](const Wording& say) {
                    return say.transaction(now_) + " read " + std::to_string(others.size()) +
                           " elements of " + say.key(step.key) +
                           ", which are not the beginning of the " +
                           std::to_string(longest.elements.size()) + " that " +
                           say.transaction(longest.reader) + " read";
                  });
    report_odd_elements(evidence_, report_, now_, step.key, others);
    return;
  }
  if (view.has_read && view.answer == others.size()) return;
  const std::uint32_t version = orders_.version_at(step.key, others.size());
  note_read(view, final_version_read(version), others.size(), false);
}

/// Whether the last of `elements` is one that the transaction being walked appends.
bool ReadWalk::is_own(std::uint32_t key, std::span<const std::uint64_t> elements) const {
  if (elements.empty()) return false;
  const auto last = evidence_.versions.find(key, elements.back());
  return last && evidence_.versions[*last].writer == now_;
}

void ReadWalk::read_register(std::uint32_t key, std::uint64_t value, bool is_missed_by_range) {
  View& view = view_of(key);
  if (view.own != kNoNumber) {
    if (evidence_.versions[view.own].value == value) return;
    report_direct(evidence_, report_, AnomalyKind::kInternal, {now_}, [&](const Wording& say) {
      return say.transaction(now_) + " made " + say.version(view.own) + " and then read " +
             std::to_string(value);
    });
    return;
  }
  if (view.has_read && view.answer != value) {
    is_reported_[now_] = true;
    report_direct(evidence_, report_, AnomalyKind::kReadSkew, {now_}, [&](const Wording& say) {
      return say.transaction(now_) + " read " + std::to_string(view.answer) + " in " +
             say.key(key) + " and later " + std::to_string(value);
    });
  }
  if (view.has_read && view.answer == value) return;
  note_read(view, version_read(key, value), value, is_missed_by_range);
}

/// The version that a read of `value` saw, or kNoNumber when it has no name or stands in no order.
std::uint32_t ReadWalk::version_read(std::uint32_t key, std::uint64_t value) {
  if (value == kAbsent) return absence_of(key);
  const auto version = evidence_.versions.find(key, value);
  if (!version || evidence_.versions[*version].writer == now_) {
    report_direct(evidence_, report_, AnomalyKind::kGarbageRead, {now_}, [&](const Wording& say) {
      return say.transaction(now_) + " read value " + std::to_string(value) + " of " +
             say.key(key) + ", which nobody had written";
    });
    return kNoNumber;
  }
  const std::uint32_t writer = evidence_.versions[*version].writer;
  if (!evidence_.observations.took_effect(writer)) {
    report_direct(evidence_, report_, AnomalyKind::kAbortedRead, {writer, now_},
                  [&](const Wording& say) {
                    return say.transaction(now_) + " read " + say.version(*version) + ", which " +
                           say.transaction(writer) + " wrote and took back";
                  });
    return kNoNumber;
  }
  return final_version_read(*version);
}

/// `version`, or the last of its writer when that had not finished: so the read is reported once,
/// and not as a cycle besides.
std::uint32_t ReadWalk::final_version_read(std::uint32_t version) {
  const Version& read = evidence_.versions[version];
  if (read.is_final || read.writer == now_) return version;
  report_direct(evidence_, report_, AnomalyKind::kIntermediateRead, {read.writer, now_},
                [&](const Wording& say) {
                  return say.transaction(now_) + " read " + say.version(version) + ", which " +
                         say.transaction(read.writer) + " replaced before it committed";
                });
  return evidence_.versions.final_of(version);
}

std::uint32_t ReadWalk::absence_of(std::uint32_t key) const {
  const std::uint64_t end = evidence_.history.header(now_).end;
  return evidence_.versions.earliest_erase(key) > end ? key : kNoNumber;
}

ReadWalk::Bounds ReadWalk::bounds_of(const Step& step) const {
  const TransactionHistory& history = evidence_.history;
  const auto place_of = [&](const std::string& name) {
    const auto at = std::ranges::lower_bound(
        registers_, name, {}, [&](std::uint32_t key) { return history.key_name(key); });
    return static_cast<std::size_t>(at - registers_.begin());
  };
  const std::size_t begin = place_of(history.key_name(step.key));
  const std::string& last = history.key_name(step.last);
  return {.begin = begin,
          .end = last.empty() ? registers_.size() : std::max(begin, place_of(last))};
}

/// Whether the keys that the range read found are within its bounds and in their order.
bool ReadWalk::is_orderly(const Step& step, const Bounds& bounds) {
  const auto words = evidence_.history.answer(step);
  std::size_t next = bounds.begin;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto key = static_cast<std::uint32_t>(words[i]);
    if (rank_[key] >= next && rank_[key] < bounds.end) {
      next = rank_[key] + std::size_t{1};
      continue;
    }
    report_direct(evidence_, report_, AnomalyKind::kGarbageRead, {now_}, [&](const Wording& say) {
      return say.transaction(now_) + " found " + say.key(key) + " in a range from '" +
             say.key(step.key) + "' to '" + say.key(step.last) + "': outside or out of order";
    });
    return false;
  }
  return true;
}

void ReadWalk::read_range(const Step& step) {
  const Bounds bounds = bounds_of(step);
  if (!is_orderly(step, bounds)) return;
  const auto words = evidence_.history.answer(step);
  std::size_t at = 0;
  for (std::size_t place = bounds.begin; place < bounds.end; ++place) {
    const std::uint32_t key = registers_[place];
    const bool is_found = at < words.size() && words[at] == key;
    read_register(key, is_found ? words[at + 1] : kAbsent, !is_found);
    if (is_found) at += 2;
  }
  ASHLAR_ASSERT(at == words.size(), "each key that was found is one of those in the range");
}

}  // namespace ashlar::testing
