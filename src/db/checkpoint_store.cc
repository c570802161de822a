#include "db/checkpoint_store.h"

#include <algorithm>
#include <vector>

#include "base/assert.h"
#include "base/numbered_name.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kCheckpointSuffix = ".checkpoint";

}  // namespace

std::string checkpoint_name(std::uint64_t number) {
  ASHLAR_ASSERT(number > 0, "checkpoints are counted from 1");
  return base::numbered_name(number, kCheckpointSuffix);
}

std::optional<std::uint64_t> checkpoint_number(std::string_view name) {
  const auto number = base::number_in_name(name, kCheckpointSuffix);
  return number != 0U ? number : std::nullopt;
}

/// Chooses by name alone: whether the newest is sound is found out by `load`, and what is older
/// stays until then.
Result<void> CheckpointStore::open() {
  ASHLAR_TRY(os::make_directory(disk_, directory_));
  ASHLAR_TRY(os::remove_file(disk_, unfinished_path()));
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, directory_));
  for (const std::string& name : names) {
    if (const auto number = checkpoint_number(name)) newest_ = std::max(newest_, *number);
  }
  return {};
}

Result<std::optional<memory::CheckpointReport>> CheckpointStore::load(
    const std::function<Result<void>(std::string_view payload)>& visit) {
  if (newest_ == 0) return std::nullopt;
  ASHLAR_TRY_ASSIGN(const memory::CheckpointReport report,
                    memory::read_checkpoint(disk_, path_of(newest_), visit));
  ASHLAR_TRY(remove_older());
  return report;
}

/// Removes those before the newest, which has proved good. They are there when the process ended in
/// the midst of `install`; maybe before the newest name was durable, which it must be first (K4).
Result<void> CheckpointStore::remove_older() {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, directory_));
  bool is_synced = false;
  for (const std::string& name : names) {
    const auto number = checkpoint_number(name);
    if (!number || *number >= newest_) continue;
    if (!is_synced) ASHLAR_TRY(os::sync_directory(disk_, directory_));
    is_synced = true;
    ASHLAR_TRY(os::remove_file(disk_, path_of(*number)));
  }
  return {};
}

Result<std::unique_ptr<memory::CheckpointWriter>> CheckpointStore::begin(
    const engine::LogPlace& origin, std::int64_t moment_ms) {
  ASHLAR_TRY(os::remove_file(disk_, unfinished_path()));
  return memory::CheckpointWriter::create(disk_, unfinished_path(), origin, moment_ms);
}

/// Between the steps there may be two checkpoints, never none. The one before goes last, and its
/// removal need not be durable: the next opening finds the newer one.
Result<void> CheckpointStore::install() {
  ASHLAR_TRY(os::rename_file(disk_, unfinished_path(), path_of(newest_ + 1)));
  ASHLAR_TRY(os::sync_directory(disk_, directory_));
  ++newest_;
  ASHLAR_ASSERT(newest_ > 0, "a checkpoint that was installed counts");
  if (newest_ > 1) ASHLAR_TRY(os::remove_file(disk_, path_of(newest_ - 1)));
  return {};
}

std::string CheckpointStore::newest_path() const {
  ASHLAR_ASSERT(newest_ > 0, "there is a checkpoint");
  return path_of(newest_);
}

void CheckpointStore::give_up() {
  // It does not count, and the next attempt begins by removing it.
  (void)os::remove_file(disk_, unfinished_path());
}

}  // namespace ashlar::db
