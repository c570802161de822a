#include "table/table_index.h"

#include <algorithm>

#include "ashlar/options.h"
#include "base/assert.h"
#include "base/coding.h"
#include "base/key_head.h"
#include "table/block_layout.h"
#include "table/compression.h"
#include "table/table_format.h"

namespace ashlar::table {
namespace {

// Three lengths of at least one byte each.
constexpr std::size_t kEntryBytesMin = 3;

/// How many of the sixteen numbers are up to `head`: no branch, and no load waits for another.
template <typename Heads>
std::size_t count_in_node(const Heads& heads, std::uint64_t head) noexcept {
  std::size_t count = 0;
  for (const std::uint64_t each : heads) {
    count += static_cast<std::size_t>(each <= head);
  }
  return count;
}

}  // namespace

std::string_view shortest_separator(std::string_view below, std::string_view key) noexcept {
  ASHLAR_ASSERT(below < key, "G6: a separator stands between two keys");
  const auto [below_end, key_end] = std::ranges::mismatch(below, key);
  return key.substr(0, static_cast<std::size_t>(key_end - key.begin()) + 1);
}

void TableIndexBuilder::add(Entry entry) {
  ASHLAR_ASSERT(entries_.empty() || entries_.back().separator < entry.separator,
                "G6: separators ascend strictly");
  ASHLAR_ASSERT(Decompressor::is_plausible(entry.stored_bytes, entry.raw_bytes),
                "a block has a length that its reader accepts");
  entries_.push_back(std::move(entry));
}

std::string TableIndexBuilder::finish() const {
  ASHLAR_ASSERT(!entries_.empty(), "a table has a block");
  const std::string_view first = entries_.front().separator;
  const auto [first_end, last_end] = std::ranges::mismatch(first, entries_.back().separator);
  const auto prefix_bytes = static_cast<std::size_t>(first_end - first.begin());
  std::string stored;
  base::append_number(stored, std::uint64_t{entries_.size()});
  base::append_varint(stored, prefix_bytes);
  stored.append(first.substr(0, prefix_bytes));
  for (const Entry& entry : entries_) {
    base::append_varint(stored, entry.stored_bytes);
    base::append_varint(stored, entry.raw_bytes);
    base::append_varint(stored, entry.separator.size() - prefix_bytes);
    stored.append(entry.separator, prefix_bytes);
  }
  return stored;
}

std::optional<TableIndex> TableIndex::load(std::string_view stored, std::uint64_t data_bytes) {
  TableIndex index;
  base::MappedVector<std::uint64_t> heads;
  if (!index.load_entries(stored, data_bytes, heads)) return std::nullopt;
  index.build_levels(std::move(heads));
  return index;
}

bool TableIndex::load_entries(std::string_view stored, std::uint64_t data_bytes,
                              base::MappedVector<std::uint64_t>& heads) {
  std::uint64_t count = 0;
  std::uint64_t prefix_bytes = 0;
  std::string_view prefix;
  // What follows counts in 32 bits, and the rests are part of the bytes.
  if (stored.size() > UINT32_MAX || !base::take_number(stored, count)) return false;
  if (!base::take_varint(stored, prefix_bytes) || prefix_bytes > kKeyBytesHardMax) return false;
  if (!base::take_bytes(stored, prefix_bytes, prefix)) return false;
  if (count == 0 || count > stored.size() / kEntryBytesMin) return false;
  prefix_ = prefix;
  rest_begins_.reserve(count + 1);
  offsets_.reserve(count + 1);
  raw_bytes_.reserve(count);
  heads.reserve(count);
  rest_begins_.push_back(0);
  offsets_.push_back(0);
  for (std::uint64_t block = 0; block < count; ++block) {
    if (!load_entry(stored) || offsets_.back() > data_bytes) return false;
    heads.push_back(base::key_head(rest(block)));
    if (block == 0 || heads[block - 1] < heads[block]) continue;
    if (rest(block - 1) >= rest(block)) return false;
  }
  rests_.shrink_to_fit();
  return stored.empty() && offsets_.back() == data_bytes;
}

bool TableIndex::load_entry(std::string_view& stored) {
  std::uint64_t stored_bytes = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t rest_bytes = 0;
  std::string_view rest;
  if (!base::take_varint(stored, stored_bytes) || !base::take_varint(stored, raw_bytes)) {
    return false;
  }
  if (!Decompressor::is_plausible(stored_bytes, raw_bytes)) return false;
  if (!base::take_varint(stored, rest_bytes) || !base::take_bytes(stored, rest_bytes, rest)) {
    return false;
  }
  const std::size_t separator_bytes = prefix_.size() + rest.size();
  if (separator_bytes == 0 || separator_bytes > kKeyBytesHardMax) return false;
  rests_.insert(rests_.end(), rest.begin(), rest.end());
  rest_begins_.push_back(static_cast<std::uint32_t>(rests_.size()));
  offsets_.push_back(offsets_.back() + stored_bytes + kTrailerBytes);
  raw_bytes_.push_back(static_cast<std::uint32_t>(raw_bytes));
  return true;
}

TableIndex::Level TableIndex::add_level(const base::MappedVector<std::uint64_t>& heads) {
  const Level level{.first_node = nodes_.size(), .head_count = heads.size()};
  for (std::size_t i = 0; i < heads.size(); i += kHeadsPerNode) {
    Node& node = nodes_.emplace_back();
    node.heads.fill(UINT64_MAX);
    const std::size_t end = std::min(i + kHeadsPerNode, heads.size());
    std::copy(heads.begin() + static_cast<std::ptrdiff_t>(i),
              heads.begin() + static_cast<std::ptrdiff_t>(end), node.heads.begin());
  }
  return level;
}

// Each level has the first head of every node of the one below.
void TableIndex::build_levels(base::MappedVector<std::uint64_t> heads) {
  ASHLAR_ASSERT(std::ranges::is_sorted(heads), "G6: heads ascend as their separators do");
  levels_.push_back(add_level(heads));
  while (heads.size() > kHeadsPerNode) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < heads.size(); i += kHeadsPerNode) heads[kept++] = heads[i];
    heads.resize(kept);
    levels_.push_back(add_level(heads));
  }
  std::ranges::reverse(levels_);
  nodes_.shrink_to_fit();
}

/// How many heads of the lowest level are up to `head`.
std::size_t TableIndex::count_up_to(std::uint64_t head) const noexcept {
  std::size_t node = 0;
  std::size_t count = 0;
  for (const Level& level : levels_) {
    count = node * kHeadsPerNode + count_in_node(nodes_[level.first_node + node].heads, head);
    // The heads that fill the last node up count only for the greatest of all.
    count = std::min(count, level.head_count);
    if (count == 0) return 0;
    node = count - 1;
  }
  return count;
}

std::size_t TableIndex::block_of(std::string_view key) const noexcept {
  const int order = key.substr(0, prefix_.size()).compare(prefix_);
  if (order != 0) return order < 0 ? 0 : block_count() - 1;
  const std::string_view wanted = key.substr(prefix_.size());
  const std::uint64_t head = base::key_head(wanted);
  std::size_t high = count_up_to(head);
  if (high == 0) return 0;
  // Separators with this very head decide for themselves.
  std::size_t low = high;
  if (this->head(high - 1) == head) low = head == 0 ? 0 : count_up_to(head - 1);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (rest(middle) <= wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? 0 : low - 1;
}

TableIndex::Place TableIndex::place(std::size_t block) const noexcept {
  ASHLAR_ASSERT(block < block_count(), "a block is one of the table's");
  return {.offset = offsets_[block],
          .stored_bytes = offsets_[block + 1] - offsets_[block] - kTrailerBytes,
          .raw_bytes = raw_bytes_[block]};
}

/// From the node that a search has just looked at.
std::uint64_t TableIndex::head(std::size_t block) const noexcept {
  const Node& node = nodes_[levels_.back().first_node + block / kHeadsPerNode];
  return node.heads[block % kHeadsPerNode];
}

std::string_view TableIndex::rest(std::size_t block) const noexcept {
  return {rests_.data() + rest_begins_[block], rest_begins_[block + 1] - rest_begins_[block]};
}

std::string TableIndex::separator(std::size_t block) const {
  ASHLAR_ASSERT(block < block_count(), "a block is one of the table's");
  return prefix_ + std::string(rest(block));
}

std::size_t TableIndex::bytes() const noexcept {
  return prefix_.capacity() + rests_.capacity() + nodes_.capacity() * sizeof(Node) +
         levels_.capacity() * sizeof(Level) + rest_begins_.capacity() * sizeof(rest_begins_[0]) +
         offsets_.capacity() * sizeof(offsets_[0]) + raw_bytes_.capacity() * sizeof(raw_bytes_[0]);
}

}  // namespace ashlar::table
