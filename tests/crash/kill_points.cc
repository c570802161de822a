#include "kill_points.h"

#include <cinttypes>
#include <cstdio>
#include <utility>

#include "lsm/manifest.h"
#include "lsm/manifest_store.h"

namespace ashlar::crash {
namespace {

constexpr std::array<const char*, kKillPointCount> kNames{
    "table-create",   "table-write",   "table-sync",      "table-names",    "manifest-create",
    "manifest-write", "manifest-sync", "manifest-rename", "manifest-names", "manifest-remove",
    "table-remove",   "log-release",   "segment-keep",    "values-create",  "values-write",
    "values-sync",    "values-remove"};

bool is_collected(std::string_view path) {
  return path.ends_with(".values");
}

bool is_table(std::string_view path) {
  return path.ends_with(".table");
}

bool is_unfinished_manifest(std::string_view path) {
  return path.ends_with(lsm::kUnfinishedManifest);
}

}  // namespace

std::string name_of(const NamedPoint& at) {
  constexpr std::array<const char*, 3> kJobs{"flush.", "compaction.", "collection."};
  return std::string(kJobs[static_cast<std::size_t>(at.job)]) +
         kNames[static_cast<std::size_t>(at.point)];
}

bool KillPointCounts::print(const char* campaign, std::uint64_t least) const {
  bool is_enough = true;
  for (const Job job : {Job::kFlush, Job::kCompaction, Job::kCollection}) {
    for (std::size_t i = 0; i < kKillPointCount; ++i) {
      const NamedPoint at{.job = job, .point = static_cast<KillPoint>(i)};
      if (!is_reached(at)) continue;
      const std::uint64_t count = of(at);
      std::printf("%s: point %-28s hit %8" PRIu64 " times%s\n", campaign, name_of(at).c_str(),
                  count, count < least ? ": TOO FEW" : "");
      is_enough = is_enough && count >= least;
    }
  }
  return is_enough;
}

void NamingDisk::note(KillPoint point) {
  const bool is_after_manifest = is_manifest_renamed_ && point >= KillPoint::kManifestNames;
  if (is_after_manifest) {
    if (job_) named_[next_call_()] = {.job = *job_, .point = point};
  } else {
    unnamed_[next_call_()] = point;
  }
}

/// A manifest with a new table in level 0 is that of a flush, one with another new table that of a
/// compaction, as is one where a table merely moves.
void NamingDisk::learn_job(std::string_view manifest) {
  const auto decoded = lsm::decode_manifest(manifest, "a manifest that is written");
  job_.reset();
  is_manifest_renamed_ = false;
  if (!decoded) return;
  std::set<std::uint64_t> tables;
  bool is_flush = false;
  for (const auto& [level, table] : decoded->tables) {
    tables.insert(table.number);
    is_flush = is_flush || (level == 0 && !tables_.contains(table.number));
  }
  const bool is_first = decoded->tables.empty() && tables_.empty();
  if (!is_first) {
    job_ = has_values_ ? Job::kCollection : is_flush ? Job::kFlush : Job::kCompaction;
  }
  has_values_ = false;
  tables_ = std::move(tables);
}

os::Disk::Handle NamingDisk::open(const std::string& path, os::OpenMode mode) {
  if (mode == os::OpenMode::kCreate) {
    if (is_table(path)) {
      is_manifest_renamed_ = false;
      note(KillPoint::kTableCreate);
    }
    if (is_collected(path)) {
      is_manifest_renamed_ = false;
      has_values_ = true;
      note(KillPoint::kValuesCreate);
    }
    if (is_unfinished_manifest(path)) {
      is_manifest_renamed_ = false;
      note(KillPoint::kManifestCreate);
    }
  }
  const Handle handle = ForwardingDisk::open(path, mode);
  if (handle >= 0) paths_[handle] = path;
  return handle;
}

ssize_t NamingDisk::write(Handle handle, const char* from, std::size_t bytes,
                          std::uint64_t offset) {
  const std::string& path = paths_[handle];
  if (is_table(path)) note(KillPoint::kTableWrite);
  if (is_collected(path)) note(KillPoint::kValuesWrite);
  if (is_unfinished_manifest(path)) {
    learn_job({from, bytes});
    note(KillPoint::kManifestWrite);
  }
  return ForwardingDisk::write(handle, from, bytes, offset);
}

int NamingDisk::sync(Handle handle) {
  const std::string& path = paths_[handle];
  if (is_table(path)) note(KillPoint::kTableSync);
  if (is_collected(path)) note(KillPoint::kValuesSync);
  if (is_unfinished_manifest(path)) note(KillPoint::kManifestSync);
  return ForwardingDisk::sync(handle);
}

int NamingDisk::rename(const std::string& from, const std::string& to) {
  if (is_unfinished_manifest(from)) {
    note(KillPoint::kManifestRename);
    if (job_) {
      for (const auto& [call, point] : unnamed_) named_[call] = {.job = *job_, .point = point};
    }
    unnamed_.clear();
    is_manifest_renamed_ = true;
  }
  const bool is_segment = from.find("/log/") != std::string::npos;
  if (is_segment && is_manifest_renamed_ && job_ == Job::kFlush) note(KillPoint::kLogRelease);
  return ForwardingDisk::rename(from, to);
}

int NamingDisk::remove(const std::string& path) {
  const bool is_segment = path.find("/log/") != std::string::npos;
  if (is_manifest_renamed_) {
    if (is_table(path) && job_ != Job::kFlush) note(KillPoint::kTableRemove);
    if (is_collected(path) || path.ends_with(".piece")) note(KillPoint::kValuesRemove);
    if (path.ends_with(".manifest")) note(KillPoint::kManifestRemove);
    if (is_segment && job_ == Job::kFlush) note(KillPoint::kLogRelease);
  }
  return ForwardingDisk::remove(path);
}

int NamingDisk::link(const std::string& from, const std::string& to) {
  if (is_manifest_renamed_ && job_ == Job::kFlush) note(KillPoint::kSegmentKeep);
  return ForwardingDisk::link(from, to);
}

int NamingDisk::sync_directory(const std::string& path) {
  if (path.ends_with("/values") && is_manifest_renamed_ && job_ == Job::kFlush) {
    note(KillPoint::kSegmentKeep);
  }
  if (path.ends_with("/tables")) {
    note(is_manifest_renamed_ ? KillPoint::kManifestNames : KillPoint::kTableNames);
  }
  return ForwardingDisk::sync_directory(path);
}

}  // namespace ashlar::crash
