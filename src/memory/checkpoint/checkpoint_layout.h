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
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/hash.h"

namespace ashlar::memory::checkpoint_layout {

inline constexpr std::string_view kMagic = "ashlrckp";
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 48;
inline constexpr std::size_t kBlockHeaderBytes = 16;
inline constexpr std::size_t kFooterBytes = 24;

/// Covers a block's bytes, its place among the blocks and its length before compression (K1).
inline std::uint64_t block_checksum(std::string_view stored, std::uint64_t index,
                                    std::uint32_t raw_bytes) noexcept {
  return base::hash_key(stored, base::hash_key({}, index << 32U ^ raw_bytes));
}

}  // namespace ashlar::memory::checkpoint_layout
