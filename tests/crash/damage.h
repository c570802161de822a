/// \file
/// What can befall a file between two openings, and all of it that befalls a directory in the
/// campaign `bitrot`, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bitrot_world.h"
#include "os/simulated_disk.h"
#include "testing/random.h"

namespace ashlar::crash {

enum class DamageKind : std::uint8_t {
  kBit,         ///< One bit is another.
  kZeroBlock,   ///< 4 KiB are zeros.
  kStaleBlock,  ///< 4 KiB are what they were earlier, as if a write had been lost.
  kSwapBlocks,  ///< Two times 4 KiB have changed places, as if writes had been misdirected.
  kTruncate,    ///< The file is shorter.
  kRemove,      ///< The file is gone.
  kOldCopy,     ///< The file is what it was earlier.
};
inline constexpr std::size_t kDamageKindCount = 7;
inline constexpr const char* kDamageNames[kDamageKindCount] = {
    "bits", "zeroed", "stale", "swapped", "truncated", "removed", "old"};

constexpr const char* name_of(DamageKind kind) noexcept {
  return kDamageNames[static_cast<std::size_t>(kind)];
}

struct Damage {
  // The empty initialisers let g++ 12 leave members out of a list.
  DamageKind kind = DamageKind::kBit;
  std::string path = {};
  std::uint64_t offset = 0;  ///< In bytes; where a block begins, or the file now ends.
  unsigned bit = 0;
  std::string other_path = {};  ///< Of the second block.
  std::uint64_t other_offset = 0;
  std::size_t version = 0;  ///< Of the file, in the history of the world.
};

/// How much damage to do.
struct DamagePlan {
  std::uint64_t bit_stride = 1;         ///< Of so many bits of a short file one is flipped.
  std::uint64_t long_file_flips = 100;  ///< Random ones, in each file that is not short.
  std::uint64_t stale_max = 12;         ///< Earlier contents of each block, at most.
  std::uint64_t old_max = 40;           ///< Earlier contents of each file, at most.
  std::uint64_t swap_max = 60;          ///< Pairs of blocks in a long file.
};

/// Every damage that is to be done to `world`, in an order that is the same each time.
std::vector<Damage> damages_of(const World& world, const DamagePlan& plan, testing::Random& random);

/// Does it to `disk`, a clone of the world's.
void inflict(const Damage& damage, const World& world, os::SimulatedDisk& disk);

/// In words, with all that is needed to do it again.
std::string describe(const Damage& damage);

}  // namespace ashlar::crash
