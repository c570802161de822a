// From rounds to lines of the report.

#include <algorithm>
#include <string>

#include "rows.h"

namespace ashlar::bench {
namespace {

// On a machine that is shared, processor time says more than the clock on the wall.
std::string processor_note(double ours, double peer) {
  return "processor time " + fixed(ours, 0) + " against " + fixed(peer, 0) + " ns, " +
         fixed(peer / ours, 2) + "x";
}

void append_note(std::string& notes, std::string_view note) {
  if (note.empty()) return;
  notes += (notes.empty() ? "" : "; ") + std::string(note);
}

/// Makes the lines of one comparison, that of the row first.
class Lines {
 public:
  Lines(const Row& row, const Comparison& comparison, const Spread& ours)
      : row_(row), comparison_(comparison), ours_(ours) {
    results_.push_back(make(std::string(row.name), comparison.peer));
    results_[0].must = row.must;
    results_[0].aim = row.aim;
    for (const auto& bounds : comparison.more) {
      results_.push_back(make(line_name(bounds.peer), bounds.peer));
      results_.back().must = bounds.must;
      results_.back().aim = bounds.aim;
    }
  }

  /// The line of `peer`, made for information when nothing binds it.
  RowResult& of(std::string_view peer) {
    const auto found = std::ranges::find(results_, peer, &RowResult::peer);
    if (found != results_.end()) return *found;
    results_.push_back(make(line_name(peer), peer));
    return results_.back();
  }

  std::vector<RowResult>& all() noexcept { return results_; }

 private:
  std::string line_name(std::string_view peer) const {
    return std::string(row_.name) + "/" + std::string(peer);
  }

  RowResult make(std::string name, std::string_view peer) const {
    return {.name = std::move(name),
            .ours = ours_.median,
            .peer = std::string(peer),
            .unit = std::string(comparison_.unit),
            .ours_spread = ours_};
  }

  const Row& row_;
  const Comparison& comparison_;
  Spread ours_;
  std::vector<RowResult> results_;
};

}  // namespace

RowOutcome compare(const Row& row, const Settings& settings, const Contenders& contenders,
                   const Comparison& comparison) {
  const RoundsOutcome rounds = run_rounds(settings, contenders);
  Lines lines(row, comparison, rounds.spreads[0]);
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    const Contender& peer = *contenders[i];
    RowResult& result = lines.of(peer.name());
    result.peer_value = rounds.spreads[i].median;
    result.ratio = rounds.spreads[i].median / rounds.spreads[0].median;
    result.peer_spread = rounds.spreads[i];
    if (comparison.unit == "ns") {
      result.note = processor_note(rounds.processor_ns[0], rounds.processor_ns[i]);
    }
    append_note(result.note, peer.note());
  }

  RowOutcome outcome;
  outcome.results = std::move(lines.all());
  RowResult& first = outcome.results[0];
  append_note(first.note, contenders[0]->note());
  first.has_failed_besides = contenders[0]->has_failed_besides();
  if (rounds.disturbed_turn_count > 0) {
    append_note(first.note, std::to_string(rounds.disturbed_turn_count) + " of " +
                                std::to_string(rounds.turn_count) + " turns disturbed");
  }
  for (const auto& contender : contenders) {
    if (contender->wrong_count() == 0) continue;
    outcome.wrong_count += contender->wrong_count();
    append_note(outcome.wrong_of, contender->name());
  }
  return outcome;
}

}  // namespace ashlar::bench
