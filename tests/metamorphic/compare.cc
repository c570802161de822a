#include "compare.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "player.h"
#include "script.h"

namespace ashlar::metamorphic {
namespace {

/// What of `answer` has to be seen to tell it from `other`.
std::string cut(const std::string& answer, const std::string& other) {
  constexpr std::size_t kShownBytes = 300;
  const auto [at, other_at] = std::ranges::mismatch(answer, other);
  const auto begin = static_cast<std::size_t>(at - answer.begin());
  return "…" + answer.substr(begin - std::min(begin, kShownBytes), 2 * kShownBytes) + "…";
}

/// The first step at which `other` answers otherwise; empty when there is none.
std::string difference_of(const std::vector<Step>& script, const Played& plain,
                          const Played& other) {
  if (!other.wrong.empty()) return other.wrong;
  for (std::size_t i = 0; i < script.size(); ++i) {
    if (i < other.answers.size() && plain.answers[i] == other.answers[i]) continue;
    const std::string& expected = plain.answers[i];
    const std::string& found = i < other.answers.size() ? other.answers[i] : "no answer";
    return "step " + std::to_string(i) + ", " + std::string(name_of(script[i].call)) + ":\n  " +
           cut(expected, found) + "\nbut here\n  " + cut(found, expected) +
           (other.messages.contains(i) ? ": " + other.messages.at(i) : "");
  }
  return {};
}

std::string in_words(const ChosenValues& chosen) {
  std::string text;
  for (const std::string& value : chosen) text += "\n  " + value;
  return text;
}

}  // namespace

Comparison compare(std::uint64_t seed, std::uint64_t step_count, std::uint64_t variant_count) {
  Comparison comparison;
  const std::vector<Step> script = make_script(seed, step_count);
  const Played plain = Player(plain_variant(), [](std::uint64_t) {
                         return plain_opening(plain_variant());
                       }).play(script);
  comparison.difference = plain.wrong;
  for (std::uint64_t i = 0; i < variant_count && comparison.difference.empty(); ++i) {
    ChosenValues chosen;
    const Variant variant = draw_variant(seed + i, chosen);
    const Played played = Player(variant, [&](std::uint64_t index) {
                            return draw_opening(variant, index, chosen);
                          }).play(script);
    ++comparison.variant_count;
    comparison.answer_count += played.answers.size();
    comparison.compaction_count += played.compaction_count;
    comparison.chosen.insert(chosen.begin(), chosen.end());
    const std::string difference = difference_of(script, plain, played);
    if (difference.empty()) continue;
    comparison.difference = "ASHLAR_TEST_SEED=" + std::to_string(seed) + ", variant " +
                            std::to_string(i) + ", " + difference +
                            "\nof what was chosen:" + in_words(chosen);
  }
  return comparison;
}

}  // namespace ashlar::metamorphic
