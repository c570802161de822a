#include "memory/checkpoint/checkpoint_file.h"

#include <zstd.h>

#include <new>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"

namespace ashlar::memory {
namespace {

//     header   offset  size  field
//                   0     8  magic "ashlrckp"
//                   8     4  version
//                  12     4  chain at the origin
//                  16     8  position of the origin
//                  24     8  commit before the origin
//                  32     8  moment in milliseconds
//                  40     8  checksum of the bytes before
//     block    stored bytes 4, raw bytes 4, checksum 8, then the stored bytes
//     footer   as the header of a block with no stored bytes, then
//              blocks 8, rows 8, end position 8
constexpr std::string_view kMagic = "ashlrckp";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 48;
constexpr std::size_t kBlockHeaderBytes = 16;
constexpr std::size_t kFooterBytes = 24;

// Rows are collected into blocks of about this size: long enough to compress well.
constexpr std::size_t kRawBytesPerBlock = std::size_t{64} << 10U;
constexpr int kCompressionLevel = 1;

/// Covers a block's bytes, its place among the blocks and its length before compression.
std::uint64_t block_checksum(std::string_view stored, std::uint64_t index,
                             std::uint32_t raw_bytes) noexcept {
  return base::hash_key(stored, base::hash_key({}, index << 32U ^ raw_bytes));
}

}  // namespace

void CheckpointWriter::FreeContext::operator()(ZSTD_CCtx_s* context) const noexcept {
  ZSTD_freeCCtx(context);
}

CheckpointWriter::CheckpointWriter(std::unique_ptr<os::File> file, engine::TimeMs moment_ms)
    : file_(std::move(file)), moment_ms_(moment_ms), context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
}

CheckpointWriter::~CheckpointWriter() = default;

Result<std::unique_ptr<CheckpointWriter>> CheckpointWriter::create(os::Disk& disk,
                                                                   const std::string& path,
                                                                   const LogPlace& origin,
                                                                   engine::TimeMs moment_ms) {
  ASHLAR_TRY_ASSIGN(auto file, os::File::open(disk, path, os::OpenMode::kCreate));
  std::unique_ptr<CheckpointWriter> writer(new CheckpointWriter(std::move(file), moment_ms));
  std::string header(kMagic);
  base::append_number(header, kVersion);
  base::append_number(header, origin.chain);
  base::append_number(header, origin.position);
  base::append_number(header, origin.commit);
  base::append_number(header, moment_ms);
  base::append_number(header, base::hash_key(header, 0));
  ASHLAR_ASSERT(header.size() == kHeaderBytes, "the header is as documented");
  ASHLAR_TRY(writer->write(header));
  return writer;
}

Result<void> CheckpointWriter::write(std::string_view bytes) {
  ASHLAR_TRY(file_->write(offset_, bytes));
  offset_ += bytes.size();
  return {};
}

Result<void> CheckpointWriter::add(const engine::Operation& put) {
  ASHLAR_ASSERT(put.kind == engine::OperationKind::kPut, "a checkpoint holds what is there");
  if (raw_.empty()) const engine::PayloadWriter begun(raw_, moment_ms_);
  engine::PayloadWriter::append_to(raw_, put);
  ++row_count_;
  return raw_.size() < kRawBytesPerBlock ? Result<void>() : write_block();
}

Result<void> CheckpointWriter::write_block() {
  stored_.resize(kBlockHeaderBytes + ZSTD_compressBound(raw_.size()));
  const std::size_t stored_bytes = ZSTD_compressCCtx(
      context_.get(), stored_.data() + kBlockHeaderBytes, stored_.size() - kBlockHeaderBytes,
      raw_.data(), raw_.size(), kCompressionLevel);
  ASHLAR_ASSERT(ZSTD_isError(stored_bytes) == 0, "a block compresses into its bound");
  stored_.resize(kBlockHeaderBytes + stored_bytes);
  const auto raw_bytes = static_cast<std::uint32_t>(raw_.size());
  base::store_number(stored_.data(), static_cast<std::uint32_t>(stored_bytes));
  base::store_number(stored_.data() + 4, raw_bytes);
  base::store_number(
      stored_.data() + 8,
      block_checksum(std::string_view(stored_).substr(kBlockHeaderBytes), block_count_, raw_bytes));
  ++block_count_;
  raw_.clear();
  return write(stored_);
}

Result<void> CheckpointWriter::finish(std::uint64_t end) {
  if (!raw_.empty()) ASHLAR_TRY(write_block());
  std::string footer;
  base::append_number(footer, block_count_);
  base::append_number(footer, row_count_);
  base::append_number(footer, end);
  std::string bytes;
  base::append_number(bytes, std::uint32_t{0});
  base::append_number(bytes, std::uint32_t{0});
  base::append_number(bytes, block_checksum(footer, block_count_, 0));
  ASHLAR_TRY(write(bytes.append(footer)));
  return file_->sync();
}

namespace {

/// Reads a checkpoint from its front.
class Reader {
 public:
  Reader(const os::File& file, std::uint64_t file_bytes) noexcept
      : file_(file), file_bytes_(file_bytes) {}

  Result<CheckpointReport> read_all(
      const std::function<Result<void>(std::string_view payload)>& visit) {
    ASHLAR_TRY(read_header());
    while (true) {
      ASHLAR_TRY_ASSIGN(const std::string header, take(kBlockHeaderBytes));
      const auto stored_bytes = base::load_number<std::uint32_t>(header.data());
      const auto raw_bytes = base::load_number<std::uint32_t>(header.data() + 4);
      const auto checksum = base::load_number<std::uint64_t>(header.data() + 8);
      const bool is_footer = stored_bytes == 0;
      ASHLAR_TRY_ASSIGN(const std::string stored, take(is_footer ? kFooterBytes : stored_bytes));
      if (block_checksum(stored, block_count_, raw_bytes) != checksum) return damaged();
      if (is_footer) return read_footer(stored);
      ASHLAR_TRY(read_block(stored, raw_bytes));
      ASHLAR_TRY(visit(raw_));
    }
  }

 private:
  std::unexpected<Error> damaged() const {
    return std::unexpected(Error(ErrorCode::kCorruption,
                                 file_.path() + ": damaged before " + std::to_string(offset_)));
  }

  /// The next bytes. No more than the file has are asked for, whatever a damaged length says.
  Result<std::string> take(std::size_t bytes) {
    if (bytes > file_bytes_ - offset_) return damaged();
    std::string taken(bytes, '\0');
    ASHLAR_TRY(file_.read(offset_, taken));
    offset_ += bytes;
    return taken;
  }

  Result<void> read_header() {
    ASHLAR_TRY_ASSIGN(const std::string header, take(kHeaderBytes));
    const auto checksum = base::load_number<std::uint64_t>(header.data() + kHeaderBytes - 8);
    const auto covered = std::string_view(header).substr(0, kHeaderBytes - 8);
    const bool is_good = covered.starts_with(kMagic) && base::hash_key(covered, 0) == checksum &&
                         base::load_number<std::uint32_t>(header.data() + 8) == kVersion;
    if (!is_good) return damaged();
    report_.origin = {.position = base::load_number<std::uint64_t>(header.data() + 16),
                      .chain = base::load_number<std::uint32_t>(header.data() + 12),
                      .commit = base::load_number<std::uint64_t>(header.data() + 24)};
    return {};
  }

  Result<void> read_block(std::string_view stored, std::uint32_t raw_bytes) {
    raw_.resize(raw_bytes);
    const std::size_t got = ZSTD_decompress(raw_.data(), raw_.size(), stored.data(), stored.size());
    if (ZSTD_isError(got) != 0 || got != raw_bytes) return damaged();
    ++block_count_;
    return {};
  }

  Result<CheckpointReport> read_footer(std::string_view footer) {
    const auto block_count = base::load_number<std::uint64_t>(footer.data());
    if (block_count != block_count_ || offset_ != file_bytes_) return damaged();
    report_.row_count = base::load_number<std::uint64_t>(footer.data() + 8);
    report_.end = base::load_number<std::uint64_t>(footer.data() + 16);
    return report_;
  }

  const os::File& file_;
  const std::uint64_t file_bytes_;
  std::uint64_t offset_ = 0;
  std::uint64_t block_count_ = 0;
  CheckpointReport report_;
  std::string raw_;
};

}  // namespace

Result<CheckpointReport> read_checkpoint(
    os::Disk& disk, const std::string& path,
    const std::function<Result<void>(std::string_view payload)>& visit) {
  ASHLAR_TRY_ASSIGN(const auto file, os::File::open(disk, path, os::OpenMode::kRead));
  if (file == nullptr) {
    return std::unexpected(Error(ErrorCode::kCorruption, path + ": is missing"));
  }
  ASHLAR_TRY_ASSIGN(const std::uint64_t file_bytes, file->size());
  return Reader(*file, file_bytes).read_all(visit);
}

}  // namespace ashlar::memory
