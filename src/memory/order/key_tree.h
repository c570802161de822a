/// \file
/// The ordered set of keys: a B+ tree over key nodes.
///
/// A node keeps, for each of its up to 64 keys, the eight bytes that follow the prefix which all of
/// them share, so a search in it compares numbers in one or two cache lines and looks at a key
/// itself only where those are equal. Leaves are linked both ways.
///
/// Invariants:
///   O1  Keys ascend strictly within a leaf and from leaf to leaf.
///   O2  Every key under child i of an inner node is at or after separator i and before separator
///       i + 1. Separators are copies: they need not be keys of the set.
///   O3  No leaf but the root is empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "memory/heap/record_heap.h"
#include "memory/order/key_node.h"

namespace ashlar::memory {

/// Keys copied out of the tree, in ascending or descending order.
struct KeyList {
  struct Entry {
    std::uint64_t hash;
    std::uint32_t offset;  // Into `bytes`.
    std::uint32_t key_bytes;
  };
  std::vector<Entry> entries;
  std::string bytes;

  void clear() noexcept {
    entries.clear();
    bytes.clear();
  }
  void add(const KeyNode& node);
  std::string_view key(std::size_t index) const noexcept {
    return {bytes.data() + entries[index].offset, entries[index].key_bytes};
  }
};

/// Threads: externally synchronised; calls that are const may run side by side.
class KeyTree {
 public:
  /// The memory of a tree that is not cleared goes with `heap`.
  explicit KeyTree(RecordHeap& heap) noexcept : heap_(heap) {}
  KeyTree(const KeyTree&) = delete;
  KeyTree& operator=(const KeyTree&) = delete;

  enum class Added : std::uint8_t { kYes, kWasThere, kNoMemory };

  /// Adds `node`, which then belongs to the tree unless the answer is not kYes.
  Added add(Magazines& magazines, KeyNode* node) noexcept;

  /// Removes `key` if it is there and frees its node.
  void remove(Magazines& magazines, std::string_view key) noexcept;

  bool contains(std::string_view key) const noexcept;

  struct Node;

  /// Where a walk goes on; good for as long as no key is added or removed.
  struct Position {
    const Node* leaf = nullptr;
    unsigned index = 0;
    std::uint64_t version = 0;
  };

  /// Copies up to `count_max` keys from the first at or after `from` on, ascending. Begins at
  /// `position`, where that is still good, without looking for `from`; leaves in it where the next
  /// call can go on. May throw bad_alloc.
  void collect_from(std::string_view from, std::size_t count_max, KeyList& out,
                    Position& position) const;

  /// Copies up to `count_max` keys from the last one on, or from the last before `before`,
  /// descending.
  void collect_before(const std::string_view* before, std::size_t count_max, KeyList& out) const;

  /// Frees everything.
  void clear(Magazines& magazines) noexcept;

  std::size_t count() const noexcept { return count_; }
  std::size_t charged_bytes() const noexcept { return charged_bytes_; }

  /// Aborts when an invariant is broken.
  void check() const;

 private:
  static constexpr unsigned kFanout = 64;
  struct Place {
    const Node* leaf;
    unsigned index;
  };

  Node* make_node(Magazines& magazines, bool is_leaf) noexcept;
  void free_node(Magazines& magazines, Node* node) noexcept;
  void free_subtree(Magazines& magazines, Node* node) noexcept;
  bool split_child(Magazines& magazines, Node* parent, unsigned index, bool is_append) noexcept;
  bool grow_root(Magazines& magazines) noexcept;
  bool remove_below(Magazines& magazines, Node* node, std::string_view key) noexcept;
  void remove_child(Magazines& magazines, Node* node, unsigned index) noexcept;
  Place lower_bound(std::string_view key) const noexcept;
  void check_node(const Node* node, const KeyNode* low, const KeyNode* high) const;

  RecordHeap& heap_;
  Node* root_ = nullptr;
  std::size_t count_ = 0;
  std::size_t charged_bytes_ = 0;
  std::uint64_t version_ = 1;  // Of the set: changes with every key.
};

}  // namespace ashlar::memory
