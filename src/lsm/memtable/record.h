/// \file
/// How a key and its versions lie in a memtable's arena.
///
///     KeyNode   offset  size  field
///                    0     4  newest      place of the newest version
///                    4     2  key_bytes
///                    6     n  key
///               padding to 8; then the key's first version, in the same cache lines as a rule
///
///     RowVersion     0     8  sequence
///                    8     4  shape       bits 0-29 value bytes, 30 has a deadline, 31 is an
///                                         erase; all of bits 0-29: the value is a reference
///                   12     4  older       place of the version before; 0: none
///                   16     8  deadline    only where there is one
///                    …     n  value
///
/// Invariants:
///   N1  What a reader can reach is complete and never changes, but for `newest`.
///   N2  Along a chain, from the newest version to the oldest, sequences never increase; of two of
///       one sequence the one inserted later comes first.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "ashlar/snapshot.h"
#include "base/assert.h"
#include "base/coding.h"
#include "base/hints.h"
#include "engine/operation.h"
#include "engine/value_reference.h"
#include "lsm/memtable/arena.h"

namespace ashlar::lsm {

/// Where a record begins in its arena, in units of eight bytes: 32 bits reach 32 GiB.
using Place = std::uint32_t;
inline constexpr Place kNowhere = 0;
inline constexpr std::size_t kPlaceUnitBytes = Arena::kAlignmentBytes;
inline constexpr std::size_t kPlaceBytesMax = std::size_t{1} << 35U;

struct RowVersion {
  Sequence sequence;
  std::uint32_t shape;
  Place older;

  static constexpr std::uint32_t kEraseBit = std::uint32_t{1} << 31U;
  static constexpr std::uint32_t kDeadlineBit = std::uint32_t{1} << 30U;
  static constexpr std::size_t kValueBytesMax = std::size_t{512} << 20U;
  static constexpr std::uint32_t kApart = kDeadlineBit - 1;  // As the length.
  static_assert(kValueBytesMax < kApart, "the length of a value fits its field");

  bool is_erase() const noexcept { return (shape & kEraseBit) != 0; }
  bool is_apart() const noexcept { return (shape & kApart) == kApart; }
  bool has_deadline() const noexcept { return (shape & kDeadlineBit) != 0; }
  engine::OperationKind kind() const noexcept {
    if (is_erase()) return engine::OperationKind::kErase;
    return is_apart() ? engine::OperationKind::kPutApart : engine::OperationKind::kPut;
  }
  engine::TimeMs deadline_ms() const noexcept {
    return has_deadline() ? base::load_number<engine::TimeMs>(after()) : engine::kNever;
  }
  std::string_view value() const noexcept {
    const std::size_t bytes = is_apart() ? engine::ValueReference::kBytes : shape & kApart;
    return {after() + (has_deadline() ? sizeof(engine::TimeMs) : 0), bytes};
  }

  /// What follows the fixed part.
  const char* after() const noexcept {
    return reinterpret_cast<const char*>(this) + sizeof(RowVersion);
  }
};
static_assert(sizeof(RowVersion) == 16);

struct KeyNode {
  std::atomic<Place> newest;
  std::uint16_t key_bytes;

  static constexpr std::size_t kKeyOffset = 6;

  std::string_view key() const noexcept {
    return {reinterpret_cast<const char*>(this) + kKeyOffset, key_bytes};
  }

  /// The bytes in front of the first version.
  static constexpr std::size_t bytes_of(std::size_t key_bytes) noexcept {
    return Arena::round_up(kKeyOffset + key_bytes);
  }
};

/// What an insert may use up: a new key, and a version with a deadline.
constexpr std::size_t record_bytes_max(const engine::Operation& operation) noexcept {
  return KeyNode::bytes_of(operation.key.size()) +
         Arena::round_up(sizeof(RowVersion) + sizeof(engine::TimeMs) + operation.value.size());
}

/// The records of one memtable.
///
/// Threads: `add_node` and `add_version` by the one writer; all else by anyone.
class Records {
 public:
  explicit Records(Arena& arena) noexcept : arena_(arena), begin_(arena.begin()) {}

  const KeyNode& node(Place place) const noexcept {
    return *reinterpret_cast<const KeyNode*>(begin_ + place * kPlaceUnitBytes);
  }
  const RowVersion& version(Place place) const noexcept {
    return *reinterpret_cast<const RowVersion*>(begin_ + place * kPlaceUnitBytes);
  }

  /// Starts loading the first lines of a node; most rows with their first version lie in two.
  void prefetch(Place place) const noexcept {
    const char* const node = begin_ + place * kPlaceUnitBytes;
    base::prefetch(node);
    base::prefetch(node + 64);
  }

  /// The newest version of `node` at or below `sequence`; null when there is none.
  const RowVersion* newest_at(const KeyNode& node, Sequence sequence) const noexcept {
    // Acquire: partner of the release in `add_version`; the version is complete (N1).
    Place place = node.newest.load(std::memory_order_acquire);
    while (place != kNowhere) {
      const RowVersion& found = version(place);
      if (found.sequence <= sequence) return &found;
      place = found.older;  // Published together with its successor or before.
    }
    return nullptr;
  }

  /// Writes a node with its first version. Nobody sees it until its place is published.
  ///
  /// Cost: no memory is taken; the room was reserved
  Place add_node(const engine::Operation& operation, Sequence sequence) noexcept {
    char* const memory = arena_.allocate(KeyNode::bytes_of(operation.key.size()));
    const Place first = write_version(operation, sequence, kNowhere);
    auto* const node = new (memory)
        KeyNode{.newest = first, .key_bytes = static_cast<std::uint16_t>(operation.key.size())};
    ASHLAR_ASSERT(node->key_bytes == operation.key.size(), "a key fits its length field");
    std::memcpy(memory + KeyNode::kKeyOffset, operation.key.data(), operation.key.size());
    return place_of(memory);
  }

  /// Puts a version in front of those that the node at `place` has.
  void add_version(Place place, const engine::Operation& operation, Sequence sequence) noexcept {
    auto& node = *reinterpret_cast<KeyNode*>(begin_ + place * kPlaceUnitBytes);
    const Place older = node.newest.load(std::memory_order_relaxed);
    ASHLAR_ASSERT(version(older).sequence <= sequence, "N2: a chain is added to in order");
    // Release: partner of the acquire in `newest_at`.
    node.newest.store(write_version(operation, sequence, older), std::memory_order_release);
  }

 private:
  Place place_of(const char* memory) const noexcept {
    return static_cast<Place>(static_cast<std::size_t>(memory - begin_) / kPlaceUnitBytes);
  }

  Place write_version(const engine::Operation& operation, Sequence sequence, Place older) noexcept;

  Arena& arena_;
  char* const begin_;
};

}  // namespace ashlar::lsm
