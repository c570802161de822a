#include "db/checkpoint_store.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/assert.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kSuffix = ".checkpoint";
constexpr std::size_t kNumberDigits = 10;

std::optional<std::uint64_t> number_of(std::string_view name) noexcept {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  return is_number && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string CheckpointStore::path_of(std::uint64_t number) const {
  std::string digits = std::to_string(number);
  if (digits.size() < kNumberDigits) digits.insert(0, kNumberDigits - digits.size(), '0');
  return directory_ + "/" + digits.append(kSuffix);
}

Result<void> CheckpointStore::open() {
  ASHLAR_TRY(os::make_directory(disk_, directory_));
  ASHLAR_TRY(os::remove_file(disk_, unfinished_path()));
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, directory_));
  for (const std::string& name : names) {
    if (const auto number = number_of(name)) newest_ = std::max(newest_, *number);
  }
  // Older ones are there when the process ended between the last two steps of `install`.
  for (const std::string& name : names) {
    const auto number = number_of(name);
    if (number && *number < newest_) {
      ASHLAR_TRY(os::remove_file(disk_, path_of(*number)));
    }
  }
  return {};
}

Result<std::optional<memory::CheckpointReport>> CheckpointStore::load(
    const std::function<Result<void>(std::string_view payload)>& visit) {
  if (newest_ == 0) return std::nullopt;
  return memory::read_checkpoint(disk_, path_of(newest_), visit);
}

Result<std::unique_ptr<memory::CheckpointWriter>> CheckpointStore::begin(
    const memory::LogPlace& origin, std::int64_t moment_ms) {
  ASHLAR_TRY(os::remove_file(disk_, unfinished_path()));
  return memory::CheckpointWriter::create(disk_, unfinished_path(), origin, moment_ms);
}

Result<void> CheckpointStore::install() {
  ASHLAR_TRY(os::rename_file(disk_, unfinished_path(), path_of(newest_ + 1)));
  ASHLAR_TRY(os::sync_directory(disk_, directory_));
  ++newest_;
  ASHLAR_ASSERT(newest_ > 0, "a checkpoint that was installed counts");
  if (newest_ > 1) ASHLAR_TRY(os::remove_file(disk_, path_of(newest_ - 1)));
  return {};
}

void CheckpointStore::give_up() {
  // It does not count, and the next attempt begins by removing it.
  (void)os::remove_file(disk_, unfinished_path());
}

}  // namespace ashlar::db
