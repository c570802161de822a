// What the tools promise of every byte and of every moment: no flipped byte is judged otherwise
// than opening judges it, and a repair may be stopped before any of its calls (I3, I4, I7).

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/numbered_name.h"
#include "db/format_file.h"
#include "db/inspection/damage_rig_test.h"
#include "db/inspection/repair.h"
#include "testing/random.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

// I3: whatever byte is flipped, what opens has the same rows as before and is sound when it is
// closed; and what is refused is told.
TEST(EveryByte, IsJudgedAsOpeningJudgesIt) {
  DamageRig rig;
  rig.write(0, 200, 100, DamageRig::End::kClose);
  const DamageRig::Rows expected = rig.rows();
  const auto sound = rig.disk_->clone();
  int healed_count = 0;
  for (const char* name : {"FORMAT", "checkpoint/0000000001.checkpoint", "log/0000000005.log",
                           "log/0000000006.log", "log/0000000007.log", "log/ring"}) {
    std::vector<std::string> there;
    rig.disk_ = sound->clone();
    const std::string path = DamageRig::at(name);
    ASSERT_EQ(rig.disk_->list(path.substr(0, path.find_last_of('/')), there), 0);
    if (std::ranges::find(there, path.substr(path.find_last_of('/') + 1)) == there.end()) continue;
    const std::uint64_t bytes = rig.disk_->read_all(path).size();
    for (std::uint64_t offset = 0; offset < bytes; offset += 1 + bytes / 40) {
      rig.disk_ = sound->clone();
      rig.flip(name, offset);
      const auto inspected = rig.inspect();
      const bool is_sound = inspected && inspected->report.is_sound();
      auto opened = rig.open();
      if (!opened) {
        EXPECT_FALSE(is_sound) << name << " at " << offset;
        continue;
      }
      EXPECT_EQ(DamageRig::rows_of(*opened), expected) << name << " at " << offset;
      healed_count += is_sound ? 0 : 1;
      ASSERT_TRUE(opened->close().has_value());
      {
        const Db gone = std::move(*opened);
      }  // Which lets go of the directory.
      const auto afterwards = rig.inspect();
      ASSERT_TRUE(afterwards.has_value()) << afterwards.error().message();
      EXPECT_TRUE(afterwards->report.is_sound()) << name << " at " << offset;
    }
  }
  EXPECT_GT(healed_count, 0) << "the ring of a log that was closed has its last frames too";
}

/// Damages of several kinds, to be repaired on any disk.
struct Case {
  const char* name;
  std::function<void(DamageRig&, std::uint64_t last_segment)> damage;
};

class RepairStopTest : public ::testing::TestWithParam<Case> {
 protected:
  // 100 rows in a checkpoint, 100 behind it.
  void SetUp() override { rig_.write(0, 200, 100, DamageRig::End::kClose); }

  static Result<RepairOutcome> repair(os::Disk& disk) {
    return db::repair(disk, DamageRig::kPath, RepairMode::kApply, 99);
  }

  /// What counts in the directory: segments, ring and checkpoints, by name and content.
  static DamageRig::Rows files_of(os::SimulatedDisk& disk) {
    DamageRig::Rows files;
    for (const char* folder : {"log", "checkpoint"}) {
      const std::string path = DamageRig::at(folder);
      std::vector<std::string> names;
      if (disk.list(path, names) != 0) continue;
      for (const std::string& name : names) {
        if (name.ends_with(kRepairedSuffix)) continue;
        files[path + "/" + name] = disk.read_all(path + "/" + name);
      }
    }
    return files;
  }

  /// Expects every directory with a number that a repair has put aside to be complete.
  static void expect_whole_asides(os::SimulatedDisk& disk) {
    const auto names = os::list_directory(disk, DamageRig::kPath);
    for (const std::string& name : *names) {
      if (!base::number_in_name(name, kAsideSuffix)) continue;
      const auto inside = os::list_directory(disk, DamageRig::at(name));
      ASSERT_TRUE(std::ranges::find(*inside, "REPORT") != inside->end()) << name;
      EXPECT_FALSE(disk.read_all(DamageRig::at(name + "/REPORT")).empty()) << name;
    }
  }

  DamageRig rig_;
};

// I7: stopped before each of its calls, with any kind of power cut, repair leaves what refuses to
// open; run again, it ends where it would have ended.
TEST_P(RepairStopTest, EndsTheSameWhereverItIsStopped) {
  GetParam().damage(rig_, rig_.inspect()->report.log.last_segment);
  const auto damaged = rig_.disk_->clone();
  const DamageRig::Rows before = files_of(*rig_.disk_);
  ASSERT_TRUE(repair(*rig_.disk_).has_value());
  const DamageRig::Rows expected = rig_.rows();
  constexpr os::PowerCut kCuts[] = {os::PowerCut::kKeepNothing, os::PowerCut::kKeepEverything,
                                    os::PowerCut::kKeepRandom, os::PowerCut::kTorn};
  testing::Random random(testing::seed());
  bool is_done = false;
  int refused_count = 0;
  for (std::uint64_t call = 0; !is_done; ++call) {
    rig_.disk_ = damaged->clone();
    rig_.disk_->stop_before(call);
    is_done = repair(*rig_.disk_).has_value();
    {
      const auto left = rig_.disk_->clone();
      if (files_of(*left) != before && !DamageRig::inspect(*left)->report.is_sound()) {
        ASSERT_EQ(read_format(*left, DamageRig::kPath)->state, FormatState::kUnderRepair)
            << "I4, before " << call;
      }
    }
    rig_.disk_->cut_power(kCuts[call % std::size(kCuts)], random.next());
    const auto stopped = rig_.disk_->clone();
    expect_whole_asides(*stopped);
    if (auto opened = rig_.open()) {
      ASSERT_EQ(DamageRig::rows_of(*opened), expected) << "opened after a stop before " << call;
    } else {
      ++refused_count;
    }
    rig_.disk_ = stopped->clone();
    const auto again = repair(*rig_.disk_);
    ASSERT_TRUE(again.has_value()) << "before " << call << ": " << again.error().message();
    ASSERT_TRUE(rig_.inspect()->report.is_sound()) << "before " << call;
    ASSERT_EQ(rig_.rows(), expected) << "before " << call;
    expect_whole_asides(*rig_.disk_);
    const auto names = os::list_directory(*rig_.disk_, DamageRig::kPath);
    ASSERT_EQ(std::ranges::find(*names, kUnfinishedAsideName), names->end()) << "before " << call;
  }
  EXPECT_GT(refused_count, 20);
}

INSTANTIATE_TEST_SUITE_P(, RepairStopTest,
                         ::testing::Values(Case{"frame",
                                                [](DamageRig& rig, std::uint64_t last) {
                                                  rig.flip("log/" + log::segment_name(last - 1),
                                                           4096 + 9000);
                                                }},
                                           Case{"missing",
                                                [](DamageRig& rig, std::uint64_t last) {
                                                  rig.remove("log/" + log::segment_name(last - 1));
                                                }},
                                           Case{"checkpoint",
                                                [](DamageRig& rig, std::uint64_t) {
                                                  rig.flip("checkpoint/0000000001.checkpoint", 70);
                                                }},
                                           Case{"all",
                                                [](DamageRig& rig, std::uint64_t last) {
                                                  rig.flip("checkpoint/0000000001.checkpoint", 20);
                                                  rig.flip("FORMAT", 5);
                                                  rig.flip("log/" + log::segment_name(last), 40);
                                                }}),
                         [](const ::testing::TestParamInfo<Case>& kind) {
                           return kind.param.name;
                         });

/// Damages up to three files in random ways. Returns: what was done, for messages
std::string damage_at_random(DamageRig& rig, testing::Random& random) {
  std::vector<std::string> names{"FORMAT"};
  for (const char* folder : {"log", "checkpoint"}) {
    std::vector<std::string> found;
    EXPECT_EQ(rig.disk_->list(DamageRig::at(folder), found), 0);
    std::ranges::sort(found);
    for (const std::string& name : found) names.push_back(std::string(folder) + "/" + name);
  }
  std::string done;
  for (std::uint64_t count = random.between(1, 3); count > 0 && !names.empty(); --count) {
    const std::size_t chosen = random.below(names.size());
    const std::string name = names[chosen];
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(chosen));
    const std::uint64_t bytes = rig.disk_->read_all(DamageRig::at(name)).size();
    const std::uint64_t offset = bytes == 0 ? 0 : random.below(bytes);
    done += name + " at " + std::to_string(offset);
    switch (random.below(4)) {
      case 0:
        rig.remove(name);
        done += " removed; ";
        break;
      case 1:
        rig.truncate(name, offset);
        done += " cut; ";
        break;
      case 2:
        rig.disk_->overwrite(DamageRig::at(name), offset,
                             random.bytes(std::min<std::uint64_t>(bytes - offset, 3000)));
        done += " overwritten; ";
        break;
      default:
        if (bytes > 0) rig.flip(name, offset);
        done += " flipped; ";
    }
  }
  return done;
}

// I3, I6, I8: whatever is damaged, repair ends in what is sound and opens; each row there was
// written as it is, and repair has no more to do.
TEST(RandomDamage, IsRepairedToWhatWasWritten) {
  testing::Random random(testing::seed());
  DamageRig rig;
  rig.write(0, 200, 100, DamageRig::End::kClose);
  const auto sound = rig.disk_->clone();
  const DamageRig::Rows written = DamageRig::rows_up_to(200);
  int repaired_count = 0;
  for (int round = 0; round < 150; ++round) {
    rig.disk_ = sound->clone();
    const std::string done = damage_at_random(rig, random);
    const auto inspected = rig.inspect();
    if (!inspected) {
      EXPECT_EQ(inspected.error().code(), ErrorCode::kInvalidArgument) << done;
      continue;
    }
    const bool was_sound = inspected->report.is_sound();
    const auto outcome = repair(*rig.disk_, DamageRig::kPath, RepairMode::kApply, 99);
    ASSERT_TRUE(outcome.has_value()) << done << outcome.error().message();
    EXPECT_EQ(outcome->moved.empty() && outcome->losses.empty() && was_sound, was_sound) << done;
    ASSERT_TRUE(rig.inspect()->report.is_sound()) << done;
    for (const auto& [key, value] : rig.rows()) {
      ASSERT_EQ(written.at(key), value) << done;
    }
    repaired_count += was_sound ? 0 : 1;
  }
  EXPECT_GT(repaired_count, 50);
}

}  // namespace
}  // namespace ashlar::db
