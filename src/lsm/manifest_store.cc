#include "lsm/manifest_store.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "base/numbered_name.h"
#include "os/file.h"

namespace ashlar::lsm {
namespace {

constexpr std::string_view kManifestSuffix = ".manifest";

std::unexpected<Error> damaged(const std::string& path, const std::string& what) {
  return std::unexpected(Error(ErrorCode::kCorruption, path + " at 0: " + what));
}

}  // namespace

Result<Manifest> read_manifest(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return damaged(path, "the file is missing");
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  if (file_bytes > kManifestBytesMax) return damaged(path, "the file is too long for a manifest");
  std::string bytes(file_bytes, '\0');
  ASHLAR_TRY(file->read(0, bytes));
  return decode_manifest(bytes, path);
}

std::string manifest_name(std::uint64_t number) {
  ASHLAR_ASSERT(number > 0, "manifests are counted from 1");
  return base::numbered_name(number, kManifestSuffix);
}

std::optional<std::uint64_t> manifest_number(std::string_view name) {
  const auto number = base::number_in_name(name, kManifestSuffix);
  return number != 0U ? number : std::nullopt;
}

/// The newest is chosen by its name alone (V8). An earlier process may have ended after the rename
/// and before the sync of the directory: then a power cut could still bring the one before back,
/// after files that only it names are gone. So the directory is synced before anything is removed.
Result<std::optional<Manifest>> ManifestStore::open() {
  ASHLAR_ASSERT(newest_ == 0 && older_.empty(), "a store is opened once");
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, directory_));
  for (const std::string& name : names) {
    if (const auto number = manifest_number(name)) older_.push_back(*number);
  }
  std::optional<Manifest> newest;
  if (!older_.empty()) {
    const auto last = std::ranges::max_element(older_);
    ASHLAR_TRY_ASSIGN(newest, read_manifest(disk_, path_of(manifest_name(*last))));
    newest_ = *last;
    older_.erase(last);
    ASHLAR_TRY(os::sync_directory(disk_, directory_));
  }
  ASHLAR_TRY(os::remove_file(disk_, path_of(kUnfinishedManifest)));
  remove_older();
  return newest;
}

Result<void> ManifestStore::write_unfinished(const Manifest& manifest) {
  const std::string path = path_of(kUnfinishedManifest);
  ASHLAR_TRY(os::remove_file(disk_, path));
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk_, path, os::OpenMode::kCreate));
  ASHLAR_TRY(file->write(0, encode_manifest(manifest)));
  return file->sync();
}

/// The order of the steps is what V7 rests on. Up to the rename nothing has happened, and a second
/// attempt writes every byte anew, so that a failed sync is not relied on.
Result<void> ManifestStore::write(const Manifest& manifest) {
  if (!is_sure_) {
    return std::unexpected(
        Error(ErrorCode::kUnavailable,
              directory_ + ": after a failure only a new opening can tell which manifest counts"));
  }
  if (Result<void> written = write_unfinished(manifest); !written) {
    // It does not count; its space is given back, and if that fails too the next attempt does it.
    (void)os::remove_file(disk_, path_of(kUnfinishedManifest));
    return written;
  }
  is_sure_ = false;
  const std::string path = path_of(manifest_name(newest_ + 1));
  ASHLAR_TRY(os::rename_file(disk_, path_of(kUnfinishedManifest), path));
  ASHLAR_TRY(os::sync_directory(disk_, directory_));
  is_sure_ = true;
  if (newest_ > 0) older_.push_back(newest_);
  ++newest_;
  remove_older();
  return {};
}

/// Removes those before the newest. One that cannot be removed takes space and no more: the newest
/// counts, and the next write or opening tries again.
void ManifestStore::remove_older() {
  ASHLAR_ASSERT(is_sure_, "V7: nothing is removed before it is known which manifest counts");
  std::erase_if(older_, [this](std::uint64_t number) {
    ASHLAR_ASSERT(number < newest_, "V8: the newest manifest stays");
    return os::remove_file(disk_, path_of(manifest_name(number))).has_value();
  });
}

}  // namespace ashlar::lsm
