#include "db/inspection/segment_copy.h"

#include <algorithm>
#include <string>

#include "base/assert.h"

namespace ashlar::db {
namespace {

// So much is copied at a time.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

/// What was found before may be gone by now, and what stands in files is no promise anyhow.
Error is_gone(const NewSegment& segment, log::Position at) {
  return {ErrorCode::kCorruption, segment.name + " at " +
                                      std::to_string(log::offset_in_segment(segment.header, at)) +
                                      ": what was found there, position " + std::to_string(at) +
                                      " of the log, cannot be read again"};
}

}  // namespace

Result<void> copy_segment(const NewSegment& segment, const log::SegmentSet& run,
                          std::string_view ring, os::File& to) {
  ASHLAR_ASSERT(segment.from_segments <= segment.from_ring, "the ring goes on where segments end");
  ASHLAR_ASSERT(segment.from_ring <= segment.header.end(), "a segment has room for its bytes");
  log::Position at = segment.header.first;
  std::string piece;
  while (at < segment.from_segments) {
    piece.resize(std::min<std::uint64_t>(kPieceBytes, segment.from_segments - at));
    ASHLAR_TRY_ASSIGN(const std::size_t got, run.read(at, piece));
    if (got != piece.size()) return std::unexpected(is_gone(segment, at + got));
    ASHLAR_TRY(to.write(log::offset_in_segment(segment.header, at), piece));
    at += got;
  }
  if (at >= segment.from_ring) return {};
  if (segment.from_ring - at > ring.size()) return std::unexpected(is_gone(segment, at));
  piece.clear();
  const log::Position ring_begin = at;
  for (; at < segment.from_ring; ++at) piece.push_back(ring[at % ring.size()]);
  return to.write(log::offset_in_segment(segment.header, ring_begin), piece);
}

}  // namespace ashlar::db
