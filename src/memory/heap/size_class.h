/// \file
/// Which sizes records are rounded up to: 16 bytes apart up to 256, then eight sizes an octave, so
/// that at most an eighth is lost. Above the last class a record is an extent of its own.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ashlar::memory {

inline constexpr std::size_t kSlabBytesMin = 32;
inline constexpr std::size_t kSlabBytesMax = std::size_t{16} << 10U;
inline constexpr std::size_t kLinearBytesMax = 256;  // Up to here classes are 16 bytes apart.
inline constexpr std::size_t kLinearClassCount = (kLinearBytesMax - kSlabBytesMin) / 16 + 1;
inline constexpr std::size_t kOctaveCount = 6;  // 256 to 16 KiB.
inline constexpr std::size_t kSizeClassCount = kLinearClassCount + kOctaveCount * 8;

/// The class of the smallest size that holds `bytes`, which is at most kSlabBytesMax.
constexpr std::size_t size_class_of(std::size_t bytes) noexcept {
  if (bytes <= kSlabBytesMin) return 0;
  if (bytes <= kLinearBytesMax) return (bytes + 15 - kSlabBytesMin) / 16;
  // Octave o holds 256 * 2^o + 1 to 256 * 2^(o + 1): a size that is a power of two is the last of
  // its octave, hence `bytes - 1`. The 9 is the width of 256.
  const auto octave = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 9;
  const std::size_t step_shift = octave + 5;  // An eighth of the octave.
  return kLinearClassCount + octave * 8 + ((bytes - 1 - (kLinearBytesMax << octave)) >> step_shift);
}

/// The size of a class in bytes.
constexpr std::size_t size_of_class(std::size_t size_class) noexcept {
  if (size_class < kLinearClassCount) return kSlabBytesMin + size_class * 16;
  const std::size_t octave = (size_class - kLinearClassCount) / 8;
  const std::size_t step = (size_class - kLinearClassCount) % 8 + 1;
  return (kLinearBytesMax << octave) + (step << (octave + 5));
}

static_assert(size_of_class(kSizeClassCount - 1) == kSlabBytesMax);
static_assert(size_class_of(kSlabBytesMax) == kSizeClassCount - 1);
static_assert(size_of_class(size_class_of(128)) == 128);
static_assert(size_of_class(size_class_of(257)) == 288);

}  // namespace ashlar::memory
