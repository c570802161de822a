// Making segments ahead of what is written to them, and using old ones again.

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "log/local_log.h"

namespace ashlar::log {
namespace {

// Old segments that are kept to be used again: renaming one saves writing its bytes once more.
constexpr std::size_t kSparesMax = 2;

// A flush of at least this part of the ring is a long one, a megabyte as a rule. That the file
// system notes where it wrote takes as long as a hundred kilobytes or two.
constexpr std::size_t kLongFlushPart = 8;

}  // namespace

Position LocalLog::allocated_end(Room room) const noexcept {
  const auto& end = room == Room::kReserved ? allocated_end_ : ordinary_end_;
  return end.load(std::memory_order_acquire);
}

/// Makes segments until the log has room up to `end`.
Result<void> LocalLog::allocate_to(Position end, Room room) {
  if (end <= allocated_end(room)) return {};
  const base::MutexLock lock(making_mutex_);
  const bool is_first = allocated_end(Room::kReserved) == 0;
  if (room == Room::kOrdinary && !is_first) ASHLAR_TRY(restore_reserve_locked());
  while (end > allocated_end(room)) ASHLAR_TRY(add_segment_locked(room));
  return {};
}

/// Makes the next segment. The header is written last and durably, so that until then the file is
/// one in the making, which the next opening may throw away.
Result<void> LocalLog::add_segment_locked(Room room) {
  const SegmentHeader header = next_header();
  const std::string path = directory_ + "/" + segment_name(header.number);
  ASHLAR_TRY(find_file_locked(path, room));
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kDurable));
  ASHLAR_ASSERT(file != nullptr, "a segment that was made is there");
  // An aligned copy of the header.
  const auto memory = std::make_unique<char[]>(2 * os::kBlockBytes);
  void* aligned = memory.get();
  std::size_t space = 2 * os::kBlockBytes;
  std::align(os::kBlockBytes, os::kBlockBytes, aligned, space);
  encode_segment_header(header).copy(static_cast<char*>(aligned), os::kBlockBytes);
  ASHLAR_TRY(file->write(0, {static_cast<const char*>(aligned), os::kBlockBytes}));
  list({.header = header, .path = path, .file = std::move(file)});
  // Release: whoever sees the room finds the segment. Ordinary commits get it once the reserve is
  // there again (L8).
  allocated_end_.store(header.end(), std::memory_order_release);
  if (room == Room::kOrdinary) ordinary_end_.store(header.end(), std::memory_order_release);
  return {};
}

SegmentHeader LocalLog::next_header() const {
  SegmentHeader header{.log_id = log_id_, .number = 1, .log_bytes = options_.segment_bytes};
  const base::MutexLock lock(segments_mutex_);
  if (!segments_.empty()) {
    header.number = segments_.back()->header.number + 1;
    header.first = segments_.back()->header.end();
  }
  return header;
}

void LocalLog::list(Segment segment) {
  auto listed = std::make_unique<Segment>(std::move(segment));
  const base::MutexLock lock(segments_mutex_);
  segments_.push_back(std::move(listed));
}

/// Gets a file of the right length under `path`, durable with its name: a spare, a new one, or the
/// reserve.
Result<void> LocalLog::find_file_locked(const std::string& path, Room room) {
  if (!spares_.empty()) {
    ASHLAR_TRY(os::rename_file(disk_, spares_.front(), path));
    spares_.erase(spares_.begin());
    return os::sync_directory(disk_, directory_);
  }
  const Result<void> made = make_file_locked(path, next_space_locked());
  const bool is_full = !made && made.error().code() == ErrorCode::kOutOfSpace;
  if (!is_full || room != Room::kReserved || !has_reserve_) return made;
  ASHLAR_TRY(os::rename_file(disk_, reserve_path(), path));
  has_reserve_ = false;
  return os::sync_directory(disk_, directory_);
}

/// Where the log is filled by long writes, as by large values or without anyone who waits, zeros
/// written beforehand would be as many bytes once more and save little; and those segments are
/// often kept and not used again.
os::NewSpace LocalLog::next_space_locked() {
  const std::uint64_t all_count = flush_count_.load(std::memory_order_relaxed);
  const std::uint64_t all_bytes = flush_bytes_.load(std::memory_order_relaxed);
  const std::uint64_t count = all_count - std::exchange(made_at_count_, all_count);
  const std::uint64_t bytes = all_bytes - std::exchange(made_at_bytes_, all_bytes);
  return bytes > count * (options_.ring_bytes / kLongFlushPart) ? os::NewSpace::kSetAside
                                                                : os::NewSpace::kZeroed;
}

/// Makes a new file as long as a segment, which reads as zeros, with all its space and a durable
/// name.
Result<void> LocalLog::make_file_locked(const std::string& path, os::NewSpace space) {
  ASHLAR_TRY(os::remove_file(disk_, path));  // Left by an attempt that failed.
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kCreate));
  Result<void> made = file->allocate(segment_file_bytes(), space);
  if (made) made = file->sync();
  if (!made) {
    file.reset();
    (void)os::remove_file(disk_, path);  // The space goes back; the first error is the one to tell.
    return made;
  }
  return os::sync_directory(disk_, directory_);
}

/// Takes the reserve from the disk, if it is not there. With it ordinary commits may use all
/// segments again.
Result<void> LocalLog::restore_reserve_locked() {
  if (!has_reserve_) {
    if (spares_.empty()) {
      ASHLAR_TRY(make_file_locked(reserve_path(), os::NewSpace::kZeroed));
    } else {
      ASHLAR_TRY(os::rename_file(disk_, spares_.front(), reserve_path()));
      spares_.erase(spares_.begin());
      ASHLAR_TRY(os::sync_directory(disk_, directory_));
    }
    has_reserve_ = true;
  }
  ordinary_end_.store(allocated_end_.load(std::memory_order_relaxed), std::memory_order_release);
  return {};
}

/// Whoever takes the space that comes free is not known here: a checkpoint hopefully. Until the
/// reserve is back nothing ordinary gets another segment (L8).
Result<void> LocalLog::release_reserve() {
  const base::MutexLock lock(making_mutex_);
  if (!has_reserve_) return {};
  has_reserve_ = false;
  ASHLAR_TRY(os::remove_file(disk_, reserve_path()));
  return os::sync_directory(disk_, directory_);
}

/// Opens a segment that recovery has found for writing.
Result<void> LocalLog::adopt(const SegmentHeader& header) {
  const std::string path = directory_ + "/" + segment_name(header.number);
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, path, os::OpenMode::kDurable));
  if (file == nullptr) {
    return std::unexpected(Error(ErrorCode::kCorruption, path + ": has gone while it was read"));
  }
  const base::MutexLock lock(making_mutex_);
  list({.header = header, .path = path, .file = std::move(file)});
  allocated_end_.store(header.end(), std::memory_order_release);
  ordinary_end_.store(header.end(), std::memory_order_release);
  return {};
}

LocalLog::Segment* LocalLog::segment_of(Position position) noexcept {
  const base::MutexLock lock(segments_mutex_);
  for (const auto& segment : segments_) {
    if (position >= segment->header.first && position < segment->header.end()) {
      return segment.get();
    }
  }
  return nullptr;
}

class LocalLog::Hold {
 public:
  Hold(LocalLog& log, Position position) : log_(log) {
    const base::MutexLock lock(log_.segments_mutex_);
    held_ = log_.held_.insert(position);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    const base::MutexLock lock(log_.segments_mutex_);
    log_.held_.erase(held_);
  }

 private:
  LocalLog& log_;
  std::multiset<Position>::iterator held_;
};

/// The segments once more, through the page cache and in the names that they have now: nobody gives
/// any of them up meanwhile.
Result<SegmentSet> LocalLog::open_for_reading() {
  SegmentSet set;
  const base::MutexLock none_goes(making_mutex_);
  const base::MutexLock lock(segments_mutex_);
  for (const auto& segment : segments_) {
    ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk_, segment->path, os::OpenMode::kRead));
    if (file == nullptr) {
      return std::unexpected(Error(ErrorCode::kCorruption, segment->path + ": has gone"));
    }
    set.add({.header = segment->header, .file = std::move(file)});
  }
  return set;
}

Result<Start> LocalLog::read_from(Start start, const Visit& visit) {
  const Hold hold(*this, start.position);
  const Position end = durable_frame_end();
  ASHLAR_TRY_ASSIGN(const SegmentSet segments, open_for_reading());
  if (start.position < segments.first()) {
    return std::unexpected(Error(ErrorCode::kUnavailable, directory_ + ": the log begins at " +
                                                              std::to_string(segments.first()) +
                                                              ", what is before is gone"));
  }
  LogReader reader(segments, Tail{}, log_id_, start);
  while (reader.at().position < end) {
    ASHLAR_TRY_ASSIGN(const std::optional<Frame> frame, reader.next());
    if (!frame) {
      return std::unexpected(Error(
          ErrorCode::kCorruption,
          segments.place_of(reader.at().position) + ": no frame follows, though it was durable"));
    }
    if (frame->header.kind == FrameKind::kCommit) ASHLAR_TRY(visit(*frame));
  }
  return reader.at();
}

std::vector<LocalLog::PlacedSegment> LocalLog::segments() const {
  std::vector<PlacedSegment> placed;
  const base::MutexLock lock(segments_mutex_);
  for (const auto& segment : segments_) {
    placed.push_back({.header = segment->header, .path = segment->path});
  }
  return placed;
}

/// A segment stays in the list until the heir has answered, so that an error leaves everything as
/// it was. One that a reader has begun to hold meanwhile stays, too; the heir is asked again later.
Result<void> LocalLog::truncate_before(Position position) {
  const base::MutexLock lock(making_mutex_);
  while (const auto old = find_before(position)) {
    bool is_taken = false;
    if (options_.heir != nullptr) {
      ASHLAR_TRY_ASSIGN(is_taken, options_.heir->take(old->header, old->path));
    }
    if (unlist_before(position) == nullptr) return {};
    ASHLAR_TRY(let_go_locked(*old, is_taken));
  }
  return {};
}

/// Keeps the file of a segment that is listed no more to be used again, or lets its name go.
Result<void> LocalLog::let_go_locked(const PlacedSegment& segment, bool is_taken) {
  const bool is_regular = segment.header.log_bytes == options_.segment_bytes;
  if (is_taken) {
    ASHLAR_TRY(os::remove_file(disk_, segment.path));  // Only the name: L12.
  } else {
    // Spares lie directly before the first segment in use, so that no number is missing between.
    spares_.push_back(segment.path);
  }
  if (is_regular && !has_reserve_) ASHLAR_TRY(restore_reserve_locked());
  const std::size_t spares_max = is_regular ? kSparesMax : 0;
  while (spares_.size() > spares_max) {
    ASHLAR_TRY(os::remove_file(disk_, spares_.front()));
    spares_.erase(spares_.begin());
  }
  return {};
}

/// The first segment, when nobody needs it any more. Returns: nullptr when it holds what is flushed
/// again, the block at the end, or what somebody reads, or something at or behind `position`
const LocalLog::Segment* LocalLog::first_before(Position position) const noexcept {
  const Position flushed = flushed_.load(std::memory_order_acquire);
  Position keep = std::min(position, flushed / os::kBlockBytes * os::kBlockBytes);
  if (!held_.empty()) keep = std::min(keep, *held_.begin());
  if (segments_.size() <= 1 || segments_.front()->header.end() > keep) return nullptr;
  return segments_.front().get();
}

std::optional<LocalLog::PlacedSegment> LocalLog::find_before(Position position) const {
  const base::MutexLock lock(segments_mutex_);
  const Segment* const first = first_before(position);
  if (first == nullptr) return std::nullopt;
  return PlacedSegment{.header = first->header, .path = first->path};
}

/// Takes that segment from the list.
std::unique_ptr<LocalLog::Segment> LocalLog::unlist_before(Position position) {
  const base::MutexLock lock(segments_mutex_);
  if (first_before(position) == nullptr) return nullptr;
  std::unique_ptr<Segment> first = std::move(segments_.front());
  segments_.erase(segments_.begin());
  return first;
}

}  // namespace ashlar::log
