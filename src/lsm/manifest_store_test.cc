// What a disk engine relies on: whatever befalls the machine or the disk during a write, the next
// opening finds the manifest before or the new one, whole, and a damaged one is never passed over.

#include "lsm/manifest_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "lsm/lsm_rig_test.h"
#include "os/faulty_disk.h"
#include "os/file.h"
#include "os/simulated_disk.h"
#include "testing/seed.h"

namespace ashlar::lsm {
namespace {

const std::string kDirectory = "/db";

constexpr os::PowerCut kAllCuts[] = {os::PowerCut::kKeepNothing, os::PowerCut::kKeepEverything,
                                     os::PowerCut::kKeepRandom, os::PowerCut::kTorn,
                                     os::PowerCut::kTorn4K};

/// A manifest that can be told by its last sequence, some sectors long.
Manifest manifest_of(std::uint64_t sequence) {
  Manifest manifest{.next_file_number = 100, .last_sequence = sequence};
  Version version;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const std::string key = std::to_string(10 + i);
    version = with(version, 1, info_of(i, {key + "a", key + std::string(100, 'b')}));
  }
  manifest.set_tables(version);
  return manifest;
}

/// A disk with the directory on it, durable.
std::unique_ptr<os::SimulatedDisk> empty_disk() {
  auto disk = std::make_unique<os::SimulatedDisk>();
  EXPECT_TRUE(os::make_directory(*disk, kDirectory).has_value());
  EXPECT_TRUE(os::sync_directory(*disk, "/").has_value());
  return disk;
}

/// A disk on which the manifests 1 to `count` were written one after the other.
std::unique_ptr<os::SimulatedDisk> disk_with(std::uint64_t count) {
  auto disk = empty_disk();
  ManifestStore store(*disk, kDirectory);
  EXPECT_TRUE(store.open().has_value());
  for (std::uint64_t i = 1; i <= count; ++i) EXPECT_TRUE(store.write(manifest_of(i)).has_value());
  return disk;
}

/// The sequence of the manifest that an opening finds, whole; 0 when there is none.
std::uint64_t found_on(os::Disk& disk) {
  ManifestStore store(disk, kDirectory);
  const auto found = store.open();
  EXPECT_TRUE(found.has_value()) << found.error().message();
  if (!found || !*found) return 0;
  EXPECT_EQ(**found, manifest_of((*found)->last_sequence));
  return (*found)->last_sequence;
}

/// Opens the store and writes `manifest`. Returns whether that was acknowledged.
bool open_and_write(os::Disk& disk, const Manifest& manifest) {
  ManifestStore store(disk, kDirectory);
  return store.open().has_value() && store.write(manifest).has_value();
}

TEST(ManifestName, IsTakenApartAsItIsMade) {
  EXPECT_EQ(manifest_name(42), "0000000042.manifest");
  EXPECT_EQ(manifest_number("0000000042.manifest"), 42U);
  EXPECT_EQ(manifest_number("0000000000.manifest"), std::nullopt);
  EXPECT_EQ(manifest_number(kUnfinishedManifest), std::nullopt);
}

TEST(ManifestStore, HasNoneAtFirst) {
  EXPECT_EQ(found_on(*empty_disk()), 0U);
}

TEST(ManifestStore, KeepsTheNewestOnly) {
  const auto disk = disk_with(3);
  EXPECT_EQ(found_on(*disk), 3U);
  EXPECT_EQ(os::list_directory(*disk, kDirectory)->size(), 1U);
}

// V7: the power goes away before every call of a write that follows another, in every way.
TEST(ManifestStore, IsWholeWhereverThePowerGoesAway) {
  const auto before = disk_with(1);
  const auto counting = before->clone();
  ASSERT_TRUE(open_and_write(*counting, manifest_of(2)));
  const std::uint64_t call_count = counting->call_count();
  ASSERT_GT(call_count, 8U);
  for (std::uint64_t call = 0; call <= call_count; ++call) {
    const auto stopped = before->clone();
    stopped->stop_before(call);
    const bool is_acknowledged = open_and_write(*stopped, manifest_of(2));
    for (const os::PowerCut cut : kAllCuts) {
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        const auto disk = stopped->clone();
        disk->cut_power(cut, testing::seed() + seed);
        const std::uint64_t found = found_on(*disk);
        ASSERT_TRUE(found == 2 || (found == 1 && !is_acknowledged)) << "call " << call;
        // What the opening has made of it stays, however the power goes away then.
        disk->cut_power(cut, testing::seed() + seed);
        ASSERT_EQ(found_on(*disk), found) << "call " << call;
      }
    }
  }
}

// V7: the process dies, the next one acts on what it finds, and then the power goes away: what it
// found must not turn into the one before.
TEST(ManifestStore, StaysWhatAnOpeningHasFound) {
  const auto before = disk_with(1);
  for (std::uint64_t call = 0; call < 16; ++call) {
    const auto stopped = before->clone();
    stopped->stop_before(call);
    (void)open_and_write(*stopped, manifest_of(2));
    stopped->crash_process();
    const std::uint64_t found = found_on(*stopped);
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      const auto disk = stopped->clone();
      disk->cut_power(os::PowerCut::kKeepRandom, testing::seed() + seed);
      ASSERT_EQ(found_on(*disk), found) << "call " << call;
      disk->check();
    }
  }
}

// V7: any call of a write fails. As long as it is sure which one counts that is the one before, and
// a second attempt succeeds; if it is not sure, it takes no more, and an opening finds one of both.
TEST(ManifestStore, KeepsTheOneBeforeWhenACallFails) {
  for (const os::Fault fault : {os::Fault::kEnospc, os::Fault::kEio}) {
    for (std::uint64_t nth = 0; nth < 10; ++nth) {
      const auto below = disk_with(1);
      os::FaultyDisk disk(*below);
      ManifestStore store(disk, kDirectory);
      ASSERT_TRUE(store.open().has_value());
      disk.fail(os::CallKind::kAny, disk.call_count(os::CallKind::kAny) + nth, fault,
                os::FaultSpan::kOnce);
      const Result<void> written = store.write(manifest_of(2));
      if (written) {
        EXPECT_TRUE(store.is_sure());
        EXPECT_EQ(found_on(*below->clone()), 2U) << "call " << nth;
      } else if (store.is_sure()) {
        EXPECT_EQ(found_on(*below->clone()), 1U) << "call " << nth;
        EXPECT_TRUE(store.write(manifest_of(3)).has_value()) << "call " << nth;
        EXPECT_EQ(found_on(*below->clone()), 3U) << "call " << nth;
      } else {
        EXPECT_EQ(store.write(manifest_of(3)).error().code(), ErrorCode::kUnavailable);
        const std::uint64_t found = found_on(*below->clone());
        EXPECT_TRUE(found == 1 || found == 2) << "call " << nth;
      }
    }
  }
}

// A disk that stays full: everything up to the rename may be tried for ever, and leaves no litter.
TEST(ManifestStore, GivesSpaceBackWhenTheDiskIsFull) {
  const auto below = disk_with(1);
  os::FaultyDisk disk(*below);
  ManifestStore store(disk, kDirectory);
  ASSERT_TRUE(store.open().has_value());
  disk.fail(os::CallKind::kWrite, disk.call_count(os::CallKind::kWrite), os::Fault::kEnospc,
            os::FaultSpan::kForEver);
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(store.write(manifest_of(2)).error().code(), ErrorCode::kOutOfSpace);
    EXPECT_TRUE(store.is_sure());
    EXPECT_EQ(os::list_directory(*below, kDirectory)->size(), 1U);
  }
  disk.heal();
  EXPECT_TRUE(store.write(manifest_of(2)).has_value());
  EXPECT_EQ(found_on(*below), 2U);
}

// V8: what an older one names may be gone, so it takes nobody's place. Nothing is removed: repair
// may need it.
TEST(ManifestStore, RefusesADamagedNewestBesideAnOlderOne) {
  const auto disk = disk_with(1);
  const std::string newer = kDirectory + "/" + manifest_name(2);
  {
    const auto file = os::File::open(*disk, newer, os::OpenMode::kCreate);
    std::string bytes = encode_manifest(manifest_of(2));
    bytes[100] = static_cast<char>(bytes[100] ^ 1);
    ASSERT_TRUE((*file)->write(0, bytes).has_value());
  }
  ManifestStore store(*disk, kDirectory);
  const auto found = store.open();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code(), ErrorCode::kCorruption);
  EXPECT_TRUE(found.error().message().starts_with(newer + " at ")) << found.error().message();
  EXPECT_EQ(os::list_directory(*disk, kDirectory)->size(), 2U);
}

// V8: one that was never whole, as no crash of ours leaves it.
TEST(ManifestStore, RefusesAnEmptyNewest) {
  const auto disk = disk_with(1);
  ASSERT_TRUE(os::File::open(*disk, kDirectory + "/" + manifest_name(2), os::OpenMode::kCreate)
                  .has_value());
  ManifestStore store(*disk, kDirectory);
  EXPECT_EQ(store.open().error().code(), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace ashlar::lsm
