/// \file
/// A value that is kept apart from its row: the row has a reference, and the bytes stand where they
/// were written first.
///
///     reference   offset  size  field
///                      0     8  position of the value's first byte
///                      8     4  bytes of the value
///                     12     8  checksum
///
/// Positions below `kCollectedBit` are those of the log, and stay valid when the log has given up
/// that part of itself; those from there on are of files that the engine has collected values in.
///
/// Invariants:
///   V40  A reference says what its value is: a checksum of the bytes and of where they stand. So
///        other bytes in that place, and the same bytes of another reference, are never taken for
///        it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ashlar::engine {

/// The half of the positions that is none of the log's.
inline constexpr std::uint64_t kCollectedBit = std::uint64_t{1} << 63U;

struct ValueReference {
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;

  /// Of one that is stored.
  static constexpr std::size_t kBytes = 20;

  std::uint64_t end() const noexcept { return position + bytes; }
  bool operator==(const ValueReference&) const = default;
};

/// What the checksum of a value is made from, wherever it will stand.
///
/// Cost: as a copy of the value
std::uint64_t value_hash(std::string_view value) noexcept;

/// The checksum of the value with that hash at `position` (V40).
std::uint64_t value_checksum(std::uint64_t value_hash, std::uint64_t position) noexcept;

/// Writes `reference` to `to`, which has ValueReference::kBytes bytes.
void encode_value_reference(const ValueReference& reference, char* to) noexcept;

/// Returns: nullopt when `bytes` are not as long as a reference, or no value can lie there
std::optional<ValueReference> decode_value_reference(std::string_view bytes) noexcept;

}  // namespace ashlar::engine
