// What a repair that was stopped relies on: the steps come back as they were written, or not at
// all, and taking them twice does no harm (I5).

#include "db/inspection/repair_steps.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "base/hash.h"
#include "db/format_file.h"
#include "db/inspection/damage_rig_test.h"

namespace ashlar::db {
namespace {

using Kind = RepairStep::Kind;

RepairSteps some_steps(Engine engine = Engine::kMemory) {
  const bool has_tables = engine == Engine::kDisk;
  return {.engine = engine,
          .list = {{.kind = Kind::kReplace, .name = "log/0000000003.log"},
                   {.kind = Kind::kReplace, .name = "log/ring"},
                   {.kind = Kind::kRemove,
                    .name = has_tables ? "tables/0000000002.manifest"
                                       : "checkpoint/0000000002.checkpoint"}}};
}

constexpr Engine kEngines[] = {Engine::kMemory, Engine::kDisk};

TEST(RepairSteps, ComeBackAsTheyWere) {
  for (const Engine engine : kEngines) {
    const RepairSteps steps = some_steps(engine);
    const auto decoded = decode_repair_steps(encode_repair_steps(steps));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->engine, engine);
    ASSERT_EQ(decoded->list.size(), steps.list.size());
    for (std::size_t i = 0; i < steps.list.size(); ++i) {
      EXPECT_EQ(decoded->list[i].kind, steps.list[i].kind);
      EXPECT_EQ(decoded->list[i].name, steps.list[i].name);
    }
  }
  EXPECT_TRUE(decode_repair_steps(encode_repair_steps({}))->list.empty());
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
  for (const char* name : {"../letter", "log/../../letter", "FORMAT", "log/", "letter.log",
                           "tables/0000000001.manifest"}) {
    EXPECT_DEATH(encode_repair_steps({.list = {{.kind = Kind::kRemove, .name = name}}}),
                 "what is ours");
  }
}

// A text with a right checksum is no proof either.
TEST(RepairSteps, OfOneEngineTouchNothingOfTheOther) {
  for (const Engine engine : kEngines) {
    const Engine other = engine == Engine::kDisk ? Engine::kMemory : Engine::kDisk;
    std::string text = encode_repair_steps(some_steps(engine));
    text.replace(0, repair_text(engine).size(), repair_text(other));
    text.resize(text.rfind("checksum "));
    char line[40];
    std::snprintf(line, sizeof(line), "checksum %016llx\n",
                  static_cast<unsigned long long>(base::hash_key(text, 0)));
    EXPECT_FALSE(decode_repair_steps(text + line).has_value());
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
    EXPECT_EQ(read_format(*rig.disk_, DamageRig::kPath)->text, kMemoryFormatText);
  }
}

TEST(RepairSteps, LeaveTheFormatOfTheirEngine) {
  DamageRig rig;
  rig.write(0, 10, -1, DamageRig::End::kClose);
  ASSERT_TRUE(os::make_directory(*rig.disk_, DamageRig::at("tables")).has_value());
  rig.create("tables/0000000002.manifest", "x");
  const RepairSteps steps = some_steps(Engine::kDisk);
  ASSERT_TRUE(run_repair_steps(*rig.disk_, DamageRig::kPath, steps).has_value());
  EXPECT_TRUE(os::list_directory(*rig.disk_, DamageRig::at("tables"))->empty());
  EXPECT_EQ(read_format(*rig.disk_, DamageRig::kPath)->text, kDiskFormatText);
}

}  // namespace
}  // namespace ashlar::db
