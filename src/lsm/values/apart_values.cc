#include "lsm/values/apart_values.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "os/file.h"

namespace ashlar::lsm {
namespace {

Error damage(const std::string& place, std::string_view what) {
  return {ErrorCode::kCorruption, place + ": " + std::string(what)};
}

}  // namespace

Result<void> ApartValues::open(std::uint64_t database_id) {
  database_id_ = database_id;
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk_, directory_));
  for (const std::string& name : names) {
    const auto number = collected_number(name);
    if (!number) continue;
    const std::uint64_t first = collected_position(*number, 0);
    const bool is_needed =
        *number <= kCollectedNumberMax && ledger_.refers_to({.first = first, .end = first + 1});
    if (is_needed) {
      ASHLAR_TRY(add(*number));
    } else {
      ASHLAR_TRY(os::remove_file(disk_, directory_ + "/" + name));
    }
  }
  return {};
}

Result<void> ApartValues::expect(std::span<const table::ValueShare> shares,
                                 const std::string& table) const {
  if (shares.empty()) return {};
  const std::vector<engine::ValuePiece> there = pieces();
  for (const table::ValueShare& share : shares) {
    const bool is_there =
        std::ranges::binary_search(there, share.first, {}, &engine::ValuePiece::first);
    if (is_there) continue;
    return std::unexpected(
        damage(place_of(share.first), "the file is missing, and " + table + " refers to it"));
  }
  return {};
}

Result<void> ApartValues::read(std::string_view reference, Value& to) const {
  const auto decoded = engine::decode_value_reference(reference);
  ASHLAR_ASSERT(decoded.has_value(), "a row that was proved has a reference");
  if (cached_ == nullptr) return read_proved(*decoded, {to.resize(decoded->bytes), decoded->bytes});
  return cached_->read(reference, *decoded, to,
                       [&](std::span<char> bytes) { return read_proved(*decoded, bytes); });
}

Result<void> ApartValues::read_from_disk(std::string_view reference, Value& to) const {
  const auto decoded = engine::decode_value_reference(reference);
  ASHLAR_ASSERT(decoded.has_value(), "a row that was proved has a reference");
  return read_proved(*decoded, {to.resize(decoded->bytes), decoded->bytes});
}

Result<void> ApartValues::read_proved(const engine::ValueReference& reference,
                                      std::span<char> to) const {
  ASHLAR_TRY(read_bytes(reference.position, to));
  const std::uint64_t hash = engine::value_hash({to.data(), to.size()});
  if (engine::value_checksum(hash, reference.position) == reference.checksum) [[likely]]
    return {};
  return std::unexpected(
      damage(place_of(reference.position), "the value that stands here is damaged"));
}

Result<void> ApartValues::read_bytes(std::uint64_t position, std::span<char> to) const {
  if (is_collected(position)) {
    const FileRef file = find(collected_number_of(position));
    if (!file) return std::unexpected(damage(place_of(position), "the file is missing"));
    return file->read(collected_offset_of(position), to);
  }
  if (log_ == nullptr) return std::unexpected(damage(place_of(position), "there is no such file"));
  return log_->read(position, to);
}

std::vector<engine::ValuePiece> ApartValues::pieces() const {
  std::vector<engine::ValuePiece> all;
  if (log_ != nullptr) all = log_->pieces();
  const base::MutexLock lock(mutex_);
  for (const auto& [number, file] : files_) all.push_back(file->piece());
  ASHLAR_DEBUG_ASSERT(std::ranges::is_sorted(all, {}, &engine::ValuePiece::first),
                      "positions of collected files are behind all of the log");
  return all;
}

Result<std::unique_ptr<CollectedWriter>> ApartValues::begin(std::uint64_t number) const {
  return CollectedWriter::create(disk_, path_of(number),
                                 {.database_id = database_id_, .number = number});
}

Result<void> ApartValues::add(std::uint64_t number) {
  ASHLAR_TRY_ASSIGN(
      FileRef file,
      CollectedFile::open(disk_, path_of(number), {.database_id = database_id_, .number = number}));
  const base::MutexLock lock(mutex_);
  files_[number] = std::move(file);
  return {};
}

void ApartValues::give_up(std::uint64_t number) {
  {
    const base::MutexLock lock(mutex_);
    files_.erase(number);
  }
  (void)os::remove_file(disk_, path_of(number));
}

Result<void> ApartValues::drop_unreferred() {
  std::vector<std::uint64_t> unreferred;
  {
    const base::MutexLock lock(mutex_);
    for (const auto& [number, file] : files_) {
      if (!ledger_.refers_to(file->piece())) unreferred.push_back(number);
    }
    for (const std::uint64_t number : unreferred) files_.erase(number);
  }
  // What is left behind by an error the next opening removes.
  for (const std::uint64_t number : unreferred) {
    ASHLAR_TRY(os::remove_file(disk_, path_of(number)));
  }
  if (log_ != nullptr) ASHLAR_TRY(log_->drop_unreferred());
  if (cached_ != nullptr) cached_->keep_only(pieces());
  return {};
}

std::string ApartValues::place_of(std::uint64_t position) const {
  if (is_collected(position)) {
    return path_of(collected_number_of(position)) + " at " +
           std::to_string(collected_offset_of(position));
  }
  return log_ != nullptr ? log_->place_of(position) : "position " + std::to_string(position);
}

ApartValues::FileRef ApartValues::find(std::uint64_t number) const {
  const base::MutexLock lock(mutex_);
  const auto found = files_.find(number);
  return found != files_.end() ? found->second : FileRef();
}

}  // namespace ashlar::lsm
