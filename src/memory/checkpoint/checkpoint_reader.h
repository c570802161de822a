/// \file
/// Reads checkpoints: strictly, for a database that begins from one, and with what is damaged left
/// out, for the tools that say what is wrong and keep what is left.
///
/// Invariants:
///   K1 and K2 in checkpoint_file.h, K3 in checkpoint_layout.h. No row is handed out whose block
///   has not proved good, by either way of reading.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "engine/log_place.h"
#include "memory/checkpoint/checkpoint_file.h"
#include "os/file.h"

namespace ashlar::memory {

/// What a checkpoint tells about itself.
struct CheckpointReport {
  engine::LogPlace origin;
  engine::TimeMs moment_ms = 0;  ///< When it was begun.
  std::uint64_t end = 0;         ///< The log must reach this.
  std::uint64_t block_count = 0;
  std::uint64_t row_count = 0;
};

/// Takes the rows of a block, as a payload of puts (engine/operation_codec.h).
using BlockVisitor = std::function<Result<void>(std::string_view payload)>;

/// Reads the checkpoint `path` and hands its rows to `visit`, block by block.
///
/// Errors: kCorruption  it is damaged: names file and offset; some rows may have been handed out
///         kIo; those of `visit`
Result<CheckpointReport> read_checkpoint(os::Disk& disk, const std::string& path,
                                         const BlockVisitor& visit);

/// A piece of a checkpoint that cannot be read.
struct CheckpointDamage {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  ///< Up to the next thing that can be read.
  std::string what;
};

/// What is left of a checkpoint.
struct CheckpointSalvage {
  CheckpointReport report;  ///< Origin and moment from the header, the rest from the footer.
  bool has_header = false;
  bool has_footer = false;
  std::uint64_t file_bytes = 0;
  std::uint64_t read_block_count = 0;
  std::uint64_t read_row_count = 0;
  std::vector<CheckpointDamage> damages;  ///< Ascending; none in a checkpoint that is sound.
};

/// As `read_checkpoint`, and goes on behind what is damaged: a block is found again by its
/// checksum, which says which block it is.
///
/// Errors: kCorruption  there is no such file
///         kIo; those of `visit`
/// Cost:   besides reading, a search through what is damaged
Result<CheckpointSalvage> salvage_checkpoint(os::Disk& disk, const std::string& path,
                                             const BlockVisitor& visit);

}  // namespace ashlar::memory
