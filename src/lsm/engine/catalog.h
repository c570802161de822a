/// \file
/// Which tables there are: for readers as part of the current state, for the next opening in the
/// manifest. Both change together, and nowhere else.
///
/// Invariants:
///   V30  A version is current only when a manifest that tells of it is durable.
///   V31  A table's file is given up only when a manifest without it is durable, and it is certain
///        which manifest counts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ashlar/result.h"
#include "base/thread_safety.h"
#include "engine/persistent_engine.h"
#include "lsm/manifest_store.h"
#include "lsm/states.h"
#include "lsm/table_store.h"

namespace ashlar::lsm {

/// Threads:  thread-safe.
/// Lifetime: what the world leads to must outlive it.
class Catalog {
 public:
  /// Opens the tables of `directory`, or begins there with none under `identity`. `first` is the
  /// memtable of the first state.
  ///
  /// Errors: kCorruption  the manifest or a table is damaged or missing: names the file; nothing
  ///                      was removed then
  ///         kOutOfSpace  the memory budget does not hold what tables keep in memory
  ///         kIo
  static Result<std::unique_ptr<Catalog>> open(const TableWorld& world,
                                               const std::string& directory,
                                               const TableStore::Identity& identity,
                                               MemtableRef first);

  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  States& states() noexcept { return *states_; }
  const States& states() const noexcept { return *states_; }
  TableStore& tables() noexcept { return *tables_; }
  const TableStore::Identity& identity() const noexcept { return tables_->identity(); }

  /// The oldest full memtable of the current state has become tables of level 0: `added`.
  ///
  /// Errors: those of ManifestStore::write; nothing has happened then, and the files of what was
  ///         added go as V31 allows
  Result<void> install_flush(const std::vector<base::Ref<const OpenTable>>& added,
                             const SharedMemtable& memtable);

  /// A compaction has done what `edit` says.
  ///
  /// Errors: as above
  Result<void> install(const VersionEdit& edit);

  /// Whether it is certain which manifest counts; if not, nothing that either names may go.
  bool is_sure() const;

  /// Holds the tables that the manifest names now (V37 of persistent_engine.h).
  std::unique_ptr<engine::HeldFiles> hold() const;

  /// Behind the last commit that is in tables.
  engine::LogPlace flushed_place() const;
  /// At least the sequence of every commit that is in tables.
  Sequence last_sequence() const;

 private:
  Catalog(os::Disk& disk, const std::string& directory) : manifests_(disk, directory) {}

  Result<void> load(const TableWorld& world, const std::string& directory,
                    const TableStore::Identity& identity, MemtableRef first);
  template <typename Change>
  Result<void> install_locked(const VersionEdit& edit, Manifest next, Change change)
      ASHLAR_REQUIRES(mutex_);

  mutable base::Mutex mutex_;  // Makes one change at a time. Taken before that of the states.
  ManifestStore manifests_ ASHLAR_GUARDED_BY(mutex_);
  Manifest newest_ ASHLAR_GUARDED_BY(mutex_);  // Without its tables: those are in the version.

  // Set by `load`.
  std::unique_ptr<TableStore> tables_;
  std::unique_ptr<States> states_;
};

}  // namespace ashlar::lsm
