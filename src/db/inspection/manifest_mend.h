/// \file
/// Undoes a single flipped bit in a manifest: the one fault that all tables would be lost by.
///
/// Its checksum covers every byte, so a content that has the right one after one bit was changed is
/// the content that was written, but for a chance of 2^-45. All else is left for a repair that has
/// an older manifest.
///
/// Invariants:
///   I1 of inspect.h, I11 of table_survey.h
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "ashlar/result.h"
#include "lsm/manifest.h"
#include "os/disk.h"

namespace ashlar::db {

/// A longer one, of about a thousand tables, is not mended: trying takes the square of its length.
inline constexpr std::size_t kMendedBytesMax = std::size_t{64} << 10U;

/// Reads the damaged manifest `path`.
///
/// Returns: what it held; nullopt when more than a bit was changed
/// Errors:  kIo
/// Cost:    a checksum of the whole for each bit: 3 s at most
Result<std::optional<lsm::Manifest>> mend_manifest(os::Disk& disk, const std::string& path);

}  // namespace ashlar::db
