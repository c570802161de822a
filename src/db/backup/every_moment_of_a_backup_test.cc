// What a backup promises of every moment: wherever the machine stops, or whichever call of the disk
// fails, the directory holds the backup before or the new one, whole (K6); and the database goes
// on.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "db/backup/backup_rig_test.h"
#include "os/faulty_disk.h"
#include "testing/forwarding_disk.h"
#include "testing/seed.h"

namespace ashlar::db {
namespace {

constexpr os::PowerCut kAllCuts[] = {os::PowerCut::kKeepNothing, os::PowerCut::kKeepEverything,
                                     os::PowerCut::kKeepRandom, os::PowerCut::kTorn};

/// Copies in the place of links: the longer way.
class WithoutLinks final : public testing::ForwardingDisk {
 public:
  using ForwardingDisk::ForwardingDisk;
  int link(const std::string& /*from*/, const std::string& /*to*/) override { return -EPERM; }
};

class EveryMomentOfABackup : public OfBothEngines {
 protected:
  static constexpr int kFirst = 60;
  static constexpr int kSecond = 120;

  /// A database that was backed up with `kFirst` rows and has `kSecond`.
  void SetUp() override {
    Db db = open();
    put(db, 0, kFirst);
    first_ = rows_of(db);
    ASSERT_TRUE(db.backup(kCopy).has_value());
    put(db, kFirst, kSecond);
    for (int i = 1; i < kFirst; i += 3) ASSERT_TRUE(db.erase(key(i)).value());
    second_ = rows_of(db);
    ASSERT_TRUE(db.close().has_value());
  }

  /// Opens the database and backs it up, stopped before the given call of the backup. Returns
  /// whether it was acknowledged
  bool back_up_until(os::SimulatedDisk& disk, os::Disk& seen, std::uint64_t call) {
    auto db = try_open(seen);
    EXPECT_TRUE(db.has_value()) << db.error().message();
    if (!db) return false;
    disk.stop_before(disk.call_count() + call);
    const bool is_done = db->backup(kCopy).has_value();
    was_stopped_ = disk.has_stopped();
    return is_done;
  }

  void expect_first_or_second(os::SimulatedDisk& disk, bool is_acknowledged) const {
    const BackedUpRows rows = restored_rows(disk);
    EXPECT_TRUE(rows == second_ || (rows == first_ && !is_acknowledged)) << rows.size() << " rows";
  }

  void stop_everywhere(bool has_links) {
    was_stopped_ = true;
    for (std::uint64_t call = 0; was_stopped_; ++call) {
      SCOPED_TRACE("call " + std::to_string(call));
      const auto stopped = disk_->clone();
      WithoutLinks without_links(*stopped);
      os::Disk& seen = has_links ? static_cast<os::Disk&>(*stopped) : without_links;
      const bool is_acknowledged = back_up_until(*stopped, seen, call);
      for (const os::PowerCut cut : kAllCuts) {
        const auto disk = stopped->clone();
        disk->cut_power(cut, testing::seed() + call);
        expect_first_or_second(*disk, is_acknowledged);
        if (cut != os::PowerCut::kKeepRandom) continue;
        // The database itself is what it was, and the next backup goes on from whatever is there.
        auto db = try_open(*disk);
        ASSERT_TRUE(db.has_value()) << db.error().message();
        EXPECT_EQ(rows_of(*db), second_);
        const auto next = db->backup(kCopy);
        ASSERT_TRUE(next.has_value()) << next.error().message();
        EXPECT_TRUE(verify_backup(*disk, kCopy, {})->is_sound());
      }
      if (HasFailure()) return;
      ASSERT_LT(call, 2'000U);
    }
  }

  BackedUpRows first_;
  BackedUpRows second_;
  bool was_stopped_ = false;
};

TEST_P(EveryMomentOfABackup, LeavesOneOfTwoThatIsWhole) {
  stop_everywhere(true);
}

TEST_P(EveryMomentOfABackup, LeavesOneOfTwoThatIsWholeWithoutLinks) {
  stop_everywhere(false);
}

TEST_P(EveryMomentOfABackup, LeavesOneOfTwoWhenACallFails) {
  for (const os::Fault fault : {os::Fault::kEio, os::Fault::kEnospc}) {
    bool has_failed = true;
    for (std::uint64_t nth = 0; has_failed; ++nth) {
      SCOPED_TRACE("call " + std::to_string(nth));
      const auto below = disk_->clone();
      os::FaultyDisk disk(*below);
      auto db = try_open(disk);
      ASSERT_TRUE(db.has_value());
      const std::uint64_t first = disk.call_count(os::CallKind::kAny);
      disk.fail(os::CallKind::kAny, first + nth, fault, os::FaultSpan::kOnce);
      const bool is_acknowledged = db->backup(kCopy).has_value();
      has_failed = disk.call_count(os::CallKind::kAny) > first + nth;
      disk.heal();
      expect_first_or_second(*below->clone(), is_acknowledged);
      EXPECT_EQ(rows_of(*db), second_);
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, EveryMomentOfABackup, ::testing::Values(Engine::kMemory, Engine::kDisk),
                         name_of_engine);

}  // namespace
}  // namespace ashlar::db
