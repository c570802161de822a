// How reports speak: of whom, of what, and of how it was made.

#include "testing/isolation/wording.h"

#include <gtest/gtest.h>

#include "testing/isolation/evidence_rig_test.h"

namespace ashlar::testing {
namespace {

TEST(Wording, NamesVersionsByWhatTheyHold) {
  const EvidenceRig rig({beside({append("k3", 7), write("r", 8)}), beside({erase("r")})});
  const Wording say(rig.history, rig.versions);
  const std::uint32_t first = rig.versions.first_of(0);

  EXPECT_EQ(say.version(0), "the absence of k3");
  EXPECT_EQ(say.version(first), "element 7 of k3");
  EXPECT_EQ(say.version(first + 1), "value 8 of r");
  EXPECT_EQ(say.content(first + 2), "the erasure");
  EXPECT_EQ(say.making(first), "T0 appended");
  EXPECT_EQ(say.making(first + 1), "T0 wrote");
  EXPECT_EQ(say.making(first + 2), "T1 erased");
}

TEST(Wording, IntroducesTransactions) {
  Transaction killed = in_session(2, during(5, 7, {read("x", 0)}));
  killed.outcome = Outcome::kUnknown;
  killed.end = kNeverEnded;
  const EvidenceRig rig({in_session(3, during(10, 25, {})), killed, beside({}, Outcome::kAborted)});
  const Wording say(rig.history, rig.versions);

  EXPECT_EQ(say.introduction(0), "  T0: session 3, 10 to 25, committed\n");
  EXPECT_EQ(say.introduction(1), "  T1: session 2, 5 to its kill, killed while it committed\n");
  EXPECT_EQ(say.introduction(2), "  T2: session 0, 1000 to 2000, aborted\n");
}

TEST(Wording, ShowsKeysThatCannotBePrinted) {
  const EvidenceRig rig({beside({read(std::string("a\0\xff", 3), 0)})});

  EXPECT_EQ(Wording(rig.history, rig.versions).key(0), "a%00%ff");
}

}  // namespace
}  // namespace ashlar::testing
