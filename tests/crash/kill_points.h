/// \file
/// The places inside flushes, compactions and the change of manifests at which a campaign stops a
/// database, by name, and how often it did.
///
/// The calls that reach the disk are what tells them apart: no source of the library knows of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "testing/forwarding_disk.h"

namespace ashlar::crash {

/// What a call to the disk is a step of.
enum class Job : std::uint8_t { kFlush, kCompaction, kCollection };

/// In the order in which they come.
enum class KillPoint : std::uint8_t {
  kTableCreate,
  kTableWrite,
  kTableSync,
  kTableNames,
  kManifestCreate,
  kManifestWrite,
  kManifestSync,
  kManifestRename,
  kManifestNames,
  kManifestRemove,  ///< Of those before it.
  kTableRemove,     ///< Of those that were merged; a flush has none.
  kLogRelease,      ///< A segment is let go of; only a flush does so.
  kSegmentKeep,     ///< Before that: it gets a name among those that are kept, durably.
  kValuesCreate,    ///< Of a file of collected values, as what follows.
  kValuesWrite,
  kValuesSync,
  kValuesRemove,  ///< Of what nobody refers to: that, or a segment that was kept.
};
inline constexpr std::size_t kKillPointCount = 17;

struct NamedPoint {
  Job job;
  KillPoint point;
};

/// "flush.table-sync"
std::string name_of(const NamedPoint& at);

/// Whether the job ever comes there.
constexpr bool is_reached(const NamedPoint& at) noexcept {
  switch (at.point) {
    case KillPoint::kTableRemove:
      return at.job != Job::kFlush;
    case KillPoint::kLogRelease:
    case KillPoint::kSegmentKeep:
      return at.job == Job::kFlush;
    case KillPoint::kValuesCreate:
    case KillPoint::kValuesWrite:
    case KillPoint::kValuesSync:
    case KillPoint::kValuesRemove:
      return at.job == Job::kCollection;
    default:
      return true;
  }
}

/// How often each point was hit.
class KillPointCounts {
 public:
  void add(const NamedPoint& at, std::uint64_t recovery_count) {
    hits_[{at.job, at.point}] += recovery_count;
  }
  std::uint64_t of(const NamedPoint& at) const {
    const auto found = hits_.find({at.job, at.point});
    return found == hits_.end() ? 0 : found->second;
  }

  /// Prints all. Returns: whether each was hit `least` times
  bool print(const char* campaign, std::uint64_t least) const;

 private:
  std::map<std::pair<Job, KillPoint>, std::uint64_t> hits_;
};

/// A disk that notes which of its calls are at a point. What a job is shows only when its manifest
/// is written, so its calls get their names then.
///
/// Threads: confined.
class NamingDisk final : public testing::ForwardingDisk {
 public:
  /// `next_call` tells the number that the next call to `below` has.
  NamingDisk(os::Disk& below, std::function<std::uint64_t()> next_call)
      : ForwardingDisk(below), next_call_(std::move(next_call)) {}

  Handle open(const std::string& path, os::OpenMode mode) override;
  ssize_t write(Handle handle, const char* from, std::size_t bytes, std::uint64_t offset) override;
  int sync(Handle handle) override;
  int rename(const std::string& from, const std::string& to) override;
  int remove(const std::string& path) override;
  int link(const std::string& from, const std::string& to) override;
  int sync_directory(const std::string& path) override;

  /// By the number of the call.
  const std::map<std::uint64_t, NamedPoint>& named() const noexcept { return named_; }

 private:
  void note(KillPoint point);
  void learn_job(std::string_view manifest);

  const std::function<std::uint64_t()> next_call_;
  std::map<Handle, std::string> paths_;
  std::map<std::uint64_t, NamedPoint> named_;
  std::map<std::uint64_t, KillPoint> unnamed_;  // Calls of the job at hand, by their numbers.
  std::set<std::uint64_t> tables_;              // Those of the manifest that counts.
  std::optional<Job> job_;  // Of the manifest that was written last; none of an opening.
  bool is_manifest_renamed_ = false;
  bool has_values_ = false;  // Values were collected since the manifest before.
};

}  // namespace ashlar::crash
