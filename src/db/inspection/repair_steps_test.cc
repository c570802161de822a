// What a repair that was stopped relies on: the steps come back as they were written, or not at
// all, and taking them twice does no harm (I5).

#include "db/inspection/repair_steps.h"

#include <gtest/gtest.h>

#include <string>

#include "db/format_file.h"
#include "db/inspection/damage_rig_test.h"

namespace ashlar::db {
namespace {

using Kind = RepairStep::Kind;

std::vector<RepairStep> some_steps() {
  return {{.kind = Kind::kReplace, .name = "log/0000000003.log"},
          {.kind = Kind::kReplace, .name = "log/ring"},
          {.kind = Kind::kRemove, .name = "checkpoint/0000000002.checkpoint"}};
}

TEST(RepairSteps, ComeBackAsTheyWere) {
  const std::vector<RepairStep> steps = some_steps();
  const auto decoded = decode_repair_steps(encode_repair_steps(steps));
  ASSERT_TRUE(decoded.has_value());
  ASSERT_EQ(decoded->size(), steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_EQ((*decoded)[i].kind, steps[i].kind);
    EXPECT_EQ((*decoded)[i].name, steps[i].name);
  }
  EXPECT_TRUE(decode_repair_steps(encode_repair_steps({}))->empty());
}

TEST(RepairSteps, AreRefusedWithAFlippedByteOrAPartMissing) {
  const std::string text = encode_repair_steps(some_steps());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string flipped = text;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(decode_repair_steps(flipped).has_value()) << i;
    EXPECT_FALSE(decode_repair_steps(text.substr(0, i)).has_value()) << i;
  }
}

TEST(RepairStepsDeathTest, TouchNothingThatIsNotOurs) {
  for (const char* name : {"../letter", "log/../../letter", "FORMAT", "log/", "letter.log"}) {
    EXPECT_DEATH(encode_repair_steps({{.kind = Kind::kRemove, .name = name}}), "what is ours");
  }
}

TEST(RepairSteps, DoTheSameTwice) {
  DamageRig rig;
  rig.write(0, 10, -1, DamageRig::End::kClose);
  rig.create("log/ring.repaired", "new ring");
  rig.create("checkpoint/0000000002.checkpoint", "x");
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(run_repair_steps(*rig.disk_, DamageRig::kPath, some_steps()).has_value());
    EXPECT_EQ(rig.disk_->read_all(DamageRig::at("log/ring")), "new ring");
    EXPECT_TRUE(os::list_directory(*rig.disk_, DamageRig::at("checkpoint"))->empty());
    EXPECT_EQ(read_format(*rig.disk_, DamageRig::kPath)->state, FormatState::kGood);
  }
}

}  // namespace
}  // namespace ashlar::db
