#include "db/changes/commit_reader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"
#include "log/ring.h"

namespace ashlar::db {
namespace {

// The log may give up segments while they are looked through: then they are looked for once more.
constexpr int kLookCountMax = 3;

// So much is copied out of the log's memory at a time.
constexpr std::size_t kRecentBytes = std::size_t{64} << 10U;

// In nearly all segments a frame begins and ends; where not, those behind are looked into as well.
constexpr std::size_t kLookedIntoMax[] = {1, SegmentTrail::kOpenMax};

}  // namespace

CommitReader::CommitReader(os::Disk& disk, std::vector<std::string> folders)
    : disk_(disk), trail_(disk, std::move(folders)) {}

Result<log::Position> CommitReader::find_end(const std::string& log) {
  ASHLAR_TRY_ASSIGN(const log::RingImage ring, log::read_ring_marks(disk_, log + "/ring"));
  if (window_.empty()) {
    ASHLAR_TRY(trail_.refresh());
    if (trail_.numbers().empty()) return kNoEnd;
    ASHLAR_TRY_ASSIGN(window_, trail_.open_from(trail_.numbers().front()));
    number_ = trail_.numbers().front();
  }
  const log::Position durable = log_id() ? ring.durable(*log_id()) : 0;
  return durable != 0 ? durable : kNoEnd;
}

/// Where the first frame begins that begins in the segment `number` or behind it, before `end`.
Result<std::optional<log::Start>> CommitReader::begin_of(std::uint64_t number,
                                                         log::Position end) const {
  for (const std::size_t count_max : kLookedIntoMax) {
    ASHLAR_TRY_ASSIGN(const log::SegmentSet segments, trail_.open_from(number, count_max));
    if (segments.empty() || segments.first() >= end) return std::nullopt;
    const log::LogId log_id = segments.segments().front().header.log_id;
    log::LogReader reader(segments, log::Tail{}, log_id, log::Start{});
    ASHLAR_TRY_ASSIGN(const auto frame, reader.find_from(segments.first()));
    if (!frame) continue;
    if (frame->position >= end) return std::nullopt;
    return log::Start{.position = frame->position,
                      .chain = frame->header.chain,
                      .commit = frame->header.commit - 1};
  }
  return std::nullopt;
}

/// The oldest segments may go while they are looked for, and the newest may have no frame yet.
Result<std::uint64_t> CommitReader::find_oldest(log::Position end) {
  ASHLAR_TRY(trail_.refresh());
  for (const std::uint64_t number : trail_.numbers()) {
    ASHLAR_TRY_ASSIGN(const auto begin, begin_of(number, end));
    if (begin) return begin->commit + 1;
  }
  return std::unexpected(
      Error::of_literal(ErrorCode::kUnavailable, "no commit is kept in the log"));
}

/// The last segment that begins at or before the commit behind `after`; 0 without any. One without
/// a frame is taken to be newer than all others, since those that are made ahead are.
Result<std::uint64_t> CommitReader::number_before(std::uint64_t after, log::Position end) const {
  std::span<const std::uint64_t> left = trail_.numbers();
  std::uint64_t best = 0;
  while (!left.empty()) {
    const std::size_t middle = left.size() / 2;
    ASHLAR_TRY_ASSIGN(const auto begin, begin_of(left[middle], end));
    if (begin && begin->commit <= after) {
      best = left[middle];
      left = left.subspan(middle + 1);
    } else {
      left = left.first(middle);
    }
  }
  return best;
}

Result<void> CommitReader::seek(std::uint64_t after, log::Position end) {
  at_ = {.position = 0, .chain = 0, .commit = after};
  std::optional<log::Start> begin;
  std::uint64_t number = 0;
  for (int look = 0; look < kLookCountMax && !begin; ++look) {
    ASHLAR_TRY(trail_.refresh());
    ASHLAR_TRY_ASSIGN(number, number_before(after, end));
    if (number == 0) continue;
    ASHLAR_TRY_ASSIGN(begin, begin_of(number, end));
  }
  if (!begin) return std::unexpected(gone(end));
  at_ = *begin;
  ASHLAR_TRY(open_window(number, end));
  while (at_.commit < after && at_.position < end) {
    ASHLAR_TRY_ASSIGN(const auto frame, next_frame(end));
    if (!frame) return {};
    pass(*frame);
  }
  return {};
}

/// From the newest segment back, since that is where a log goes on.
Result<void> CommitReader::begin_at(log::Start start) {
  reader_.reset();
  at_ = start;
  ASHLAR_TRY(trail_.refresh());
  const std::span<const std::uint64_t> numbers = trail_.numbers();
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    ASHLAR_TRY_ASSIGN(window_, trail_.open_from(*number));
    number_ = *number;
    if (!window_.empty() && window_.first() <= start.position) return {};
  }
  return std::unexpected(gone(start.position));
}

Result<std::optional<log::Frame>> CommitReader::next(log::Position end) {
  while (true) {
    ASHLAR_TRY_ASSIGN(auto frame, next_of_any_kind(end));
    if (!frame || frame->header.kind == log::FrameKind::kCommit) return frame;
  }
}

Result<std::optional<log::Frame>> CommitReader::next_of_any_kind(log::Position end) {
  if (at_.position >= end) return std::nullopt;
  ASHLAR_TRY_ASSIGN(auto frame, next_frame(end));
  if (!frame) return std::nullopt;
  ASHLAR_ASSERT(frame->header.commit == at_.commit + 1, "J4: no commit is left out");
  pass(*frame);
  return frame;
}

std::optional<log::LogId> CommitReader::log_id() const noexcept {
  if (window_.empty()) return std::nullopt;
  return window_.segments().front().header.log_id;
}

/// Opens the segments from `number` on. Returns: whether what comes next is among them
Result<bool> CommitReader::open_window(std::uint64_t number, log::Position end) {
  reader_.reset();
  number_ = number;
  ASHLAR_TRY_ASSIGN(window_, trail_.open_from(number));
  return renew_reader(end);
}

/// Reads anew from where it is, since bytes behind the end before may have changed.
bool CommitReader::renew_reader(log::Position end) {
  reader_.reset();
  const bool is_inside =
      !window_.empty() && at_.position >= window_.first() && at_.position < window_.end();
  if (!is_inside) return false;
  const log::LogId log_id = window_.segments().front().header.log_id;
  reader_ = std::make_unique<log::LogReader>(window_, log::Tail{}, log_id, at_);
  known_end_ = end;
  return true;
}

/// The segment that the next frame begins in.
std::uint64_t CommitReader::number_at() const noexcept {
  for (const log::FoundSegment& segment : window_.segments()) {
    if (at_.position < segment.header.end()) return segment.header.number;
  }
  return number_ + window_.segments().size();
}

void CommitReader::pass(const log::Frame& frame) noexcept {
  at_ = {.position = frame.end(),
         .chain = log::chain_of(frame.checksum),
         .commit = frame.header.commit};
}

/// The next frame before `end`, of whatever kind. Who has begun to read files goes on with them up
/// to where they were known to go: to look into memory for each frame in vain would cost more.
Result<std::optional<log::Frame>> CommitReader::next_frame(log::Position end) {
  const bool is_in_files =
      reader_ != nullptr && reader_->at().position == at_.position && at_.position < known_end_;
  if (!is_in_files) {
    if (auto frame = next_in_memory(end)) return frame;
  }
  return next_in_files(end);
}

/// Where a frame proves valid, nothing has been written over it meanwhile.
std::optional<log::Frame> CommitReader::next_in_memory(log::Position end) {
  if (log_ == nullptr) return std::nullopt;
  const std::string_view bytes = recent(log::FrameHeader::kBytes, end);
  if (bytes.empty()) return std::nullopt;
  const auto header = log::plausible_header(bytes);
  if (!header || header->chain != at_.chain || header->commit != at_.commit + 1) {
    return std::nullopt;
  }
  return log::decode_frame(recent(header->frame_bytes(), end), at_.position, log_->id());
}

/// The next `bytes` bytes before `end`, out of memory; none where they are not there. As long as a
/// follower is near the end it copies much at a time.
std::string_view CommitReader::recent(std::size_t bytes, log::Position end) {
  const bool is_inside =
      at_.position >= recent_begin_ && at_.position + bytes <= recent_begin_ + recent_.size();
  if (!is_inside) {
    const std::uint64_t left = end - at_.position;
    if (bytes > left) return {};
    recent_.resize(std::min<std::uint64_t>(std::max(bytes, kRecentBytes), left));
    recent_begin_ = at_.position;
    if (!log_->try_read_recent(at_.position, recent_)) {
      recent_.clear();
      return {};
    }
  }
  return std::string_view(recent_).substr(at_.position - recent_begin_, bytes);
}

/// Where the segments at hand do not have it, those that are there now are asked: the log may have
/// gone on into others, or given some up; or what was read out of memory is far behind them.
Result<std::optional<log::Frame>> CommitReader::next_in_files(log::Position end) {
  const bool is_elsewhere = reader_ != nullptr && reader_->at().position != at_.position;
  if (is_elsewhere || at_.position >= known_end_) reader_.reset();
  if (reader_ != nullptr || renew_reader(end)) {
    ASHLAR_TRY_ASSIGN(auto frame, reader_->next());
    if (frame && frame->end() <= end) return frame;
  }
  bool is_there = false;
  if (window_.empty() || at_.position > window_.end()) {
    ASHLAR_TRY(begin_at(at_));
    is_there = renew_reader(end);
  } else {
    ASHLAR_TRY_ASSIGN(is_there, open_window(number_at(), end));
  }
  if (is_there) {
    ASHLAR_TRY_ASSIGN(auto frame, reader_->next());
    if (frame && frame->end() <= end) return frame;
  }
  if (end == kNoEnd) return std::nullopt;
  return std::unexpected(gone(end));
}

/// Why the frame that was looked for is not to be had.
Error CommitReader::gone(log::Position end) {
  const std::string wanted = std::to_string(at_.commit + 1);
  const Result<std::uint64_t> oldest = find_oldest(end);
  if (!oldest) return oldest.error();
  if (*oldest > at_.commit + 1) {
    return {ErrorCode::kUnavailable, "commit " + wanted +
                                         " is no longer kept in the log: the oldest that is there"
                                         " is " +
                                         std::to_string(*oldest)};
  }
  return {ErrorCode::kCorruption,
          window_.place_of(at_.position) + ": commit " + wanted + " was durable and is not there"};
}

}  // namespace ashlar::db
