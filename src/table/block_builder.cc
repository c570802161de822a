#include "table/block_builder.h"

#include <algorithm>

#include "base/assert.h"
#include "engine/value_reference.h"
#include "table/block.h"

namespace ashlar::table {

using engine::OperationKind;

std::string_view BlockBuilder::key(std::size_t row) const noexcept {
  const std::size_t begin = row == 0 ? 0 : rows_[row - 1].key_end;
  return std::string_view(keys_).substr(begin, rows_[row].key_end - begin);
}

// The keys ascend, so what the first and the last have in common all of them have.
BlockBuilder::Sums BlockBuilder::sums_with(const engine::Operation& row) const noexcept {
  Sums sums = sums_;
  const std::string_view first = rows_.empty() ? row.key : key(0);
  const auto [first_end, row_end] = std::ranges::mismatch(first, row.key);
  sums.prefix_bytes = static_cast<std::size_t>(row_end - row.key.begin());
  sums.keys_differ |= first.size() != row.key.size();
  sums.key_bytes_min =
      rows_.empty() ? row.key.size() : std::min(sums.key_bytes_min, row.key.size());
  if (rows_.empty()) sums.first_value_bytes = row.value.size();
  sums.values_differ |= sums.first_value_bytes != row.value.size();
  sums.key_bytes += row.key.size();
  sums.value_bytes += row.value.size();
  sums.has_erases |= row.kind == OperationKind::kErase;
  sums.has_aparts |= row.kind == OperationKind::kPutApart;
  sums.has_deadlines |= row.deadline_ms != engine::kNever;
  ++sums.row_count;
  return sums;
}

// Keys of one length that differ in fewer than their last four bytes: the head takes four all the
// same, so that there are no rests, and tells as many keys apart. Where lengths differ it is worth
// more that the head begins where the keys do differ.
std::size_t BlockBuilder::prefix_bytes_of(const Sums& sums) noexcept {
  const bool leaves_head = sums.key_bytes_min - sums.prefix_bytes >= kHeadBytes;
  if (leaves_head || sums.keys_differ || sums.key_bytes_min < kHeadBytes) return sums.prefix_bytes;
  return sums.key_bytes_min - kHeadBytes;
}

BlockHeader BlockBuilder::header_of(const Sums& sums) noexcept {
  BlockHeader header;
  header.row_count = static_cast<std::uint32_t>(sums.row_count);
  const std::size_t prefix_bytes = prefix_bytes_of(sums);
  header.prefix_bytes = static_cast<std::uint32_t>(prefix_bytes);
  const bool is_whole = sums.key_bytes_min - prefix_bytes < kHeadBytes;
  header.flags = static_cast<std::uint8_t>(
      (sums.keys_differ ? kRestsDiffer : 0) | (sums.values_differ ? kValuesDiffer : 0) |
      (sums.has_erases ? kHasErases : 0) | (sums.has_deadlines ? kHasDeadlines : 0) |
      (is_whole ? kRestsAreWhole : 0) | (sums.has_aparts ? kHasApart : 0));
  const std::size_t in_front = prefix_bytes + header.head_key_bytes();
  const std::size_t rests_bytes = sums.key_bytes - sums.row_count * in_front;
  if (!sums.keys_differ) {
    header.rest_bytes = static_cast<std::uint32_t>(rests_bytes / sums.row_count);
  }
  if (!sums.values_differ) header.value_bytes = static_cast<std::uint32_t>(sums.first_value_bytes);
  header.values_begin = static_cast<std::uint32_t>(columns_of(header).rests + rests_bytes);
  return header;
}

bool BlockBuilder::fits(const engine::Operation& row) const noexcept {
  if (rows_.empty()) return true;
  // Far too long is seen at once; what follows counts in 32 bits.
  if (row.key.size() + row.value.size() > kBlockBytesMax) return false;
  const Sums sums = sums_with(row);
  return header_of(sums).values_begin + sums.value_bytes <= kBlockBytesMax;
}

void BlockBuilder::add(const engine::Operation& row, std::uint16_t tag) {
  ASHLAR_ASSERT(!row.key.empty() && row.key.size() <= kKeyBytesHardMax, "a key has legal length");
  ASHLAR_ASSERT(row.value.size() <= kValueBytesHardMax, "a value has legal length");
  ASHLAR_ASSERT(rows_.empty() || last_key() < row.key, "P6: keys ascend strictly");
  if (row.kind == OperationKind::kErase) {
    ASHLAR_ASSERT(row.value.empty() && row.deadline_ms == engine::kNever,
                  "P9: an erase has no value and no deadline");
  }
  if (row.kind == OperationKind::kPutApart) {
    ASHLAR_ASSERT(engine::decode_value_reference(row.value).has_value(),
                  "P9: a value that stands apart is referred to");
  }
  ASHLAR_DEBUG_ASSERT(fits(row), "P7: a block is finished before it is too long");
  sums_ = sums_with(row);
  keys_.append(row.key);
  values_.append(row.value);
  rows_.push_back({.key_end = keys_.size(),
                   .value_end = values_.size(),
                   .deadline_ms = row.deadline_ms,
                   .tag = tag,
                   .kind = row.kind});
}

void BlockBuilder::store_row(const BlockHeader& header, const BlockColumns& columns,
                             std::size_t index, char* raw) const noexcept {
  const Row& row = rows_[index];
  const std::string_view suffix = key(index).substr(header.prefix_bytes);
  const std::string_view rest = suffix.substr(header.head_key_bytes());
  const std::size_t in_front = header.prefix_bytes + header.head_key_bytes();
  // Where the rest ends: all the keys up to here, without what stands elsewhere of each.
  const std::size_t rest_end = row.key_end - (index + 1) * in_front;
  base::store_number(raw + columns.tags + 2 * index, row.tag);
  base::store_number(raw + columns.heads + 4 * index, head_of(suffix));
  if (header.has(kRestsDiffer)) {
    base::store_number(raw + columns.rest_begins + 2 * (index + 1),
                       static_cast<std::uint16_t>(rest_end));
  }
  if (header.has(kValuesDiffer)) {
    base::store_number(raw + columns.value_begins + 2 * (index + 1),
                       static_cast<std::uint16_t>(row.value_end));
  }
  if (row.kind != OperationKind::kPut) {
    const bool is_erase = row.kind == OperationKind::kErase;
    char& eight = raw[(is_erase ? columns.erases : columns.aparts) + index / 8];
    eight = static_cast<char>(static_cast<unsigned char>(eight) | 1U << index % 8);
  }
  if (header.has(kHasDeadlines)) {
    base::store_number(raw + columns.deadlines + 8 * index, row.deadline_ms);
  }
  std::memcpy(raw + columns.rests + rest_end - rest.size(), rest.data(), rest.size());
}

// `raw` is zeros: so are the gaps between columns, and the first entry of each column of begins.
void BlockBuilder::store_columns(const BlockHeader& header, char* raw) const noexcept {
  base::store_number(raw, static_cast<std::uint16_t>(header.row_count));
  base::store_number(raw + 2, static_cast<std::uint16_t>(header.prefix_bytes));
  base::store_number(raw + 4, static_cast<std::uint16_t>(header.rest_bytes));
  base::store_number(raw + 6, header.flags);
  base::store_number(raw + 8, header.value_bytes);
  base::store_number(raw + 12, header.values_begin);
  std::memcpy(raw + kBlockHeaderBytes, keys_.data(), header.prefix_bytes);
  const BlockColumns columns = columns_of(header);
  for (std::size_t i = 0; i < rows_.size(); ++i) store_row(header, columns, i, raw);
}

void BlockBuilder::finish(std::string& raw) {
  ASHLAR_ASSERT(!rows_.empty(), "P6: a block has a row");
  const BlockHeader header = header_of(sums_);
  raw.assign(header.values_begin, '\0');
  store_columns(header, raw.data());
  raw.append(values_);
  ASHLAR_ASSERT(rows_.size() == 1 || raw.size() <= kBlockBytesMax,
                "P7: a block of many rows is within its limit");
  ASHLAR_DEBUG_ASSERT(block_fault(raw) == nullptr, "what is written can be read");
  rows_.clear();
  keys_.clear();
  values_.clear();
  sums_ = {};
}

}  // namespace ashlar::table
