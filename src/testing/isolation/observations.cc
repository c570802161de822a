#include "testing/isolation/observations.h"

#include <algorithm>

#include "base/assert.h"

namespace ashlar::testing {

Observations::Observations(const TransactionHistory& history, const Versions& versions)
    : history_(history),
      versions_(versions),
      took_effect_(history.count(), false),
      is_seen_(versions.count(), false),
      longest_(history.key_count()) {
  for (std::uint32_t i = 0; i < history.count(); ++i) {
    if (history.header(i).outcome != Outcome::kCommitted) continue;
    took_effect_[i] = true;
    look_at(i);
  }
  while (!pending_.empty()) {
    const std::uint32_t next = pending_.back();
    pending_.pop_back();
    look_at(next);
  }
}

void Observations::look_at(std::uint32_t transaction) {
  ASHLAR_ASSERT(took_effect_[transaction], "only what took effect tells of others");
  for (const TransactionHistory::Step& step : history_.steps(transaction)) {
    if (step.kind == OperationKind::kReadList) {
      look_at_list(transaction, step);
    } else if (step.kind == OperationKind::kRead) {
      look_at_value(step.key, step.value);
    } else if (step.kind == OperationKind::kReadRange) {
      const auto words = history_.answer(step);
      ASHLAR_ASSERT(words.size() % 2 == 0, "a range read answers with pairs");
      for (std::size_t i = 0; i < words.size(); i += 2) {
        look_at_value(static_cast<std::uint32_t>(words[i]), words[i + 1]);
      }
    }
  }
}

/// Only what is new of a list is looked at: the rest is the beginning of what was read before.
void Observations::look_at_list(std::uint32_t reader, const TransactionHistory::Step& step) {
  LongestRead& longest = longest_[step.key];
  const std::span elements = history_.answer(step);
  longest.latest_begin = std::max(longest.latest_begin, history_.header(reader).begin);
  if (is_prefix(elements, longest.elements)) return;
  const bool is_longer = elements.size() > longest.elements.size();
  const std::size_t known = is_prefix(longest.elements, elements) ? longest.elements.size() : 0;
  for (const std::uint64_t element : elements.subspan(known)) {
    look_at_value(step.key, element);
  }
  if (!is_longer) return;
  longest.elements = elements;
  longest.reader = reader;
}

void Observations::look_at_value(std::uint32_t key, std::uint64_t value) {
  const auto version = versions_.find(key, value);
  if (!version) return;
  const std::uint32_t writer = versions_[*version].writer;
  is_seen_[*version] = true;
  if (took_effect_[writer] || history_.header(writer).outcome != Outcome::kUnknown) return;
  took_effect_[writer] = true;
  pending_.push_back(writer);
}

}  // namespace ashlar::testing
