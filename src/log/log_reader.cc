// Where a frame lies twice, in a segment and in the ring, the segment is asked first: it is what a
// power cut leaves. The ring helps out when the segment has it damaged or not at all.

#include "log/log_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.h"

namespace ashlar::log {
namespace {

// So much is read at a time; more only for a longer frame. The processor's second cache holds it.
constexpr std::size_t kWindowBytes = std::size_t{256} << 10U;

/// From `from` on, an offset before which no header of a frame begins, since all is zeros there.
std::size_t skip_zeros(std::string_view bytes, std::size_t from) noexcept {
  static constexpr std::array<char, 512> kZeros = {};
  constexpr std::size_t kStep = kZeros.size() - FrameHeader::kBytes + 8;  // To the first one cut.
  static_assert(kStep % 8 == 0, "frames begin at multiples of 8");
  while (from + kZeros.size() <= bytes.size() &&
         std::memcmp(bytes.data() + from, kZeros.data(), kZeros.size()) == 0) {
    from += kStep;
  }
  return from;
}

}  // namespace

LogReader::LogReader(const SegmentSet& segments, Tail tail, LogId log_id, Start start)
    : segments_(segments),
      tail_(tail),
      log_id_(log_id),
      at_(start),
      segments_end_(start.position) {}

/// Up to `bytes` bytes of the segments from `position` on; fewer where they end.
Result<std::string_view> LogReader::view(Position position, std::size_t bytes) {
  if (segments_.empty() || position < segments_.first() || position >= segments_.end()) {
    return std::string_view();
  }
  const bool is_inside =
      position >= window_begin_ && position + bytes <= window_begin_ + window_.size();
  if (!is_inside) {
    // Bounded by what there is: a length that was read from a damaged header allocates no more.
    const std::uint64_t left = segments_.end() - position;
    window_.resize(std::min<std::uint64_t>(std::max(bytes, kWindowBytes), left));
    window_begin_ = position;
    ASHLAR_TRY_ASSIGN(const std::size_t got, segments_.read(position, window_));
    window_.resize(got);
  }
  return std::string_view(window_).substr(position - window_begin_, bytes);
}

Result<std::optional<Frame>> LogReader::frame_in_segments(Position position) {
  ASHLAR_TRY_ASSIGN(const std::string_view header, view(position, FrameHeader::kBytes));
  if (header.size() < FrameHeader::kBytes) return std::nullopt;
  const auto plausible = plausible_header(header);
  if (!plausible) return std::nullopt;
  ASHLAR_TRY_ASSIGN(const std::string_view bytes, view(position, plausible->frame_bytes()));
  return decode_frame(bytes, position, log_id_);
}

std::string_view LogReader::ring_bytes(Position position, std::size_t bytes) {
  const std::size_t ring = tail_.ring.size();
  bytes = std::min(bytes, ring);
  unrolled_.clear();
  const std::size_t begin = position % ring;
  const std::size_t first = std::min(bytes, ring - begin);
  unrolled_.append(tail_.ring.substr(begin, first)).append(tail_.ring.substr(0, bytes - first));
  return unrolled_;
}

std::optional<Frame> LogReader::frame_in_ring(Position position, Sought sought) {
  if (tail_.ring.size() < FrameHeader::kBytes) return std::nullopt;
  // Eight bytes that begin at a multiple of eight are never split: a quick look at the kind.
  const char* const kind = tail_.ring.data() + (position + 16) % tail_.ring.size() + 4;
  if (*kind == 0) return std::nullopt;
  const auto header = plausible_header(ring_bytes(position, FrameHeader::kBytes));
  if (!header || !is_sought(*header, position, sought)) return std::nullopt;
  if (header->frame_bytes() > tail_.ring.size()) return std::nullopt;
  return decode_frame(ring_bytes(position, header->frame_bytes()), position, log_id_);
}

/// A valid frame is not enough: it must name the one before as its own (L2), or it is one from an
/// earlier end of the log, which was torn and written over.
Result<std::optional<Frame>> LogReader::next() {
  const auto follows = [this](const std::optional<Frame>& frame) {
    return frame && frame->header.chain == at_.chain && frame->header.commit == at_.commit + 1;
  };
  std::optional<Frame> frame;
  if (segments_end_ == at_.position) {
    ASHLAR_TRY_ASSIGN(frame, frame_in_segments(at_.position));
    if (follows(frame)) segments_end_ = frame->end();
  }
  if (!follows(frame)) frame = frame_in_ring(at_.position, Sought::kLaterCommits);
  if (!follows(frame)) return std::nullopt;
  at_ = {
      .position = frame->end(), .chain = chain_of(frame->checksum), .commit = frame->header.commit};
  is_closed_ = frame->header.kind == FrameKind::kClose;
  return frame;
}

/// What is at hand of the segments from `position` on: a header at least, unless they end.
Result<std::string_view> LogReader::rest_of_window(Position position) {
  ASHLAR_TRY_ASSIGN(const std::string_view header, view(position, FrameHeader::kBytes));
  if (header.size() < FrameHeader::kBytes) return header;
  return std::string_view(window_).substr(position - window_begin_);
}

/// Whether a header that looks like one is worth a checksum over its payload. In space that is used
/// again old frames stand whole, and any bytes may look like a header; but every commit behind the
/// end has its number, and at least a header's length for each one before it.
bool LogReader::is_sought(const FrameHeader& header, Position position,
                          Sought sought) const noexcept {
  if (sought == Sought::kAll) return true;
  ASHLAR_DEBUG_ASSERT(position >= at_.position, "what is sought lies behind the end");
  const std::uint64_t count_max = (position - at_.position) / FrameHeader::kBytes + 1;
  return header.commit > at_.commit && header.commit - at_.commit <= count_max;
}

/// The first valid frame in the segments at or after `position`.
Result<std::optional<Frame>> LogReader::later_in_segments(Position position, Sought sought) {
  while (true) {
    ASHLAR_TRY_ASSIGN(const std::string_view window, rest_of_window(position));
    if (window.size() < FrameHeader::kBytes) return std::nullopt;
    const auto is_candidate = [&](std::size_t offset) {
      const auto header = plausible_header(window.substr(offset));
      return header && is_sought(*header, position + offset, sought);
    };
    // Often most of it is zeros, so those are passed over in large steps.
    std::size_t offset = skip_zeros(window, 0);
    while (offset + FrameHeader::kBytes <= window.size() && !is_candidate(offset)) {
      offset = skip_zeros(window, offset + 8);
    }
    position += offset;
    if (offset + FrameHeader::kBytes > window.size()) continue;
    ASHLAR_TRY_ASSIGN(const std::optional<Frame> frame, frame_in_segments(position));
    if (frame) return frame;
    position += 8;
  }
}

/// The first valid frame in the ring at or after `position`.
std::optional<Frame> LogReader::later_in_ring(Position position, Sought sought) {
  for (const Position last = at_.position + tail_.ring.size(); position < last; position += 8) {
    if (const std::optional<Frame> frame = frame_in_ring(position, sought)) return frame;
  }
  return std::nullopt;
}

/// Whether a valid frame behind the end tells that what lies between had been durable (L3).
bool LogReader::proves_damage(const Frame& later) const noexcept {
  ASHLAR_ASSERT(later.position >= at_.position, "what is judged lies behind the end");
  const Position unsynced = later.header.unsynced_bytes;
  const Position durable = later.position - std::min(later.position, unsynced);
  return durable > at_.position;
}

/// Three witnesses in turn: the ring's marks, frames behind the end in the segments, frames behind
/// it in the ring. Each later frame is asked, since only one may have been appended after a flush.
Result<LogReader::Judgement> LogReader::judge_behind() {
  const Position end = at_.position;
  if (tail_.durable > end) {
    return Judgement{.proof = "the ring tells of " + segments_.place_of(tail_.durable)};
  }
  Position segments_torn_end = end;
  while (true) {
    ASHLAR_TRY_ASSIGN(const std::optional<Frame> later,
                      later_in_segments(segments_torn_end, Sought::kLaterCommits));
    if (!later) break;
    if (proves_damage(*later)) {
      return Judgement{.proof = "the frame at " + segments_.place_of(later->position) + " tells"};
    }
    segments_torn_end = later->end();
  }
  Position ring_torn_end = end;
  while (const std::optional<Frame> later = later_in_ring(ring_torn_end, Sought::kLaterCommits)) {
    if (proves_damage(*later)) {
      return Judgement{.proof = "the frame at " + segments_.place_of(later->position) + " tells"};
    }
    ring_torn_end = later->end();
  }
  return Judgement{.torn_bytes = std::max(segments_torn_end, ring_torn_end) - end, .proof = {}};
}

Result<std::uint64_t> LogReader::judge_end() {
  ASHLAR_TRY_ASSIGN(const Judgement judgement, judge_behind());
  if (judgement.proof.empty()) return judgement.torn_bytes;
  return std::unexpected(Error(ErrorCode::kCorruption,
                               segments_.place_of(at_.position) +
                                   ": a frame is damaged that was durable, as " + judgement.proof));
}

Result<std::optional<Frame>> LogReader::find_from(Position position) {
  ASHLAR_ASSERT(position % 8 == 0, "a frame begins at a multiple of 8");
  ASHLAR_TRY_ASSIGN(std::optional<Frame> found, later_in_segments(position, Sought::kAll));
  // The ring may have it where the segments do not, or not yet.
  const std::optional<Frame> in_ring = later_in_ring(position, Sought::kAll);
  if (in_ring && (!found || in_ring->position < found->position)) return in_ring;
  return found;
}

}  // namespace ashlar::log
