/// \file
/// How a checkpoint lies in its file, for the one that writes it and the one that reads it:
/// docs/formats/checkpoint.md.
///
///     header   offset  size  field
///                   0     8  magic "ashlrckp"
///                   8     4  version
///                  12     4  chain at the origin
///                  16     8  position of the origin
///                  24     8  commit before the origin
///                  32     8  moment in milliseconds
///                  40     8  checksum of the bytes before
///     block    stored bytes 4, raw bytes 4, checksum 8, then the stored bytes
///     footer   as the header of a block with no stored bytes, then
///              blocks 8, rows 8, end position 8
///
/// Invariants:
///   K1 and K2 in checkpoint_file.h
///   K3  No block stands for more than `can_stand_for` allows. Whoever reads one takes memory for
///       what has come out of it, and not for what it says it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "ashlar/options.h"
#include "base/hash.h"

namespace ashlar::memory::checkpoint_layout {

inline constexpr std::string_view kMagic = "ashlrckp";
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 48;
inline constexpr std::size_t kBlockHeaderBytes = 16;
inline constexpr std::size_t kFooterBytes = 24;

/// A block is full with so many bytes: long enough to compress well.
inline constexpr std::size_t kRawBytesPerBlock = std::size_t{64} << 10U;

/// The longest row: the longest key and value, and room for kind, lengths and deadline.
inline constexpr std::size_t kRowBytesMax = kKeyBytesHardMax + kValueBytesHardMax + 64;

/// The longest block before compression: one that was not yet full, and the longest row.
inline constexpr std::size_t kRawBytesMax = kRawBytesPerBlock + kRowBytesMax;
static_assert(kRawBytesMax <= std::numeric_limits<std::uint32_t>::max(), "a block has its length");

/// zstd spends at least a block of four bytes on 128 KiB, so no stored byte stands for more.
inline constexpr std::uint64_t kRawBytesPerStoredByte = std::uint64_t{1} << 15U;

/// How far back stored bytes may refer, as a power of two: what zstd's format recommends that
/// writers keep to.
///
/// Source: RFC 8878, section 3.1.1.1.2
inline constexpr int kWindowLogMax = 23;

/// Whether a block can be one that was written (K3).
constexpr bool can_stand_for(std::uint64_t stored_bytes, std::uint64_t raw_bytes) noexcept {
  return raw_bytes <= kRawBytesMax && raw_bytes / kRawBytesPerStoredByte <= stored_bytes;
}

/// Covers a block's bytes, its place among the blocks and its length before compression (K1).
inline std::uint64_t block_checksum(std::string_view stored, std::uint64_t index,
                                    std::uint32_t raw_bytes) noexcept {
  return base::hash_key(stored, base::hash_key({}, index << 32U ^ raw_bytes));
}

}  // namespace ashlar::memory::checkpoint_layout
