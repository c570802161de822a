#include "db/values/value_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/numbered_name.h"

namespace ashlar::db {
namespace {

constexpr std::string_view kSuffix = ".piece";

engine::ValuePiece piece_of(const log::SegmentHeader& header, bool is_kept) noexcept {
  return {.first = header.first, .end = header.end(), .is_kept = is_kept};
}

/// What the header of the file says, if it has a good one.
Result<std::optional<log::SegmentHeader>> read_header(const os::File& file) {
  std::string block(os::kBlockBytes, '\0');
  ASHLAR_TRY_ASSIGN(const std::size_t got, file.read_some(0, block));
  return log::decode_segment_header(std::string_view(block).substr(0, got));
}

}  // namespace

std::string kept_piece_name(log::Position first) {
  return base::numbered_name(first, kSuffix);
}

std::optional<log::Position> kept_piece_first(std::string_view name) {
  return base::number_in_name(name, kSuffix);
}

Result<std::unique_ptr<ValueStore>> ValueStore::open(os::Disk& disk, Folders folders) {
  std::unique_ptr<ValueStore> store(new ValueStore(disk, std::move(folders)));
  ASHLAR_TRY(os::make_directory(disk, store->folders_.values));
  ASHLAR_TRY(os::make_directory(disk, store->folders_.log));
  ASHLAR_TRY(store->find_kept());
  ASHLAR_TRY_ASSIGN(const std::vector<log::SegmentFile> segments,
                    log::list_segments(disk, store->folders_.log));
  for (const log::SegmentFile& segment : segments) {
    if (segment.header)
      store->found_.push_back({.header = *segment.header, .path = segment.file->path()});
  }
  return store;
}

/// One whose header is damaged is left where it is, and is not there for those who refer to it.
Result<void> ValueStore::find_kept() {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names,
                    os::list_directory(disk_, folders_.values));
  for (const std::string& name : names) {
    const auto first = kept_piece_first(name);
    if (!first) continue;
    ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, kept_path(*first), os::OpenMode::kReadHere));
    if (file == nullptr) continue;
    ASHLAR_TRY_ASSIGN(const auto header, read_header(*file));
    if (!header || header->first != *first) continue;
    const base::MutexLock lock(mutex_);
    files_[*first] = base::make_ref<PieceFile>(piece_of(*header, true), std::move(file));
  }
  return {};
}

Result<void> ValueStore::read(std::uint64_t position, std::span<char> to) const {
  if (log_ != nullptr && log_->try_read_unflushed(position, to)) return {};
  while (!to.empty()) {
    ASHLAR_TRY_ASSIGN(const FileRef file, file_at(position));
    const engine::ValuePiece& piece = file->piece;
    ASHLAR_ASSERT(position >= piece.first && position < piece.end, "J3: the file has the position");
    const std::size_t bytes = std::min<std::uint64_t>(to.size(), piece.end - position);
    ASHLAR_TRY(file->file->read(os::kBlockBytes + (position - piece.first), to.first(bytes)));
    to = to.subspan(bytes);
    position += bytes;
  }
  return {};
}

ValueStore::FileRef ValueStore::find_open(log::Position position) const {
  const base::MutexLock lock(mutex_);
  const auto behind = files_.upper_bound(position);
  if (behind == files_.begin()) return {};
  const FileRef& file = std::prev(behind)->second;
  return position < file->piece.end ? file : FileRef();
}

/// Those of the log. While it is replayed they are the ones that were found: what is replayed is
/// durable in them, and none is made or given up.
std::vector<log::LocalLog::PlacedSegment> ValueStore::segments() const {
  return log_ != nullptr ? log_->segments() : found_;
}

/// A segment is opened for reading when the first value is read from it. It may be on its way into
/// `values/` meanwhile: then it is looked for once more.
Result<ValueStore::FileRef> ValueStore::file_at(log::Position position) const {
  constexpr int kLookCountMax = 3;
  for (int look = 0; look < kLookCountMax; ++look) {
    if (FileRef file = find_open(position)) return file;
    for (const auto& [header, path] : segments()) {
      if (position < header.first || position >= header.end()) continue;
      ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kReadHere));
      if (file == nullptr) continue;
      const base::MutexLock lock(mutex_);
      FileRef opened = base::make_ref<PieceFile>(piece_of(header, false), std::move(file));
      // One that was kept in between is the same file, and counts.
      return files_.try_emplace(header.first, std::move(opened)).first->second;
    }
  }
  return std::unexpected(
      Error(ErrorCode::kCorruption, place_of(position) + ": the file with the value is missing"));
}

std::vector<engine::ValuePiece> ValueStore::pieces() const {
  std::map<log::Position, engine::ValuePiece> all;
  for (const auto& segment : segments()) {
    all[segment.header.first] = piece_of(segment.header, false);
  }
  {
    const base::MutexLock lock(mutex_);
    for (const auto& [first, file] : files_) {
      if (file->piece.is_kept) all[first] = file->piece;
    }
  }
  std::vector<engine::ValuePiece> pieces;
  for (const auto& [first, piece] : all) pieces.push_back(piece);
  return pieces;
}

std::string ValueStore::place_of(std::uint64_t position) const {
  const auto in_file = [position](const std::string& path, log::Position first) {
    return path + " at " + std::to_string(os::kBlockBytes + (position - first));
  };
  if (const FileRef file = find_open(position))
    return in_file(file->file->path(), file->piece.first);
  for (const auto& [header, path] : segments()) {
    if (position >= header.first && position < header.end()) return in_file(path, header.first);
  }
  // Whichever it was, a segment or what was kept of one.
  return folders_.log + ", " + in_file(kept_path(position), position);
}

/// The segment has all its bytes, durably, and nobody writes to it while this runs.
Result<bool> ValueStore::take(const log::SegmentHeader& header, const std::string& path) {
  const engine::ValuePiece piece = piece_of(header, true);
  {
    const base::MutexLock lock(mutex_);
    const auto found = files_.find(piece.first);
    // What has a name here was taken before: it is never used again, needed or not.
    if (found != files_.end() && found->second->piece.is_kept) return true;
  }
  ASHLAR_ASSERT(referrer_ != nullptr, "somebody knows what is needed before the log gives it up");
  if (!referrer_->refers_to(piece)) {
    const base::MutexLock lock(mutex_);
    files_.erase(piece.first);
    return false;
  }
  const std::string to = kept_path(piece.first);
  ASHLAR_TRY_ASSIGN(auto there, os::File::open(disk_, to, os::OpenMode::kRead));
  if (there == nullptr) {
    ASHLAR_TRY_ASSIGN(const bool is_linked, os::link_file(disk_, path, to));
    if (!is_linked) ASHLAR_TRY(os::rename_file(disk_, path, to));
  }
  ASHLAR_TRY(os::sync_directory(disk_, folders_.values));
  ASHLAR_TRY(keep(piece));
  return true;
}

Result<void> ValueStore::keep(const engine::ValuePiece& piece) {
  const std::string path = kept_path(piece.first);
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kReadHere));
  if (file == nullptr) {
    return std::unexpected(Error(ErrorCode::kCorruption, path + " at 0: the file is missing"));
  }
  const base::MutexLock lock(mutex_);
  files_[piece.first] = base::make_ref<PieceFile>(piece, std::move(file));
  return {};
}

Result<void> ValueStore::drop_unreferred() {
  ASHLAR_ASSERT(referrer_ != nullptr, "somebody knows what is needed before anything goes");
  std::vector<log::Position> unreferred;
  {
    const base::MutexLock lock(mutex_);
    for (const auto& [first, file] : files_) {
      if (file->piece.is_kept && !referrer_->refers_to(file->piece)) unreferred.push_back(first);
    }
    for (const log::Position first : unreferred) files_.erase(first);
  }
  // What an error leaves behind the next opening finds, and the next call then removes.
  for (const log::Position first : unreferred) {
    ASHLAR_TRY(os::remove_file(disk_, kept_path(first)));
  }
  return {};
}

}  // namespace ashlar::db
