#include "memory/checkpoint/checkpoint_reader.h"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include "base/assert.h"
#include "base/coding.h"
#include "memory/checkpoint/checkpoint_layout.h"

namespace ashlar::memory {
namespace {

using checkpoint_layout::block_checksum;
using checkpoint_layout::kBlockHeaderBytes;
using checkpoint_layout::kFooterBytes;
using checkpoint_layout::kHeaderBytes;
using checkpoint_layout::kMagic;
using checkpoint_layout::kVersion;

// What the stored bytes of every block begin with: zstd's own mark, its magic number 0xfd2fb528.
constexpr std::string_view kStoredBegin = "\x28\xb5\x2f\xfd";
constexpr std::uint64_t kFooterPieceBytes = kBlockHeaderBytes + kFooterBytes;

// A block that says it is longer gets its memory as it turns out to be.
constexpr std::size_t kRawBytesAtFirst = std::size_t{256} << 10U;

// So much is searched at a time, and so many indices are tried for a block found behind damage.
constexpr std::size_t kSearchBytes = std::size_t{1} << 20U;
constexpr std::uint64_t kSkippedBlocksMax = 4096;

/// A block or the footer, as far as its own header tells.
struct Piece {
  std::uint64_t offset = 0;
  std::uint32_t raw_bytes = 0;
  std::uint64_t checksum = 0;
  std::string stored;  // Of the footer: its fields.
  bool is_footer = false;

  std::uint64_t end() const noexcept { return offset + kBlockHeaderBytes + stored.size(); }
  bool is_number(std::uint64_t index) const noexcept {
    return block_checksum(stored, index, raw_bytes) == checksum;
  }
};

/// Reads the parts of one file. That a part is damaged is an answer, not an error.
class Reader {
 public:
  Reader(const os::File& file, std::uint64_t file_bytes)
      : file_(file), file_bytes_(file_bytes), context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    const std::size_t done = ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax,
                                                    checkpoint_layout::kWindowLogMax);
    ASHLAR_ASSERT(ZSTD_isError(done) == 0, "the longest window is one that zstd knows");
  }

  std::uint64_t file_bytes() const noexcept { return file_bytes_; }

  /// Returns: whether there is a good header
  Result<bool> read_header(CheckpointReport& report) const;

  /// The piece at `offset`, not yet proved; nullopt when the file has no room for one.
  Result<std::optional<Piece>> piece_at(std::uint64_t offset) const;

  /// The rows of a block that has proved good. Returns: nullopt when they make no sense
  std::optional<std::string_view> unpack(const Piece& block);

  /// The first piece at or after `offset` that is block `index` or a later one, or the footer;
  /// `index` becomes what it is.
  Result<std::optional<Piece>> find_piece(std::uint64_t offset, std::uint64_t& index) const;

 private:
  Result<std::optional<Piece>> find_block(std::uint64_t offset, std::uint64_t& index) const;

  struct FreeContext {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };

  const os::File& file_;
  const std::uint64_t file_bytes_;
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  std::string raw_;
};

Result<bool> Reader::read_header(CheckpointReport& report) const {
  if (file_bytes_ < kHeaderBytes) return false;
  std::string header(kHeaderBytes, '\0');
  ASHLAR_TRY(file_.read(0, header));
  const auto checksum = base::load_number<std::uint64_t>(header.data() + kHeaderBytes - 8);
  const auto covered = std::string_view(header).substr(0, kHeaderBytes - 8);
  const bool is_good = covered.starts_with(kMagic) && base::hash_key(covered, 0) == checksum &&
                       base::load_number<std::uint32_t>(header.data() + 8) == kVersion;
  if (!is_good) return false;
  report.origin = {.position = base::load_number<std::uint64_t>(header.data() + 16),
                   .chain = base::load_number<std::uint32_t>(header.data() + 12),
                   .commit = base::load_number<std::uint64_t>(header.data() + 24)};
  report.moment_ms = base::load_number<engine::TimeMs>(header.data() + 32);
  return true;
}

Result<std::optional<Piece>> Reader::piece_at(std::uint64_t offset) const {
  if (offset + kBlockHeaderBytes > file_bytes_) return std::nullopt;
  char header[kBlockHeaderBytes];
  ASHLAR_TRY(file_.read(offset, header));
  const auto stored_bytes = base::load_number<std::uint32_t>(header);
  const bool is_footer = stored_bytes == 0;
  const std::size_t bytes = is_footer ? kFooterBytes : stored_bytes;
  // No more than the file has is asked for, whatever a damaged length says.
  if (bytes > file_bytes_ - offset - kBlockHeaderBytes) return std::nullopt;
  Piece piece{.offset = offset,
              .raw_bytes = base::load_number<std::uint32_t>(header + 4),
              .checksum = base::load_number<std::uint64_t>(header + 8),
              .stored = std::string(bytes, '\0'),
              .is_footer = is_footer};
  ASHLAR_TRY(file_.read(offset + kBlockHeaderBytes, piece.stored));
  return piece;
}

/// Step by step, since the length that a block gives is not to be trusted with memory (K3).
std::optional<std::string_view> Reader::unpack(const Piece& block) {
  const std::size_t raw_bytes = block.raw_bytes;
  if (!checkpoint_layout::can_stand_for(block.stored.size(), raw_bytes)) return std::nullopt;
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  ZSTD_inBuffer from{.src = block.stored.data(), .size = block.stored.size(), .pos = 0};
  raw_.resize(std::min(raw_bytes, kRawBytesAtFirst));
  std::size_t filled = 0;
  while (true) {
    ZSTD_outBuffer to{.dst = raw_.data(), .size = raw_.size(), .pos = filled};
    const std::size_t taken = from.pos;
    const std::size_t left = ZSTD_decompressStream(context_.get(), &to, &from);
    if (ZSTD_isError(left) != 0) return std::nullopt;
    const bool is_stuck = from.pos == taken && to.pos == filled;
    filled = to.pos;
    if (left == 0) break;
    if (is_stuck) return std::nullopt;  // It is cut short, or longer than it says.
    if (filled == raw_.size()) raw_.resize(std::min(raw_bytes, 2 * filled));
  }
  if (filled != raw_bytes || from.pos != from.size) return std::nullopt;
  ASHLAR_ASSERT(raw_.size() == filled, "memory was taken for what came out");
  return raw_;
}

Result<std::optional<Piece>> Reader::find_piece(std::uint64_t offset, std::uint64_t& index) const {
  ASHLAR_TRY_ASSIGN(std::optional<Piece> block, find_block(offset, index));
  if (block) return block;
  if (file_bytes_ < kFooterPieceBytes || file_bytes_ - kFooterPieceBytes < offset) {
    return std::nullopt;
  }
  ASHLAR_TRY_ASSIGN(std::optional<Piece> footer, piece_at(file_bytes_ - kFooterPieceBytes));
  if (!footer || !footer->is_footer) return std::nullopt;
  const auto block_count = base::load_number<std::uint64_t>(footer->stored.data());
  if (block_count < index || !footer->is_number(block_count)) return std::nullopt;
  index = block_count;
  return footer;
}

Result<std::optional<Piece>> Reader::find_block(std::uint64_t offset, std::uint64_t& index) const {
  std::string window;
  // A window begins with the header of a block, so that the mark behind it is found in one piece.
  for (std::uint64_t begin = offset; begin + kBlockHeaderBytes < file_bytes_;) {
    window.resize(std::min<std::uint64_t>(kSearchBytes, file_bytes_ - begin));
    ASHLAR_TRY(file_.read(begin, window));
    for (std::size_t at = window.find(kStoredBegin, kBlockHeaderBytes); at != std::string::npos;
         at = window.find(kStoredBegin, at + 1)) {
      ASHLAR_TRY_ASSIGN(std::optional<Piece> piece, piece_at(begin + at - kBlockHeaderBytes));
      if (!piece || piece->is_footer) continue;
      const std::uint64_t skipped_max = (piece->offset - offset) / kBlockHeaderBytes + 1;
      const std::uint64_t last = index + std::min(skipped_max, kSkippedBlocksMax);
      for (std::uint64_t candidate = index; candidate <= last; ++candidate) {
        if (!piece->is_number(candidate)) continue;
        index = candidate;
        return piece;
      }
    }
    if (window.size() < kSearchBytes) break;
    begin += window.size() - kBlockHeaderBytes - kStoredBegin.size() + 1;
  }
  return std::nullopt;
}

void load_footer(std::string_view footer, CheckpointReport& report) noexcept {
  report.block_count = base::load_number<std::uint64_t>(footer.data());
  report.row_count = base::load_number<std::uint64_t>(footer.data() + 8);
  report.end = base::load_number<std::uint64_t>(footer.data() + 16);
}

/// Opens a checkpoint for one way of reading it.
Result<std::unique_ptr<os::File>> open_checkpoint(os::Disk& disk, const std::string& path) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file != nullptr) return file;
  return std::unexpected(Error(ErrorCode::kCorruption, path + " at 0: the file is missing"));
}

/// How many rows a payload has. Returns: nullopt when it does not consist of puts
std::optional<std::uint64_t> count_rows(std::string_view payload) {
  engine::PayloadReader reader(payload);
  std::uint64_t count = 0;
  while (const auto stored = reader.next()) {
    const bool is_put = stored->kind == engine::StoredKind::kPut ||
                        stored->kind == engine::StoredKind::kPutWithDeadline;
    if (!is_put) return std::nullopt;
    ++count;
  }
  return reader.is_good() ? std::optional(count) : std::nullopt;
}

std::string blocks_are_damaged(std::uint64_t first, std::uint64_t beyond) {
  if (beyond <= first + 1) return "block " + std::to_string(first) + " is damaged";
  return "blocks " + std::to_string(first) + " to " + std::to_string(beyond - 1) + " are damaged";
}

/// One reading that goes on behind damage.
class Salvage {
 public:
  Salvage(Reader& reader, const BlockVisitor& visit) noexcept : reader_(reader), visit_(visit) {}

  Result<CheckpointSalvage> operator()() {
    result_.file_bytes = reader_.file_bytes();
    ASHLAR_TRY_ASSIGN(result_.has_header, reader_.read_header(result_.report));
    if (!result_.has_header) note(0, kHeaderBytes, "the header is damaged");
    std::uint64_t offset = kHeaderBytes;
    std::uint64_t index = 0;
    while (offset < reader_.file_bytes() && !result_.has_footer) {
      ASHLAR_TRY_ASSIGN(offset, step(offset, index));
    }
    if (!result_.has_footer && !is_end_told_) {
      note(offset, 0, "the file ends without its footer");
    }
    if (result_.has_footer && offset != reader_.file_bytes()) {
      note(offset, reader_.file_bytes() - offset, "something stands behind the footer");
    }
    if (result_.damages.empty() && result_.report.row_count != result_.read_row_count) {
      note(offset, 0, "the footer tells of another number of rows");
    }
    ASHLAR_ASSERT(!result_.damages.empty() || (result_.has_header && result_.has_footer),
                  "a checkpoint without damage has both its ends");
    return std::move(result_);
  }

 private:
  void note(std::uint64_t offset, std::uint64_t bytes, std::string what) {
    bytes = std::min(bytes, reader_.file_bytes() - std::min(offset, reader_.file_bytes()));
    result_.damages.push_back({.offset = offset, .bytes = bytes, .what = std::move(what)});
  }

  /// Takes the piece at `offset`, or the next one behind that can be read. Returns where it ends.
  Result<std::uint64_t> step(std::uint64_t offset, std::uint64_t& index) {
    const std::uint64_t expected = index;
    ASHLAR_TRY_ASSIGN(std::optional<Piece> piece, reader_.piece_at(offset));
    if (!piece || !piece->is_number(index)) {
      ASHLAR_TRY_ASSIGN(piece, reader_.find_piece(offset, index));
      const std::uint64_t end = piece ? piece->offset : reader_.file_bytes();
      is_end_told_ = !piece;
      note(offset, end - offset,
           piece ? blocks_are_damaged(expected, index)
                 : "nothing can be read from block " + std::to_string(expected) + " on");
    }
    if (!piece) return reader_.file_bytes();
    ASHLAR_TRY(take(*piece, index));
    return piece->end();
  }

  Result<void> take(const Piece& piece, std::uint64_t& index) {
    if (piece.is_footer) {
      load_footer(piece.stored, result_.report);
      result_.has_footer = true;
      return {};
    }
    const auto payload = reader_.unpack(piece);
    const auto row_count = payload ? count_rows(*payload) : std::nullopt;
    ++index;
    if (!row_count) {
      note(piece.offset, piece.end() - piece.offset,
           "block " + std::to_string(index - 1) + " has a good checksum and makes no sense");
      return {};
    }
    ++result_.read_block_count;
    result_.read_row_count += *row_count;
    return visit_(*payload);
  }

  Reader& reader_;
  const BlockVisitor& visit_;
  CheckpointSalvage result_;
  bool is_end_told_ = false;  // That nothing more can be read.
};

}  // namespace

Result<CheckpointReport> read_checkpoint(os::Disk& disk, const std::string& path,
                                         const BlockVisitor& visit) {
  ASHLAR_TRY_ASSIGN(const auto file, open_checkpoint(disk, path));
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  const auto damaged = [&](std::uint64_t offset, const std::string& what) {
    return std::unexpected(Error(ErrorCode::kCorruption, path + " at " + std::to_string(offset) +
                                                             ": " + what + " is damaged"));
  };
  Reader reader(*file, file_bytes);
  CheckpointReport report;
  ASHLAR_TRY_ASSIGN(const bool has_header, reader.read_header(report));
  if (!has_header) return damaged(0, "the header");
  std::uint64_t offset = kHeaderBytes;
  for (std::uint64_t index = 0;; ++index) {
    ASHLAR_TRY_ASSIGN(const std::optional<Piece> piece, reader.piece_at(offset));
    if (!piece || !piece->is_number(index))
      return damaged(offset, "block " + std::to_string(index));
    if (piece->is_footer) {
      load_footer(piece->stored, report);
      if (report.block_count != index || piece->end() != file_bytes) {
        return damaged(offset, "the footer");
      }
      return report;
    }
    const auto payload = reader.unpack(*piece);
    if (!payload) return damaged(offset, "block " + std::to_string(index));
    ASHLAR_TRY(visit(*payload));
    offset = piece->end();
  }
}

Result<CheckpointSalvage> salvage_checkpoint(os::Disk& disk, const std::string& path,
                                             const BlockVisitor& visit) {
  ASHLAR_TRY_ASSIGN(const auto file, open_checkpoint(disk, path));
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  Reader reader(*file, file_bytes);
  return Salvage(reader, visit)();
}

}  // namespace ashlar::memory
