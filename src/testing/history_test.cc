// What a history check promises: it accepts exactly the histories that one order of the calls can
// explain, and it stays fast for the long ones that a correct store produces.

#include "testing/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::testing {
namespace {

struct Span {
  std::uint64_t begin;
  std::uint64_t end;
};

Event put(std::uint64_t value, Span span) {
  return {.kind = Event::Kind::kPut, .value = value, .begin = span.begin, .end = span.end};
}

Event get(std::uint64_t value, Span span) {
  return {.kind = Event::Kind::kGet, .value = value, .begin = span.begin, .end = span.end};
}

Event erase(bool was_there, Span span) {
  return {
      .kind = Event::Kind::kErase, .was_there = was_there, .begin = span.begin, .end = span.end};
}

Verdict verdict_of(std::initializer_list<Event> events) {
  return judge_key(std::vector<Event>(events));
}

TEST(History, AcceptsACallAfterACall) {
  EXPECT_EQ(verdict_of({get(0, {1, 2}), put(7, {3, 4}), get(7, {5, 6}), erase(true, {7, 8}),
                        get(0, {9, 10}), erase(false, {11, 12})}),
            Verdict::kLinearizable);
}

TEST(History, AcceptsEitherAnswerWhileAPutIsUnderWay) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), put(2, {3, 10}), get(1, {4, 5}), get(2, {6, 7})}),
            Verdict::kLinearizable);
}

TEST(History, AcceptsAPutThatTakesEffectInItsLastMoment) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), put(2, {3, 20}), put(3, {4, 5}), get(3, {6, 7}),
                        erase(true, {8, 9}), get(0, {10, 11}), get(2, {21, 22})}),
            Verdict::kLinearizable);
}

TEST(History, RejectsAStaleRead) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), put(2, {3, 4}), get(1, {5, 6})}), Verdict::kViolated);
}

TEST(History, RejectsALostUpdate) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), get(0, {3, 4})}), Verdict::kViolated);
}

TEST(History, RejectsAValueThatNobodyPut) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), get(9, {3, 4})}), Verdict::kViolated);
}

TEST(History, RejectsAValueReadBeforeItWasPut) {
  EXPECT_EQ(verdict_of({get(1, {1, 2}), put(1, {3, 4})}), Verdict::kViolated);
}

TEST(History, RejectsAValueThatComesBackAfterAnother) {
  EXPECT_EQ(verdict_of({put(1, {1, 10}), put(2, {2, 11}), get(1, {12, 13}), get(2, {14, 15}),
                        get(1, {16, 17})}),
            Verdict::kViolated);
}

TEST(History, RejectsAValueThatComesBackAfterItsErasure) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), erase(true, {3, 4}), get(1, {5, 6})}), Verdict::kViolated);
}

TEST(History, RejectsTwoReadersWhoDisagreeAboutTheOrder) {
  EXPECT_EQ(verdict_of({put(1, {1, 100}), put(2, {2, 101}), get(1, {3, 4}), get(2, {5, 6}),
                        get(2, {7, 8}), get(1, {9, 10})}),
            Verdict::kViolated);
}

TEST(History, RejectsAnErasureThatMissesWhatWasThere) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), erase(false, {3, 4})}), Verdict::kViolated);
}

TEST(History, RejectsTwoErasuresOfOneValue) {
  EXPECT_EQ(verdict_of({put(1, {1, 2}), erase(true, {3, 6}), erase(true, {4, 7})}),
            Verdict::kViolated);
}

TEST(History, JudgesEachKeyByItself) {
  Event other = get(0, {5, 6});
  other.key = 1;
  const std::array fine{put(1, {1, 2}), other};
  EXPECT_EQ(judge(fine).verdict, Verdict::kLinearizable);
  other.value = 1;
  const std::array wrong{put(1, {1, 2}), other};
  EXPECT_EQ(judge(wrong).verdict, Verdict::kViolated);
  EXPECT_NE(judge(wrong).explanation.find("key 1"), std::string::npos);
}

/// Applies `event` to the register. Returns: whether its answer agrees.
bool agrees(const Event& event, std::uint64_t& value) {
  const std::uint64_t before = value;
  if (event.kind == Event::Kind::kGet) return event.value == value;
  value = event.kind == Event::Kind::kPut ? event.value : Event::kAbsent;
  return event.kind == Event::Kind::kPut || event.was_there == (before != Event::kAbsent);
}

/// Tries every order there is.
bool is_linearizable_plainly(const std::vector<Event>& events) {
  std::vector<std::size_t> order(events.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  do {
    bool is_right = true;
    std::uint64_t value = Event::kAbsent;
    std::uint64_t latest_begin = 0;
    for (const std::size_t index : order) {
      is_right = is_right && events[index].end > latest_begin && agrees(events[index], value);
      latest_begin = std::max(latest_begin, events[index].begin);
    }
    if (is_right) return true;
  } while (std::ranges::next_permutation(order).found);
  return false;
}

std::vector<Event> random_events(Random& random, std::size_t count) {
  std::vector<std::uint64_t> ticks(2 * count);
  std::iota(ticks.begin(), ticks.end(), std::uint64_t{1});
  for (std::size_t i = ticks.size(); i > 1; --i) std::swap(ticks[i - 1], ticks[random.below(i)]);
  std::vector<Event> events;
  std::uint64_t put_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [begin, end] = std::minmax(ticks[2 * i], ticks[2 * i + 1]);
    switch (random.below(3)) {
      case 0:
        events.push_back(put(++put_count, {begin, end}));
        break;
      case 1:
        events.push_back(get(random.below(put_count + 2), {begin, end}));
        break;
      default:
        events.push_back(erase(random.chance(50), {begin, end}));
        break;
    }
  }
  return events;
}

TEST(History, AgreesWithTryingEveryOrder) {
  Random random(seed());
  int violated_count = 0;
  const std::uint64_t rounds = scaled(20'000);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const auto events = random_events(random, 1 + random.below(6));
    const bool is_linearizable = is_linearizable_plainly(events);
    ASSERT_EQ(judge_key(events), is_linearizable ? Verdict::kLinearizable : Verdict::kViolated)
        << "seed " << seed() << " round " << round;
    violated_count += is_linearizable ? 0 : 1;
  }
  EXPECT_GT(violated_count, static_cast<int>(rounds / 10)) << "both kinds are tried";
}

/// What a correct register answers to sixteen callers, each of whom may be held up for long.
std::vector<Event> correct_events(Random& random, std::size_t count) {
  constexpr std::size_t kCallers = 16;
  std::array<std::uint64_t, kCallers> free_from{};
  std::vector<Event> events;
  std::uint64_t value = Event::kAbsent;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t now = (i + 1) * 1000;  // Of the effect.
    std::uint64_t& free = free_from[random.below(kCallers)];
    if (free >= now) continue;
    const std::uint64_t reach = random.chance(1) ? 500'000 : 20'000;
    const std::uint64_t begin = std::max(free + 1, now - std::min(now, random.below(reach)));
    Event event = get(value, {begin, now + 1 + random.below(reach)});
    const std::uint64_t choice = random.below(3);
    if (choice == 0) event = put(i + 1, {event.begin, event.end});
    if (choice == 1) event = erase(value != Event::kAbsent, {event.begin, event.end});
    if (choice == 0) value = i + 1;
    if (choice == 1) value = Event::kAbsent;
    free = event.end;
    events.push_back(event);
  }
  return events;
}

TEST(History, JudgesALongCorrectHistoryFast) {
  Random random(seed());
  const auto events = correct_events(random, scaled(30'000));
  EXPECT_EQ(judge_key(events), Verdict::kLinearizable) << "seed " << seed();
}

TEST(History, FindsTheOneWrongAnswerInALongHistory) {
  Random random(seed());
  auto events = correct_events(random, 2'000);
  // A value that another has replaced for sure is read once more.
  const auto replaced = std::ranges::find(events, Event::Kind::kPut, &Event::kind);
  ASSERT_NE(replaced, events.end());
  const std::uint64_t value = replaced->value;
  events.push_back(put(1'000'000, {100'000'000, 100'000'001}));
  events.push_back(get(value, {100'000'002, 100'000'003}));
  const Judgement judgement = judge(events);
  EXPECT_EQ(judgement.verdict, Verdict::kViolated);
  EXPECT_NE(judgement.explanation.find("[100000002, 100000003] get"), std::string::npos)
      << judgement.explanation;
}

}  // namespace
}  // namespace ashlar::testing
