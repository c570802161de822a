#include "log/closed_segment.h"

#include <array>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace ashlar::log {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;

constexpr Position block_of(Position position) noexcept {
  return position / os::kBlockBytes * os::kBlockBytes;
}

std::unexpected<Error> damaged(const std::string& path, std::uint64_t offset, const char* what) {
  return std::unexpected(
      Error(ErrorCode::kCorruption, path + " at " + std::to_string(offset) + ": " + what));
}

/// Opens the file and proves that its header is that of the segment `number`, and tells its length.
Result<FoundSegment> open_segment(os::Disk& disk, const std::string& path, std::uint64_t number) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return damaged(path, 0, "the file is missing");
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  std::string block(os::kBlockBytes, '\0');
  ASHLAR_TRY_ASSIGN(const std::size_t got, file->read_some(0, block));
  const auto header = decode_segment_header(std::string_view(block).substr(0, got));
  if (!header) return damaged(path, 0, "the header is damaged");
  if (header->number != number) return damaged(path, 0, "the header is that of another segment");
  if (file_bytes < os::kBlockBytes || file_bytes - os::kBlockBytes != header->log_bytes) {
    return damaged(path, file_bytes, "the file is not as long as its header says");
  }
  return FoundSegment{.header = *header, .file = std::move(file)};
}

}  // namespace

ClosedSegmentWriter::ClosedSegmentWriter(std::unique_ptr<os::File> file,
                                         const SegmentIdentity& identity,
                                         const Start& begin) noexcept
    : file_(std::move(file)),
      header_{.log_id = identity.log_id,
              .number = identity.number,
              .first = block_of(begin.position),
              .log_bytes = 0},
      at_(begin),
      buffer_begin_(begin.position) {}

Result<std::unique_ptr<ClosedSegmentWriter>> ClosedSegmentWriter::create(
    os::Disk& disk, const std::string& path, const SegmentIdentity& identity, const Start& begin) {
  ASHLAR_ASSERT(begin.position % 8 == 0, "a frame begins at a multiple of 8");
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kCreate));
  return std::unique_ptr<ClosedSegmentWriter>(
      new ClosedSegmentWriter(std::move(file), identity, begin));
}

Result<void> ClosedSegmentWriter::add(const Frame& frame) {
  ASHLAR_ASSERT(frame.position == at_.position, "a frame begins where the one before ends");
  ASHLAR_ASSERT(frame.header.commit == at_.commit + 1, "frames are numbered without a gap");
  return append({.kind = frame.header.kind,
                 .payload_bytes = frame.header.payload_bytes,
                 .chain = at_.chain,
                 .unsynced_bytes = 0,
                 .commit = frame.header.commit},
                frame.payload);
}

/// Encodes one frame behind the others.
Result<void> ClosedSegmentWriter::append(const FrameHeader& header, std::string_view payload) {
  std::array<char, FrameHeader::kBytes> encoded;
  const std::uint64_t checksum = encode_frame_header(header, payload_hash(payload), at_.position,
                                                     header_.log_id, encoded.data());
  buffer_.append(encoded.data(), encoded.size());
  buffer_.append(payload);
  at_ = {.position = at_.position + header.frame_bytes(),
         .chain = chain_of(checksum),
         .commit = header.commit};
  buffer_.resize(at_.position - buffer_begin_, '\0');
  return buffer_.size() < kBufferBytes ? Result<void>() : flush();
}

Result<void> ClosedSegmentWriter::flush() {
  ASHLAR_TRY(file_->write(offset_in_segment(header_, buffer_begin_), buffer_));
  buffer_.clear();
  buffer_begin_ = at_.position;
  return {};
}

/// The header comes last: a file that was not finished has none.
Result<void> ClosedSegmentWriter::finish() {
  ASHLAR_ASSERT(header_.log_bytes == 0, "a segment is finished once");
  const Start last = at_;
  ASHLAR_TRY(append({.kind = FrameKind::kClose,
                     .payload_bytes = 0,
                     .chain = at_.chain,
                     .unsynced_bytes = 0,
                     .commit = at_.commit + 1},
                    {}));
  ASHLAR_TRY(flush());
  header_.log_bytes = block_of(at_.position - header_.first + os::kBlockBytes - 1);
  at_ = last;
  ASHLAR_TRY(file_->truncate(os::kBlockBytes + header_.log_bytes));
  ASHLAR_TRY(file_->write(0, encode_segment_header(header_)));
  return file_->sync();
}

Result<ClosedSegment> read_closed_segment(os::Disk& disk, const std::string& path,
                                          std::uint64_t number, const Start& begin,
                                          const std::function<Result<void>(const Frame&)>& visit) {
  ASHLAR_TRY_ASSIGN(FoundSegment found, open_segment(disk, path, number));
  const SegmentHeader header = found.header;
  if (begin.position < header.first || begin.position >= header.end()) {
    return damaged(path, 0, "the segment does not hold the place where the log goes on");
  }
  std::vector<FoundSegment> one;
  one.push_back(std::move(found));
  const SegmentSet segments = SegmentSet::of(std::move(one));
  LogReader reader(segments, Tail{}, header.log_id, begin);
  Start end = begin;
  while (true) {
    ASHLAR_TRY_ASSIGN(const std::optional<Frame> frame, reader.next());
    if (!frame || frame->header.kind == FrameKind::kClose) break;
    ASHLAR_TRY(visit(*frame));
    end = reader.at();
  }
  if (!reader.is_closed()) {
    return damaged(path, offset_in_segment(header, reader.at().position),
                   "no frame follows, and the log was not closed before");
  }
  return ClosedSegment{.header = header, .end = end};
}

}  // namespace ashlar::log
