/// \file
/// A disk that does not keep its promises: the planted bugs of the campaigns. What it does not pass
/// on looks as if the database had forgotten it, or did it too late.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>

#include "base/thread_safety.h"
#include "testing/forwarding_disk.h"

namespace ashlar::crash {

enum class Lie : std::uint8_t {
  kNone,
  kDurableWrites,     ///< Writes that should be durable when they return are not.
  kNames,             ///< Directories are never made durable.
  kSync,              ///< Files are not made durable by a sync.
  kRenameBeforeSync,  ///< A file that is synced becomes durable after its new name, not before.
  kLateCheckpoint,    ///< Checkpoints are not durable when the log before them is let go.
  kLateTables,        ///< Tables are not durable when the manifest that names them is.
  kLateManifest,      ///< Manifests are not durable when the log before them is let go.
  kRetry,             ///< A sync that failed is tried again, and trusted when that goes well.
};

/// The lies by the name of their bug, as `--plant` has it.
inline const std::map<std::string, Lie>& lies() {
  static const std::map<std::string, Lie> all = {
      {"durable-writes", Lie::kDurableWrites},
      {"names", Lie::kNames},
      {"sync", Lie::kSync},
      {"rename-before-sync", Lie::kRenameBeforeSync},
      {"late-checkpoint", Lie::kLateCheckpoint},
      {"late-tables", Lie::kLateTables},
      {"late-manifest", Lie::kLateManifest},
      {"retry-sync", Lie::kRetry},
  };
  return all;
}

/// Threads: thread-safe: the databases on it have threads of their own.
class LyingDisk final : public testing::ForwardingDisk {
 public:
  LyingDisk(os::Disk& below, Lie lie) noexcept : ForwardingDisk(below), lie_(lie) {}

  Handle open(const std::string& path, os::OpenMode mode) override {
    const bool is_weakened = lie_ == Lie::kDurableWrites && mode == os::OpenMode::kDurable;
    const Handle handle = ForwardingDisk::open(path, is_weakened ? os::OpenMode::kReadWrite : mode);
    const base::MutexLock lock(mutex_);
    if (handle >= 0) paths_[handle] = path;
    return handle;
  }

  int close(Handle handle) override {
    {
      const base::MutexLock lock(mutex_);
      if (put_off_.erase(handle) != 0) ForwardingDisk::sync(handle);
      paths_.erase(handle);  // Before somebody else may be given the number.
    }
    return ForwardingDisk::close(handle);
  }

  int sync(Handle handle) override {
    const std::string path = path_of(handle);
    if (lie_ == Lie::kSync) return 0;
    if (lie_ == Lie::kLateCheckpoint && path.ends_with("/unfinished")) return 0;
    if (lie_ == Lie::kLateTables && path.ends_with(".table")) return 0;
    if (lie_ == Lie::kLateManifest && path.ends_with("/unfinished-manifest")) return 0;
    if (lie_ == Lie::kRenameBeforeSync) {
      const base::MutexLock lock(mutex_);
      put_off_.insert(handle);
      return 0;
    }
    const int done = ForwardingDisk::sync(handle);
    return done < 0 && lie_ == Lie::kRetry ? ForwardingDisk::sync(handle) : done;
  }

  int sync_directory(const std::string& path) override {
    if (lie_ == Lie::kNames) return 0;
    if (lie_ == Lie::kLateCheckpoint && path.ends_with("/checkpoint")) return 0;
    // The first sync behind a rename is that of the manifest's name.
    const bool is_of_manifest = is_manifest_renamed_.exchange(false);
    if (lie_ == Lie::kLateManifest && is_of_manifest) return 0;
    const int done = ForwardingDisk::sync_directory(path);
    const base::MutexLock lock(mutex_);
    for (const Handle handle : put_off_) ForwardingDisk::sync(handle);
    put_off_.clear();
    return done;
  }

  int rename(const std::string& from, const std::string& to) override {
    is_manifest_renamed_ = to.ends_with(".manifest");
    return ForwardingDisk::rename(from, to);
  }

 private:
  std::string path_of(Handle handle) const {
    const base::MutexLock lock(mutex_);
    const auto found = paths_.find(handle);
    return found != paths_.end() ? found->second : std::string();
  }

  const Lie lie_;
  std::atomic<bool> is_manifest_renamed_ = false;
  mutable base::Mutex mutex_;
  std::map<Handle, std::string> paths_ ASHLAR_GUARDED_BY(mutex_);
  // Syncs that were answered and not yet made.
  std::set<Handle> put_off_ ASHLAR_GUARDED_BY(mutex_);
};

}  // namespace ashlar::crash
