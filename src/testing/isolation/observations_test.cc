// What observations promise: who was killed while committing counts when somebody who counts saw
// him, and the longest read of each list is known.

#include "testing/isolation/observations.h"

#include <gtest/gtest.h>

#include "testing/isolation/evidence_rig_test.h"

namespace ashlar::testing {
namespace {

std::vector<bool> effects_of(std::initializer_list<Transaction> transactions) {
  const EvidenceRig rig(transactions);
  std::vector<bool> effects;
  for (std::uint32_t i = 0; i < rig.history.count(); ++i) {
    effects.push_back(rig.observations.took_effect(i));
  }
  return effects;
}

TEST(Observations, CountWhatWasCommittedAndNothingThatWasRolledBack) {
  EXPECT_EQ(effects_of({beside({write("x", 1)}), beside({write("x", 2)}, Outcome::kAborted),
                        beside({read("x", 2)})}),
            (std::vector<bool>{true, false, true}));
}

TEST(Observations, CountAKilledOneThatWasSeenInARegister) {
  EXPECT_EQ(effects_of({beside({write("x", 1)}, Outcome::kUnknown), beside({read("x", 1)})}),
            (std::vector<bool>{true, true}));
}

TEST(Observations, CountAKilledOneThatWasSeenInAListOrARange) {
  EXPECT_EQ(
      effects_of(
          {beside({append("x", 1)}, Outcome::kUnknown), beside({append("x", 2)}, Outcome::kUnknown),
           beside({write("r", 3)}, Outcome::kUnknown), beside({write("r", 4)}, Outcome::kUnknown),
           beside({list("x", {1}), range("", "", {{"r", 4}})})}),
      (std::vector<bool>{true, false, false, true, true}));
}

TEST(Observations, CountAKilledOneThatAnotherShowsToHaveBeenSeen) {
  EXPECT_EQ(effects_of({beside({write("x", 1)}, Outcome::kUnknown),
                        beside({read("x", 1), write("y", 2)}, Outcome::kUnknown),
                        beside({read("y", 2), write("z", 3)}, Outcome::kUnknown),
                        beside({read("z", 3)})}),
            (std::vector<bool>{true, true, true, true}));
}

TEST(Observations, DoNotCountAKilledOneThatOnlyItselfOrARolledBackOneSaw) {
  EXPECT_EQ(effects_of({beside({write("x", 1), read("x", 1), append("y", 2), list("y", {2})},
                               Outcome::kUnknown),
                        beside({read("x", 1)}, Outcome::kAborted)}),
            (std::vector<bool>{false, false}));
}

TEST(Observations, KnowTheLongestReadAndWhenTheListWasReadLast) {
  const EvidenceRig rig({during(5, 6, {append("x", 1), append("x", 2), append("x", 3)}),
                         during(7, 8, {list("x", {1, 2, 3})}), during(9, 10, {list("x", {1, 2})}),
                         beside({list("x", {1, 2, 3, 4})}, Outcome::kAborted)});

  EXPECT_EQ(rig.observations.longest(0).elements.size(), 3U);
  EXPECT_EQ(rig.observations.longest(0).reader, 1U);
  EXPECT_EQ(rig.observations.longest(0).latest_begin, 9U);
}

TEST(Observations, SeeElementsOfReadsThatFitNoOrder) {
  const EvidenceRig rig({beside({append("x", 1)}), beside({append("x", 2)}),
                         beside({append("x", 3)}), beside({list("x", {1})}),
                         beside({list("x", {2})})});

  EXPECT_TRUE(rig.observations.is_seen(*rig.versions.find(0, 1)));
  EXPECT_TRUE(rig.observations.is_seen(*rig.versions.find(0, 2)));
  EXPECT_FALSE(rig.observations.is_seen(*rig.versions.find(0, 3)));
}

}  // namespace
}  // namespace ashlar::testing
