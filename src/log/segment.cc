#include "log/segment.h"

#include <algorithm>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/numbered_name.h"

namespace ashlar::log {
namespace {

//     offset  size  field
//          0     8  magic "ashlrlog"
//          8     4  version
//         12     4  zero
//         16     8  log id
//         24     8  number
//         32     8  first position
//         40     8  bytes of the log in this segment
//         48     8  checksum of the bytes before
constexpr std::string_view kMagic = "ashlrlog";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kChecksumOffset = 48;

constexpr std::string_view kSuffix = ".log";

/// The fields of a header, with no look at whether it is one. `block` has at least so many bytes.
SegmentHeader load_fields(std::string_view block) noexcept {
  return {.log_id = base::load_number<LogId>(block.data() + 16),
          .number = base::load_number<std::uint64_t>(block.data() + 24),
          .first = base::load_number<Position>(block.data() + 32),
          .log_bytes = base::load_number<std::uint64_t>(block.data() + 40)};
}

/// Whether a file without a header of its own is one that was being made when the machine stopped:
/// new, and so nothing but zeros, or an old one under its next name.
Result<bool> is_in_the_making(const os::File& file, const std::optional<SegmentHeader>& header,
                              std::uint64_t number) {
  if (header) return header->number < number;
  std::string piece(std::size_t{1} << 20U, '\0');
  for (std::uint64_t offset = 0;; offset += piece.size()) {
    ASHLAR_TRY_ASSIGN(const std::size_t got, file.read_some(offset, piece));
    const auto read = std::string_view(piece).substr(0, got);
    if (read.find_first_not_of('\0') != std::string_view::npos) return false;
    if (got < piece.size()) return true;
  }
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  ASHLAR_ASSERT(header.first % os::kBlockBytes == 0, "a segment begins at a block");
  ASHLAR_ASSERT(header.log_bytes % os::kBlockBytes == 0, "a segment holds whole blocks");
  std::string block(kMagic);
  base::append_number(block, kVersion);
  base::append_number(block, std::uint32_t{0});
  base::append_number(block, header.log_id);
  base::append_number(block, header.number);
  base::append_number(block, header.first);
  base::append_number(block, header.log_bytes);
  base::append_number(block, base::hash_key(block, 0));
  block.resize(os::kBlockBytes, '\0');
  return block;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view block) noexcept {
  if (block.size() < os::kBlockBytes || !block.starts_with(kMagic)) return std::nullopt;
  const auto checksum = base::load_number<std::uint64_t>(block.data() + kChecksumOffset);
  if (base::hash_key(block.substr(0, kChecksumOffset), 0) != checksum) return std::nullopt;
  if (base::load_number<std::uint32_t>(block.data() + 8) != kVersion) return std::nullopt;
  const SegmentHeader header = load_fields(block);
  const bool is_aligned =
      header.first % os::kBlockBytes == 0 && header.log_bytes % os::kBlockBytes == 0;
  const bool is_in_range = header.log_bytes > 0 && header.first < UINT64_MAX - header.log_bytes;
  if (!is_aligned || !is_in_range) return std::nullopt;
  return header;
}

std::string segment_name(std::uint64_t number) {
  return base::numbered_name(number, kSuffix);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  return base::number_in_name(name, kSuffix);
}

Result<std::vector<SegmentFile>> list_segments(os::Disk& disk, const std::string& directory) {
  ASHLAR_TRY_ASSIGN(const std::vector<std::string> names, os::list_directory(disk, directory));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);

  std::vector<SegmentFile> files;
  for (const std::uint64_t number : numbers) {
    SegmentFile found;
    found.number = number;
    const std::string path = directory + "/" + segment_name(number);
    ASHLAR_TRY_ASSIGN(found.file, os::File::open(disk, path, os::OpenMode::kRead));
    if (found.file == nullptr) continue;
    ASHLAR_TRY_ASSIGN(found.file_bytes, found.file->size());
    std::string block(os::kBlockBytes, '\0');
    ASHLAR_TRY_ASSIGN(const std::size_t got, found.file->read_some(0, block));
    found.claimed = load_fields(block);
    found.header = decode_segment_header(std::string_view(block).substr(0, got));
    if (!found.header || found.header->number != number) {
      if (number == numbers.back()) {
        ASHLAR_TRY_ASSIGN(found.is_in_the_making,
                          is_in_the_making(*found.file, found.header, number));
      }
      found.header.reset();
    }
    files.push_back(std::move(found));
  }
  return files;
}

Result<SegmentSet> SegmentSet::scan(os::Disk& disk, const std::string& directory) {
  ASHLAR_TRY_ASSIGN(std::vector<SegmentFile> files, list_segments(disk, directory));
  SegmentSet set;
  for (SegmentFile& found : files) {
    const std::string& path = found.file->path();
    if (found.is_in_the_making) break;  // The last: nobody can have written to it.
    if (!found.header && &found == &files.back()) {
      return std::unexpected(Error(ErrorCode::kCorruption, path + " at 0: the header is damaged"));
    }
    if (!found.header) {
      set.damaged_ = path;
      set.forget_segments();
      continue;
    }
    const bool follows = set.empty() || (found.header->first == set.end() &&
                                         found.header->log_id == set.segments_[0].header.log_id);
    if (!follows) set.forget_segments();
    set.add({.header = *found.header, .file = std::move(found.file)});
  }
  return set;
}

SegmentSet SegmentSet::of(std::vector<FoundSegment> segments) {
  for (std::size_t i = 1; i < segments.size(); ++i) {
    ASHLAR_ASSERT(segments[i].header.first == segments[i - 1].header.end(),
                  "a segment begins where the one before ends");
    ASHLAR_ASSERT(segments[i].header.log_id == segments[0].header.log_id,
                  "a set holds segments of one log");
  }
  SegmentSet set;
  set.segments_ = std::move(segments);
  return set;
}

void SegmentSet::forget_segments() {
  for (const FoundSegment& segment : segments_) stale_.push_back(segment.file->path());
  segments_.clear();
}

Result<std::size_t> SegmentSet::read(Position position, std::span<char> to) const {
  std::size_t count = 0;
  while (count < to.size()) {
    const Position at = position + count;
    const auto found = std::ranges::find_if(segments_, [at](const FoundSegment& segment) {
      return at >= segment.header.first && at < segment.header.end();
    });
    if (found == segments_.end()) break;
    const std::size_t bytes = std::min<std::size_t>(to.size() - count, found->header.end() - at);
    ASHLAR_TRY(
        found->file->read(offset_in_segment(found->header, at), to.subspan(count).first(bytes)));
    count += bytes;
  }
  return count;
}

std::optional<SegmentSet::Place> SegmentSet::find_place(Position position) const {
  for (const FoundSegment& segment : segments_) {
    if (position < segment.header.first || position >= segment.header.end()) continue;
    return Place{.path = segment.file->path(),
                 .offset = offset_in_segment(segment.header, position)};
  }
  return std::nullopt;
}

std::string SegmentSet::place_of(Position position) const {
  const std::optional<Place> place = find_place(position);
  if (!place) return "position " + std::to_string(position);
  return place->path + " at " + std::to_string(place->offset);
}

}  // namespace ashlar::log
