#include "log/ring.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "base/racy.h"

namespace ashlar::log {
namespace {

// A mark is a position and its checksum. There are two, written in turn and a cache line apart, so
// that one is whole whenever the process ends.
constexpr std::size_t kMarkBytes = 16;
constexpr std::size_t kMarkStride = 64;
constexpr unsigned kMarkCount = 2;

// The mark of closing stands behind them.
constexpr std::size_t kClosedOffset = kMarkCount * kMarkStride;

using Mark = std::array<char, kMarkBytes>;

/// One mark. The log's id keeps those of another log from counting, and zeros from being one.
Mark encode_mark(Position position, LogId log_id) noexcept {
  Mark mark;
  base::store_number(mark.data(), position);
  base::store_number(mark.data() + 8, base::hash_key({mark.data(), 8}, log_id));
  return mark;
}

/// The position of the mark at `offset` of `marks`; 0 when there is no good one.
Position mark_at(std::string_view marks, std::size_t offset, LogId log_id) noexcept {
  if (marks.empty()) return 0;
  const std::string_view found = marks.substr(offset, kMarkBytes);
  const auto position = base::load_number<Position>(found.data());
  const Mark expected = encode_mark(position, log_id);
  return found == std::string_view(expected.data(), expected.size()) ? position : 0;
}

}  // namespace

Position RingImage::durable(LogId log_id) const noexcept {
  Position newest = 0;
  for (unsigned i = 0; i < kMarkCount; ++i) {
    newest = std::max(newest, mark_at(marks, i * kMarkStride, log_id));
  }
  return newest;
}

Position RingImage::closed(LogId log_id) const noexcept {
  return mark_at(marks, kClosedOffset, log_id);
}

namespace {

/// Reads the marks, and with `has_bytes` what stands before them.
Result<RingImage> read_parts(os::Disk& disk, const std::string& path, bool has_bytes) {
  RingImage image;
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) return image;
  image.is_there = true;
  ASHLAR_TRY_ASSIGN(image.file_bytes, file->size());
  const std::uint64_t whole = image.file_bytes / os::kBlockBytes * os::kBlockBytes;
  if (whole < 2 * os::kBlockBytes) return image;
  image.marks.resize(os::kBlockBytes);
  ASHLAR_TRY(file->read(whole - os::kBlockBytes, image.marks));
  if (!has_bytes) return image;
  image.bytes.resize(whole - os::kBlockBytes);
  ASHLAR_TRY(file->read(0, image.bytes));
  return image;
}

}  // namespace

Result<RingImage> read_ring(os::Disk& disk, const std::string& path) {
  return read_parts(disk, path, true);
}

Result<RingImage> read_ring_marks(os::Disk& disk, const std::string& path) {
  return read_parts(disk, path, false);
}

Ring::Ring(std::unique_ptr<os::File> file, std::unique_ptr<os::Mapping> mapping,
           LogId log_id) noexcept
    : file_(std::move(file)),
      mapping_(std::move(mapping)),
      ring_bytes_(mapping_->bytes() - os::kBlockBytes),
      log_id_(log_id) {}

Result<std::unique_ptr<Ring>> Ring::renew(os::Disk& disk, const std::string& directory,
                                          std::uint64_t ring_bytes, LogId log_id, Position durable,
                                          RingRest rest) {
  const std::string path = directory + "/ring";
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kReadWrite));
  std::uint64_t old_bytes = 0;
  if (file != nullptr) {
    ASHLAR_TRY_ASSIGN(old_bytes, file->size());
  }
  if (old_bytes != file_bytes(ring_bytes)) {
    // Under another name until it is whole: a log with frames and without a ring is damaged.
    const std::string new_path = path + ".new";
    ASHLAR_TRY(os::remove_file(disk, new_path));
    ASHLAR_TRY_ASSIGN(file, os::File::open(disk, new_path, os::OpenMode::kCreate));
    ASHLAR_TRY(file->allocate(file_bytes(ring_bytes)));
    ASHLAR_TRY(file->sync());
    ASHLAR_TRY(os::rename_file(disk, new_path, path));
    ASHLAR_TRY(os::sync_directory(disk, directory));
  }
  ASHLAR_TRY_ASSIGN(auto mapping, os::Mapping::make(*file, file_bytes(ring_bytes)));
  std::unique_ptr<Ring> ring(new Ring(std::move(file), std::move(mapping), log_id));
  // The marks first: whoever ends here leaves a log that is told to be durable, and is.
  ring->note_durable(durable);
  ring->note_durable(durable);
  ASHLAR_TRY(ring->forget_closing());
  if (rest == RingRest::kCleared) std::memset(ring->mapping_->begin(), 0, ring_bytes);
  return ring;
}

/// The only sync of a ring: without it a power cut could bring the mark back behind newer frames.
Result<void> Ring::forget_closing() {
  char* const mark = mapping_->begin() + ring_bytes_ + kClosedOffset;
  if (std::all_of(mark, mark + kMarkBytes, [](char byte) { return byte == 0; })) return {};
  std::memset(mark, 0, kMarkBytes);
  return file_->sync();
}

void Ring::store(Position position, std::string_view bytes) noexcept {
  ASHLAR_DEBUG_ASSERT(bytes.size() <= ring_bytes_, "no more is stored than the ring holds");
  const std::size_t begin = position % ring_bytes_;
  const std::size_t first = std::min<std::size_t>(bytes.size(), ring_bytes_ - begin);
  // Racy: see LocalLog::try_read_recent.
  base::racy::store_bytes(mapping_->begin() + begin, bytes.data(), first);
  base::racy::store_bytes(mapping_->begin(), bytes.data() + first, bytes.size() - first);
}

std::string_view Ring::view(Position position, std::uint64_t count) const noexcept {
  const std::size_t begin = position % ring_bytes_;
  return {mapping_->begin() + begin, std::min<std::size_t>(count, ring_bytes_ - begin)};
}

void Ring::note_durable(Position position) noexcept {
  const auto mark = encode_mark(position, log_id_);
  const std::size_t offset = ring_bytes_ + mark_count_++ % kMarkCount * kMarkStride;
  std::memcpy(mapping_->begin() + offset, mark.data(), mark.size());
}

void Ring::note_closed(Position position) noexcept {
  ASHLAR_ASSERT(position > 0, "a log that was closed has a frame that says so");
  const auto mark = encode_mark(position, log_id_);
  std::memcpy(mapping_->begin() + ring_bytes_ + kClosedOffset, mark.data(), mark.size());
}

}  // namespace ashlar::log
