#include "memory/checkpoint/checkpoint_file.h"

#include <zstd.h>

#include <new>

#include "base/assert.h"
#include "base/coding.h"
#include "base/hash.h"
#include "memory/checkpoint/checkpoint_layout.h"

namespace ashlar::memory {
namespace {

using checkpoint_layout::block_checksum;
using checkpoint_layout::kBlockHeaderBytes;
using checkpoint_layout::kHeaderBytes;
using checkpoint_layout::kMagic;
using checkpoint_layout::kRawBytesPerBlock;
using checkpoint_layout::kRowBytesMax;
using checkpoint_layout::kVersion;

constexpr int kCompressionLevel = 1;

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
                                                                   const engine::LogPlace& origin,
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
  // Neither can come from a write; a log or a checkpoint that is not ours may say anything.
  if (put.key.size() > kKeyBytesHardMax || put.value.size() > kValueBytesHardMax) {
    return std::unexpected(Error(ErrorCode::kCorruption,
                                 file_->path() + ": a row with a key of " +
                                     std::to_string(put.key.size()) + " bytes and a value of " +
                                     std::to_string(put.value.size()) + " is none of a database"));
  }
  if (raw_.empty()) const engine::PayloadWriter begun(raw_, moment_ms_);
  const std::size_t before = raw_.size();
  engine::PayloadWriter::append_to(raw_, put);
  ASHLAR_ASSERT(raw_.size() - before <= kRowBytesMax, "K3: a row keeps to its limit");
  ++row_count_;
  return raw_.size() < kRawBytesPerBlock ? Result<void>() : write_block();
}

Result<void> CheckpointWriter::write_block() {
  stored_.resize(kBlockHeaderBytes + ZSTD_compressBound(raw_.size()));
  const std::size_t stored_bytes = ZSTD_compressCCtx(
      context_.get(), stored_.data() + kBlockHeaderBytes, stored_.size() - kBlockHeaderBytes,
      raw_.data(), raw_.size(), kCompressionLevel);
  ASHLAR_ASSERT(ZSTD_isError(stored_bytes) == 0, "a block compresses into its bound");
  ASHLAR_ASSERT(checkpoint_layout::can_stand_for(stored_bytes, raw_.size()),
                "K3: what is written can be read");
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

}  // namespace ashlar::memory
