// The B+ tree of keys, and how its nodes are searched.
//
//     inner   children [ c0 | c1 | c2 ]       keys [ - | k1 | k2 ]     c0 < k1 <= c1 < k2 <= c2
//     leaf    keys     [ k0 | k1 | k2 ]  <-> next leaf
//
//     heads   of each key the eight bytes after the prefix that all keys of the node share, as a
//             number that orders as the bytes do
//
// Insertion splits full nodes on its way down, so that a parent has room when its child is split;
// removal frees a node only when it is empty and never merges two: the tree lives as long as
// somebody scans, and is built anew after that.

#include "memory/order/key_tree.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/hints.h"

namespace ashlar::memory {

/// A leaf holds `count` keys; an inner node `count` children, key i separating child i from the one
/// before it. Key 0 of an inner node separates nothing and is left out of prefix and search.
struct KeyTree::Node {
  std::uint32_t count;
  std::uint32_t prefix_bytes;  // Shared by all keys of the node.
  bool is_leaf;
  Node* previous;  // Of a leaf.
  Node* next;
  std::uint64_t heads[kFanout];  // What a search compares: all of them in eight cache lines.
  KeyNode* keys[kFanout];        // Of a leaf the keys themselves, of an inner node separators.
  Node* children[kFanout];       // Last, and left out of the allocation of a leaf.

  static constexpr std::size_t bytes(bool is_leaf) noexcept {
    return sizeof(Node) - (is_leaf ? sizeof(children) : 0);
  }

  /// A key that ends sooner is filled up with zero bytes, which keeps the order but makes it equal
  /// to one that has such bytes: `lower_bound` looks at the keys then.
  std::uint64_t head_of(std::string_view key) const noexcept {
    std::uint64_t head = 0;
    if (key.size() > prefix_bytes) {
      std::memcpy(&head, key.data() + prefix_bytes,
                  std::min<std::size_t>(8, key.size() - prefix_bytes));
    }
    return std::endian::native == std::endian::little ? __builtin_bswap64(head) : head;
  }

  /// The first key that is searched.
  unsigned first() const noexcept { return is_leaf ? 0 : 1; }

  /// The index of the first searched key at or after `key`.
  unsigned lower_bound(std::string_view key) const noexcept {
    if (count <= first()) return count;
    // All keys of the node share the prefix, so one that differs in it lies before all or behind.
    const std::string_view prefix = keys[first()]->key().substr(0, prefix_bytes);
    const int order = key.substr(0, prefix_bytes).compare(prefix);
    if (order != 0) return order < 0 ? first() : count;
    const std::uint64_t head = head_of(key);
    auto index =
        static_cast<unsigned>(std::lower_bound(heads + first(), heads + count, head) - heads);
    // Equal heads do not mean equal keys: zero bytes and an end look alike, and more may follow.
    while (index < count && heads[index] == head && keys[index]->key() < key) ++index;
    return index;
  }

  /// The child that `key` belongs under.
  unsigned child_for(std::string_view key) const noexcept {
    const unsigned index = lower_bound(key);
    const bool is_exact = index < count && keys[index]->key() == key;
    return is_exact ? index : index - 1;
  }

  /// Finds the prefix and the heads anew, after keys have come or gone.
  void renew_heads() noexcept {
    prefix_bytes = 0;
    if (count > first()) {
      const std::string_view lowest = keys[first()]->key();
      const std::string_view highest = keys[count - 1]->key();
      const std::size_t limit = std::min(lowest.size(), highest.size());
      while (prefix_bytes < limit && lowest[prefix_bytes] == highest[prefix_bytes]) ++prefix_bytes;
    }
    for (unsigned i = first(); i < count; ++i) base::prefetch(keys[i]);
    for (unsigned i = first(); i < count; ++i) heads[i] = head_of(keys[i]->key());
  }

  /// Puts a key, and in an inner node the child that follows it, at `index`. The shared prefix can
  /// only become shorter by that, and only when the key does not have it.
  void insert(unsigned index, KeyNode* key, Node* child) noexcept {
    ASHLAR_ASSERT(count < kFanout, "a node that takes a key has room for it");
    std::copy_backward(keys + index, keys + count, keys + count + 1);
    std::copy_backward(heads + index, heads + count, heads + count + 1);
    if (!is_leaf) std::copy_backward(children + index, children + count, children + count + 1);
    keys[index] = key;
    if (!is_leaf) children[index] = child;
    ++count;
    const unsigned neighbour = index == first() ? first() + 1 : first();
    const bool shares_prefix =
        neighbour < count &&
        key->key().substr(0, prefix_bytes) == keys[neighbour]->key().substr(0, prefix_bytes);
    if (shares_prefix) {
      heads[index] = head_of(key->key());
    } else {
      renew_heads();
    }
  }

  /// Takes a key out. The prefix may be longer now than it says, which costs a search nothing.
  void erase(unsigned index) noexcept {
    ASHLAR_ASSERT(index < count, "only a key of the node is taken out");
    std::copy(keys + index + 1, keys + count, keys + index);
    std::copy(heads + index + 1, heads + count, heads + index);
    if (!is_leaf) std::copy(children + index + 1, children + count, children + index);
    --count;
  }
};

void KeyList::add(const KeyNode& node) {
  const std::string_view key = node.key();
  entries.push_back({.hash = node.hash,
                     .offset = static_cast<std::uint32_t>(bytes.size()),
                     .key_bytes = static_cast<std::uint32_t>(key.size())});
  bytes.append(key);
}

KeyTree::Node* KeyTree::make_node(Magazines& magazines, bool is_leaf) noexcept {
  char* const memory = heap_.allocate(magazines, Node::bytes(is_leaf));
  if (memory == nullptr) return nullptr;
  charged_bytes_ += RecordHeap::charged_bytes(Node::bytes(is_leaf));
  Node* const node = reinterpret_cast<Node*>(memory);
  node->count = 0;
  node->prefix_bytes = 0;
  node->is_leaf = is_leaf;
  node->previous = nullptr;
  node->next = nullptr;
  return node;
}

void KeyTree::free_node(Magazines& magazines, Node* node) noexcept {
  const std::size_t bytes = Node::bytes(node->is_leaf);
  charged_bytes_ -= RecordHeap::charged_bytes(bytes);
  heap_.free(magazines, reinterpret_cast<char*>(node), bytes);
}

/// Puts a new root above the old one, or makes the first, a leaf. Returns false, with the tree as
/// it was, when there is no memory.
bool KeyTree::grow_root(Magazines& magazines) noexcept {
  Node* const root = make_node(magazines, root_ == nullptr);
  if (root == nullptr) return false;
  if (root_ != nullptr) {
    const KeyNode* const lowest = root_->keys[0];
    KeyNode* const separator = make_key_node(heap_, magazines, lowest->key(), lowest->hash);
    if (separator == nullptr) {
      free_node(magazines, root);
      return false;
    }
    // Key 0 of an inner node is never compared; it is there so that keys and children run in step.
    root->insert(0, separator, root_);
  }
  root_ = root;
  return true;
}

/// Moves the upper part of a full child into a new sibling. `is_append` leaves the child full: keys
/// that come in order then fill their leaves. All memory is had before anything moves.
bool KeyTree::split_child(Magazines& magazines, Node* parent, unsigned index,
                          bool is_append) noexcept {
  Node* const left = parent->children[index];
  ASHLAR_ASSERT(left->count == kFanout, "only a full node is split");
  ASHLAR_ASSERT(parent->count < kFanout, "a parent has room for another child");
  const unsigned keep = is_append ? kFanout - 1 : kFanout / 2;
  const KeyNode* const first = left->keys[keep];
  KeyNode* const separator = make_key_node(heap_, magazines, first->key(), first->hash);
  Node* const right = separator == nullptr ? nullptr : make_node(magazines, left->is_leaf);
  if (right == nullptr) {
    if (separator != nullptr) free_key_node(heap_, magazines, separator);
    return false;
  }
  std::copy(left->keys + keep, left->keys + left->count, right->keys);
  if (!left->is_leaf) {
    std::copy(left->children + keep, left->children + left->count, right->children);
  }
  // The separator is a copy: the key itself stays in its leaf and may go from there (O2).
  right->count = left->count - keep;
  left->count = keep;
  left->renew_heads();
  right->renew_heads();
  if (left->is_leaf) {
    right->previous = left;
    right->next = left->next;
    if (left->next != nullptr) left->next->previous = right;
    left->next = right;
  }
  parent->insert(index + 1, separator, right);
  return true;
}

// Splits on the way down are not undone when the key is not added after all: the set is the same.
KeyTree::Added KeyTree::add(Magazines& magazines, KeyNode* node) noexcept {
  ++version_;  // Nodes may be split even where the key is not added.
  if (root_ == nullptr && !grow_root(magazines)) return Added::kNoMemory;
  const std::string_view key = node->key();
  if (root_->count == kFanout && !grow_root(magazines)) return Added::kNoMemory;
  Node* at = root_;
  while (!at->is_leaf) {
    unsigned index = at->child_for(key);
    if (at->children[index]->count == kFanout) {
      const bool is_append =
          index + 1 == at->count && at->children[index]->keys[kFanout - 1]->key() < key;
      if (!split_child(magazines, at, index, is_append)) return Added::kNoMemory;
      index = at->child_for(key);
    }
    at = at->children[index];
  }
  const unsigned index = at->lower_bound(key);
  if (index < at->count && at->keys[index]->key() == key) return Added::kWasThere;
  at->insert(index, node, nullptr);
  ++count_;
  charged_bytes_ += RecordHeap::charged_bytes(node->node_bytes());
  return Added::kYes;
}

// A root with one child gives way to it, so that a tree that shrinks gets lower again.
void KeyTree::remove(Magazines& magazines, std::string_view key) noexcept {
  if (root_ == nullptr) return;
  ++version_;
  const bool is_empty = remove_below(magazines, root_, key);
  // An empty leaf may stay as the root (O3); an empty inner node would have no leaf below it.
  if (is_empty && !root_->is_leaf) {
    free_node(magazines, root_);
    root_ = nullptr;
    return;
  }
  while (!root_->is_leaf && root_->count == 1) {
    Node* const child = root_->children[0];
    free_key_node(heap_, magazines, root_->keys[0]);
    free_node(magazines, root_);
    root_ = child;
  }
}

/// Returns true when `node` has become empty.
bool KeyTree::remove_below(Magazines& magazines, Node* node, std::string_view key) noexcept {
  if (!node->is_leaf) {
    const unsigned index = node->child_for(key);
    if (remove_below(magazines, node->children[index], key)) remove_child(magazines, node, index);
    return node->count == 0;
  }
  const unsigned index = node->lower_bound(key);
  if (index < node->count && node->keys[index]->key() == key) {
    KeyNode* const removed = node->keys[index];
    node->erase(index);
    --count_;
    charged_bytes_ -= RecordHeap::charged_bytes(removed->node_bytes());
    free_key_node(heap_, magazines, removed);
  }
  return node->count == 0;
}

/// Unlinks an empty child and frees it with its separator. When child 0 goes, the next one takes
/// its place, and from then on the keys below its separator too: nothing is compared with key 0.
void KeyTree::remove_child(Magazines& magazines, Node* node, unsigned index) noexcept {
  Node* const child = node->children[index];
  ASHLAR_ASSERT(child->count == 0, "O3: only an empty node is freed");
  if (child->is_leaf) {
    if (child->previous != nullptr) child->previous->next = child->next;
    if (child->next != nullptr) child->next->previous = child->previous;
  }
  free_node(magazines, child);
  free_key_node(heap_, magazines, node->keys[index]);
  node->erase(index);
}

/// The index may be one past the last key of the leaf: the place is then before the next leaf.
KeyTree::Place KeyTree::lower_bound(std::string_view key) const noexcept {
  const Node* at = root_;
  while (!at->is_leaf) at = at->children[at->child_for(key)];
  return {.leaf = at, .index = at->lower_bound(key)};
}

bool KeyTree::contains(std::string_view key) const noexcept {
  if (root_ == nullptr) return false;
  const Place place = lower_bound(key);
  return place.index < place.leaf->count && place.leaf->keys[place.index]->key() == key;
}

void KeyTree::collect_from(std::string_view from, std::size_t count_max, KeyList& out,
                           Position& position) const {
  if (root_ == nullptr || count_ == 0) return;
  Place place{.leaf = position.leaf, .index = position.index};
  if (position.version != version_) place = lower_bound(from);
  while (place.leaf != nullptr && out.entries.size() < count_max) {
    const Node& leaf = *place.leaf;
    if (leaf.next != nullptr) base::prefetch(leaf.next);
    const std::size_t wanted = count_max - out.entries.size();
    const auto end = static_cast<unsigned>(std::min<std::size_t>(leaf.count, place.index + wanted));
    // The keys are copied right after: their misses overlap, and so does that of the next leaf.
    for (unsigned i = place.index; i < end; ++i) base::prefetch(leaf.keys[i]);
    for (; place.index < end; ++place.index) out.add(*leaf.keys[place.index]);
    // At the end of a leaf the place is made the front of the next one, so that a walk that goes on
    // from it finds a key there.
    if (place.index == leaf.count) place = {.leaf = leaf.next, .index = 0};
  }
  position = {.leaf = place.leaf, .index = place.index, .version = version_};
}

void KeyTree::collect_before(const std::string_view* before, std::size_t count_max,
                             KeyList& out) const {
  if (root_ == nullptr || count_ == 0) return;
  Place place{.leaf = root_, .index = 0};
  if (before != nullptr) {
    place = lower_bound(*before);
  } else {
    while (!place.leaf->is_leaf) place.leaf = place.leaf->children[place.leaf->count - 1];
    place.index = place.leaf->count;
  }
  while (place.leaf != nullptr && out.entries.size() < count_max) {
    for (unsigned i = place.index; i > 0; --i) base::prefetch(place.leaf->keys[i - 1]);
    for (; place.index > 0 && out.entries.size() < count_max; --place.index) {
      out.add(*place.leaf->keys[place.index - 1]);
    }
    place.leaf = place.leaf->previous;
    place.index = place.leaf == nullptr ? 0 : place.leaf->count;
  }
}

void KeyTree::free_subtree(Magazines& magazines, Node* node) noexcept {
  for (unsigned i = 0; i < node->count; ++i) {
    if (!node->is_leaf) free_subtree(magazines, node->children[i]);
    free_key_node(heap_, magazines, node->keys[i]);
  }
  free_node(magazines, node);
}

void KeyTree::clear(Magazines& magazines) noexcept {
  if (root_ != nullptr) free_subtree(magazines, root_);
  root_ = nullptr;
  count_ = 0;
  ++version_;
  charged_bytes_ = 0;
}

void KeyTree::check_node(const Node* node, const KeyNode* low, const KeyNode* high) const {
  ASHLAR_ASSERT(node == root_ || node->count > 0, "O3: no node but the root is empty");
  for (unsigned i = 0; i < node->count; ++i) {
    const std::string_view key = node->keys[i]->key();
    if (i >= node->first()) {
      ASHLAR_ASSERT(node->heads[i] == node->head_of(key), "a head is that of its key");
    }
    if (i > node->first()) ASHLAR_ASSERT(node->keys[i - 1]->key() < key, "O1: keys ascend");
    // The lowest subtree takes keys below its separator too.
    if (node->is_leaf && low != nullptr) ASHLAR_ASSERT(low->key() <= key, "O2: not below");
    const bool is_bound = i >= node->first() && high != nullptr;
    if (is_bound) ASHLAR_ASSERT(key < high->key(), "O2: not at or above the next");
    if (node->is_leaf) continue;
    check_node(node->children[i], i == 0 ? low : node->keys[i],
               i + 1 < node->count ? node->keys[i + 1] : high);
  }
}

void KeyTree::check() const {
  if (root_ == nullptr) return;
  check_node(root_, nullptr, nullptr);
  const Node* leaf = root_;
  while (!leaf->is_leaf) leaf = leaf->children[0];
  std::size_t count = 0;
  for (; leaf != nullptr; leaf = leaf->next) count += leaf->count;
  ASHLAR_ASSERT(count == count_, "the leaves hold every key once");
}

}  // namespace ashlar::memory
