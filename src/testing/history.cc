#include "testing/history.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/assert.h"
#include "testing/random.h"

namespace ashlar::testing {
namespace {

constexpr std::size_t kStatesMax = 2'000'000;

/// The search for an order of the events of one key.
///
/// Invariants:
///   Y1  The events not yet placed form a list in the order of their begin.
///   Y2  `unread_[v]` counts the gets of v that are not yet placed.
class Search {
 public:
  explicit Search(std::vector<Event> events);
  Verdict run();

 private:
  // A point with several ways on. `trail_bytes` is how much was placed when it was reached.
  struct Choice {
    std::vector<std::size_t> candidates;
    std::size_t next = 0;
    std::size_t trail_length = 0;
    std::uint64_t value = 0;
  };

  std::vector<std::size_t> candidates() const;
  bool changes_nothing(const Event& event) const;
  bool fits(const Event& event) const;
  void place_free_events();
  void place(std::size_t index);
  void unplace_to(std::size_t trail_length);
  bool is_new_state();
  bool step_back();

  std::vector<Event> events_;         // Sorted by begin.
  std::vector<std::uint64_t> marks_;  // A random number an event: their sum names the placed set.
  std::vector<std::size_t> next_;     // Y1; the last element is the head of the list.
  std::vector<std::size_t> previous_;
  std::unordered_map<std::uint64_t, std::size_t> unread_;  // Y2
  std::vector<std::size_t> trail_;                         // Placed events in their order.
  std::vector<Choice> choices_;
  std::unordered_set<std::uint64_t> visited_;
  std::uint64_t placed_mark_ = 0;
  std::uint64_t value_ = Event::kAbsent;
};

Search::Search(std::vector<Event> events) : events_(std::move(events)) {
  std::ranges::sort(events_, {}, &Event::begin);
  const std::size_t head = events_.size();
  Random random(events_.size());
  for (std::size_t i = 0; i < events_.size(); ++i) {
    ASHLAR_ASSERT(events_[i].begin < events_[i].end, "a call ends after it began");
    marks_.push_back(random.next());
    if (events_[i].kind == Event::Kind::kGet) ++unread_[events_[i].value];
  }
  for (std::size_t i = 0; i <= head; ++i) {
    next_.push_back(i == head ? 0 : i + 1);
    previous_.push_back(i == 0 ? head : i - 1);
  }
}

/// Events that may stand next: no event that is not yet placed had ended before they began. Those
/// that end first stand first, as they have the least freedom.
std::vector<std::size_t> Search::candidates() const {
  std::vector<std::size_t> found;
  const std::size_t head = events_.size();
  std::uint64_t first_end = UINT64_MAX;
  for (std::size_t i = next_[head]; i != head && events_[i].begin < first_end; i = next_[i]) {
    found.push_back(i);
    first_end = std::min(first_end, events_[i].end);
  }
  std::ranges::sort(found, {}, [this](std::size_t i) { return events_[i].end; });
  return found;
}

/// Whether `event` gives the answer that it gave, here, and leaves the register as it is. Such an
/// event may be placed at once: an order that has it later stays right when it is moved here.
bool Search::changes_nothing(const Event& event) const {
  switch (event.kind) {
    case Event::Kind::kPut:
      return false;
    case Event::Kind::kGet:
      return event.value == value_;
    case Event::Kind::kErase:
      return !event.was_there && value_ == Event::kAbsent;
  }
  return false;
}

/// Whether `event`, which changes the register, may stand here. What it replaces never comes back,
/// so nobody may still have to read it.
bool Search::fits(const Event& event) const {
  const bool is_change =
      event.kind == Event::Kind::kPut || (event.kind == Event::Kind::kErase && event.was_there);
  if (!is_change) return false;
  if (event.kind == Event::Kind::kErase && value_ == Event::kAbsent) return false;
  if (value_ == Event::kAbsent) return true;
  const auto unread = unread_.find(value_);
  return unread == unread_.end() || unread->second == 0;
}

void Search::place(std::size_t index) {
  const Event& event = events_[index];
  next_[previous_[index]] = next_[index];
  previous_[next_[index]] = previous_[index];
  placed_mark_ += marks_[index];
  trail_.push_back(index);
  if (event.kind == Event::Kind::kGet) --unread_[event.value];
  if (event.kind == Event::Kind::kPut) value_ = event.value;
  if (event.kind == Event::Kind::kErase) value_ = Event::kAbsent;
}

void Search::unplace_to(std::size_t trail_length) {
  while (trail_.size() > trail_length) {
    const std::size_t index = trail_.back();
    trail_.pop_back();
    next_[previous_[index]] = index;
    previous_[next_[index]] = index;
    placed_mark_ -= marks_[index];
    if (events_[index].kind == Event::Kind::kGet) ++unread_[events_[index].value];
  }
}

void Search::place_free_events() {
  for (bool is_done = false; !is_done;) {
    is_done = true;
    for (const std::size_t index : candidates()) {
      if (!changes_nothing(events_[index])) continue;
      place(index);
      is_done = false;
    }
  }
}

bool Search::is_new_state() {
  Random mix(placed_mark_, value_ + 1);
  return visited_.insert(mix.next()).second;
}

/// Takes the next way at the last point that has one left. Returns: false when there is none
bool Search::step_back() {
  while (!choices_.empty()) {
    Choice& choice = choices_.back();
    unplace_to(choice.trail_length);
    value_ = choice.value;
    while (choice.next < choice.candidates.size()) {
      const std::size_t index = choice.candidates[choice.next++];
      if (!fits(events_[index])) continue;
      place(index);
      return true;
    }
    choices_.pop_back();
  }
  return false;
}

Verdict Search::run() {
  for (;;) {
    place_free_events();
    if (trail_.size() == events_.size()) return Verdict::kLinearizable;
    if (visited_.size() >= kStatesMax) return Verdict::kUndecided;
    if (is_new_state()) {
      choices_.push_back(
          {.candidates = candidates(), .next = 0, .trail_length = trail_.size(), .value = value_});
    }
    if (!step_back()) return Verdict::kViolated;
  }
}

void describe(const Event& event, std::ostream& out) {
  out << '[' << event.begin << ", " << event.end << "] ";
  switch (event.kind) {
    case Event::Kind::kPut:
      out << "put " << event.value;
      break;
    case Event::Kind::kGet:
      out << "get -> " << event.value;
      break;
    case Event::Kind::kErase:
      out << "erase -> " << event.was_there;
      break;
  }
  out << '\n';
}

/// The shortest beginning of `events` that is not linearizable, its last events only: the earlier
/// ones rarely matter. An event that has not begun cannot explain one that has ended.
std::string explain(std::vector<Event> events) {
  constexpr std::size_t kShown = 40;
  std::ranges::sort(events, {}, &Event::end);
  std::size_t low = 0;
  std::size_t high = events.size();
  const auto is_fine = [&events](std::size_t count) {
    // A call that had not ended may have had its effect: keep it if it began before the last end.
    std::vector<Event> prefix;
    const std::uint64_t last_end = count == 0 ? 0 : events[count - 1].end;
    for (const Event& event : events) {
      const bool is_pending_change = event.kind != Event::Kind::kGet && event.begin < last_end;
      if (event.end <= last_end || is_pending_change) prefix.push_back(event);
    }
    return judge_key(prefix) != Verdict::kViolated;
  };
  while (low + 1 < high) {
    const std::size_t middle = low + (high - low) / 2;
    (is_fine(middle) ? low : high) = middle;
  }
  std::ostringstream out;
  for (std::size_t i = high > kShown ? high - kShown : 0; i < high; ++i) describe(events[i], out);
  return out.str();
}

}  // namespace

Verdict judge_key(std::span<const Event> events) {
  return Search(std::vector<Event>(events.begin(), events.end())).run();
}

Judgement judge(std::span<const Event> events) {
  std::map<std::uint32_t, std::vector<Event>> of_key;
  for (const Event& event : events) of_key[event.key].push_back(event);
  for (auto& [key, list] : of_key) {
    const Verdict verdict = judge_key(list);
    if (verdict == Verdict::kLinearizable) continue;
    std::string explanation =
        "key " + std::to_string(key) + ", the last events up to the wrong one:\n";
    if (verdict == Verdict::kViolated) explanation += explain(std::move(list));
    return {.verdict = verdict, .explanation = std::move(explanation)};
  }
  return {};
}

}  // namespace ashlar::testing
