/// \file
/// Which block of a table may have a key, and where it lies.
///
/// For each block there is a separator: above every key before the block, and no key in the block
/// is below it; the shortest there is. The first separator is the first key. A search goes down a
/// tree of the separators' heads, the eight bytes behind what all of them have in common. A node is
/// sixteen heads, two neighbouring lines; ten thousand blocks have three levels above their heads,
/// of 6 KiB in all. So a search costs one miss, on the lowest level, while those above stay cached,
/// and one more where heads are equal and the separators decide.
///
/// Invariants:
///   G6  Separators ascend strictly; each is above all keys of the blocks before its own, and not
///       above any key of its own.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory/mapped_allocator.h"

namespace ashlar::table {

/// The shortest beginning of `key` that is above `below`, which is below `key`.
std::string_view shortest_separator(std::string_view below, std::string_view key) noexcept;

/// Collects the entries of an index.
///
/// Threads: externally synchronised.
class TableIndexBuilder {
 public:
  struct Entry {
    std::string separator = {};      ///< Said, so that g++ 12 lets it be left out of a list.
    std::uint64_t stored_bytes = 0;  ///< Without the trailer.
    std::uint64_t raw_bytes = 0;
  };

  /// Adds the entry of the next block (G6).
  void add(Entry entry);

  std::size_t block_count() const noexcept { return entries_.size(); }

  /// The index as it is stored. At least one block was added.
  std::string finish() const;

 private:
  base::MappedVector<Entry> entries_;
};

/// Threads: immutable.
class TableIndex {
 public:
  /// Where a block lies.
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t stored_bytes = 0;  ///< Without the trailer.
    std::uint64_t raw_bytes = 0;
  };

  /// Reads an index from bytes that were stored, of blocks that fill `data_bytes`.
  ///
  /// Returns: nullopt when it is none
  static std::optional<TableIndex> load(std::string_view stored, std::uint64_t data_bytes);

  std::size_t block_count() const noexcept { return raw_bytes_.size(); }

  /// The only block that may have `key`: the first one for a key that is before all others.
  ///
  /// Cost: about one cache miss, two where separators have equal heads; no allocation
  std::size_t block_of(std::string_view key) const noexcept;

  Place place(std::size_t block) const noexcept;
  std::uint64_t raw_bytes(std::size_t block) const noexcept { return raw_bytes_[block]; }

  /// See the head of this file.
  std::string separator(std::size_t block) const;

  /// What it takes in memory.
  std::size_t bytes() const noexcept;

 private:
  static constexpr std::size_t kHeadsPerNode = 16;

  struct alignas(64) Node {
    std::array<std::uint64_t, kHeadsPerNode> heads;
  };
  static_assert(sizeof(Node) == 128, "a node is two neighbouring lines");

  struct Level {
    std::size_t first_node = 0;  // In `nodes_`.
    std::size_t head_count = 0;
  };

  TableIndex() = default;
  bool load_entries(std::string_view stored, std::uint64_t data_bytes,
                    base::MappedVector<std::uint64_t>& heads);
  bool load_entry(std::string_view& stored);
  void build_levels(base::MappedVector<std::uint64_t> heads);
  Level add_level(const base::MappedVector<std::uint64_t>& heads);
  std::size_t count_up_to(std::uint64_t head) const noexcept;
  std::uint64_t head(std::size_t block) const noexcept;
  std::string_view rest(std::size_t block) const noexcept;

  std::string prefix_;
  base::MappedVector<Node> nodes_;                 // Of all levels,
  std::vector<Level> levels_;                      // the one with the fewest heads first.
  base::MappedVector<char> rests_;                 // Separators behind the prefix,
  base::MappedVector<std::uint32_t> rest_begins_;  // one more than blocks.
  base::MappedVector<std::uint64_t> offsets_;      // Likewise: the last is the end of all blocks.
  base::MappedVector<std::uint32_t> raw_bytes_;
};

}  // namespace ashlar::table
