/// \file
/// A key as the ordered side holds it: its bytes and its hash, and a link while it waits in a
/// queue.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "memory/heap/record_heap.h"

namespace ashlar::memory {

/// One allocation with its key, since it is made for each key added while somebody scans: a note
/// that is applied becomes the tree's entry as it is.
struct KeyNode {
  KeyNode* next;  ///< In a queue of changes; not used in the tree.
  std::uint64_t hash;
  std::uint32_t era;  ///< Of the ordered side for which a change was made.
  std::uint16_t key_bytes;
  bool is_removal;

  // The key follows.
  const char* bytes() const noexcept {
    return reinterpret_cast<const char*>(this) + sizeof(KeyNode);
  }
  std::string_view key() const noexcept { return {bytes(), key_bytes}; }
  std::size_t node_bytes() const noexcept { return sizeof(KeyNode) + key_bytes; }
};
static_assert(sizeof(KeyNode) == 24);

/// Returns: null when the budget is used up
inline KeyNode* make_key_node(RecordHeap& heap, Magazines& magazines, std::string_view key,
                              std::uint64_t hash) noexcept {
  ASHLAR_DEBUG_ASSERT(key.size() <= UINT16_MAX, "a key fits its length field");
  char* const memory = heap.allocate(magazines, sizeof(KeyNode) + key.size());
  if (memory == nullptr) return nullptr;
  auto* const node = new (memory) KeyNode{.next = nullptr,
                                          .hash = hash,
                                          .era = 0,
                                          .key_bytes = static_cast<std::uint16_t>(key.size()),
                                          .is_removal = false};
  std::memcpy(memory + sizeof(KeyNode), key.data(), key.size());
  return node;
}

inline void free_key_node(RecordHeap& heap, Magazines& magazines, KeyNode* node) noexcept {
  heap.free(magazines, reinterpret_cast<char*>(node), node->node_bytes());
}

}  // namespace ashlar::memory
