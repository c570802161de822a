/// \file
/// All rows of an in-memory engine as a file, so that a log need not be kept from its beginning.
///
/// A checkpoint is written beside writers, so it stands for no one moment: it holds every commit
/// before `origin`, and any of those up to `end`. Replaying the log from `origin` to `end` or
/// further makes it whole, since every operation in the log says what a key became and not how it
/// changed. Layout: docs/formats/checkpoint.md.
///
/// Invariants:
///   K1  A file without a footer is no checkpoint; with one, every byte of it is covered by a
///       checksum that also says which block it is.
///   K2  A checkpoint is of use only with a log that reaches `end`: that much is durable before the
///       file gets its name.
///   K3 in checkpoint_layout.h
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ashlar/result.h"
#include "engine/log_place.h"
#include "engine/operation.h"
#include "engine/operation_codec.h"
#include "os/file.h"

struct ZSTD_CCtx_s;

namespace ashlar::memory {

/// Writes a checkpoint.
///
/// Threads: externally synchronised.
class CheckpointWriter {
 public:
  /// Creates the file `path`, which must not exist.
  ///
  /// Errors: kIo, kOutOfSpace
  static Result<std::unique_ptr<CheckpointWriter>> create(os::Disk& disk, const std::string& path,
                                                          const engine::LogPlace& origin,
                                                          engine::TimeMs moment_ms);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Errors: kCorruption  the row is longer than a database takes; kIo, kOutOfSpace
  /// Cost:   compresses and writes a block once in some hundred rows
  Result<void> add(const engine::Operation& put);

  /// Writes the footer and makes the file durable. The log up to `end` is durable already (K2).
  Result<void> finish(std::uint64_t end);

  std::uint64_t row_count() const noexcept { return row_count_; }
  std::uint64_t file_bytes() const noexcept { return offset_; }

 private:
  CheckpointWriter(std::unique_ptr<os::File> file, engine::TimeMs moment_ms);
  Result<void> write(std::string_view bytes);
  Result<void> write_block();

  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };

  const std::unique_ptr<os::File> file_;
  const engine::TimeMs moment_ms_;
  const std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;
  std::uint64_t offset_ = 0;
  std::uint64_t block_count_ = 0;
  std::uint64_t row_count_ = 0;
  std::string raw_;  // The block at hand, as a payload of operations.
  std::string stored_;
};

}  // namespace ashlar::memory
