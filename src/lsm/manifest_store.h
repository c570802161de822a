/// \file
/// The manifests of a directory: which one counts, and how a new one takes its place.
///
/// A manifest is written under a name that does not count, made durable, and renamed, and the
/// directory is synced; those before are removed only after that. So at every moment the newest
/// name leads to a whole file. Tables that a manifest names are durable before it is written, and
/// are removed only when one without them is durable.
///
/// Invariants:
///   V7  Wherever the power goes away during a write, the next opening finds the manifest before or
///       the new one; once the write has returned, the new one.
///   V8  The newest manifest counts or the opening fails: no older one ever takes its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "lsm/manifest.h"
#include "os/disk.h"

namespace ashlar::lsm {

/// The name of a manifest: "0000000042.manifest".
std::string manifest_name(std::uint64_t number);

/// Returns: nullopt when `name` is not that of a manifest
std::optional<std::uint64_t> manifest_number(std::string_view name);

/// Reads the manifest `path`, whichever it is. What its name promises and the disk does not hold is
/// damage, not absence.
///
/// Errors: kCorruption  it is damaged: names `path` and the offset
///         kIo
Result<Manifest> read_manifest(os::Disk& disk, const std::string& path);

/// Of the one that is being written. It counts for nothing.
inline constexpr std::string_view kUnfinishedManifest = "unfinished-manifest";

/// Threads: externally synchronised.
class ManifestStore {
 public:
  /// Lifetime: `disk` must outlive it.
  ManifestStore(os::Disk& disk, std::string directory)
      : disk_(disk), directory_(std::move(directory)) {}

  /// Reads the newest manifest, makes sure that it stays the newest, and removes what earlier
  /// processes left. Called once, before all else.
  ///
  /// Returns: nullopt when there is none
  /// Errors:  kCorruption  the newest is damaged: names file and offset; nothing was removed
  ///          kIo
  Result<std::optional<Manifest>> open();

  /// Puts `manifest` in the place of the newest.
  ///
  /// Errors: kOutOfSpace, kIo  the one before counts as long as `is_sure`: then nothing has
  ///                           happened and the call may be repeated
  ///         kUnavailable      an earlier write left it open which one counts
  /// Cost:   writes it whole; two syncs
  Result<void> write(const Manifest& manifest);

  /// Whether it is known which manifest counts. Not so after a failure between the rename and the
  /// end of the directory's sync: the next opening may find either, so that no file which either
  /// names may be removed until then.
  bool is_sure() const noexcept { return is_sure_; }

 private:
  Result<void> write_unfinished(const Manifest& manifest);
  void remove_older();
  std::string path_of(std::string_view name) const { return directory_ + "/" + std::string(name); }

  os::Disk& disk_;
  const std::string directory_;
  std::uint64_t newest_ = 0;          // 0: there is none.
  std::vector<std::uint64_t> older_;  // What is still there of those before.
  bool is_sure_ = true;
};

}  // namespace ashlar::lsm
