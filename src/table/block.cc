#include "table/block.h"

#include <bit>

#include "engine/value_reference.h"
#include "table/tag_match.h"

namespace ashlar::table {

/// Looks at bytes from a disk. Each function says what is wrong, or nullptr; each may rely on those
/// before it in `operator()`.
class BlockCheck {
 public:
  explicit BlockCheck(std::string_view raw) noexcept : raw_(raw) {}

  const char* operator()() noexcept {
    if (raw_.size() < kBlockHeaderBytes) return "is shorter than its header";
    header_ = load_block_header(raw_.data());
    columns_ = columns_of(header_);
    for (const auto check : {&BlockCheck::header_fault, &BlockCheck::rests_fault,
                             &BlockCheck::values_fault, &BlockCheck::kinds_fault}) {
      if (const char* const fault = (this->*check)()) return fault;
    }
    return keys_fault();
  }

 private:
  const char* header_fault() const noexcept {
    if (header_.row_count == 0) return "has no rows";
    if ((header_.flags & ~kBlockFlagsKnown) != 0 || raw_[7] != 0) return "has unknown flags";
    if (raw_.size() > (header_.row_count == 1 ? kLoneRowBytesMax : kBlockBytesMax)) {
      return "is too long";
    }
    // All columns lie in front of the rests, and those in front of the values.
    if (columns_.rests > header_.values_begin || header_.values_begin > raw_.size()) {
      return "is shorter than its columns";
    }
    const std::size_t gap = columns_.tags - kBlockHeaderBytes - header_.prefix_bytes;
    if (!is_zero(columns_.tags - gap, gap)) return "has something behind its prefix";
    const std::size_t tag_gap = columns_.heads - columns_.tags - std::size_t{2} * header_.row_count;
    if (!is_zero(columns_.heads - tag_gap, tag_gap)) return "has something behind its tags";
    return nullptr;
  }

  bool is_zero(std::size_t offset, std::size_t bytes) const noexcept {
    return raw_.substr(offset, bytes).find_first_not_of('\0') == std::string_view::npos;
  }

  /// Whether a column of begins goes from 0 to `end` without going back.
  bool is_ascending(std::size_t column, std::size_t end) const noexcept {
    std::uint32_t last = 0;
    if (load(column, 0) != 0) return false;
    for (std::uint32_t row = 1; row <= header_.row_count; ++row) {
      const std::uint32_t next = load(column, row);
      if (next < last) return false;
      last = next;
    }
    return last == end;
  }
  std::uint32_t load(std::size_t column, std::uint32_t row) const noexcept {
    return base::load_number<std::uint16_t>(raw_.data() + column + std::size_t{2} * row);
  }

  const char* rests_fault() const noexcept {
    const std::size_t bytes = header_.values_begin - columns_.rests;
    const bool is_sound = header_.has(kRestsDiffer)
                              ? is_ascending(columns_.rest_begins, bytes) && header_.rest_bytes == 0
                              : std::size_t{header_.row_count} * header_.rest_bytes == bytes;
    return is_sound ? nullptr : "has keys that do not fill their place";
  }

  const char* values_fault() const noexcept {
    const std::size_t bytes = raw_.size() - header_.values_begin;
    const bool is_sound =
        header_.has(kValuesDiffer)
            ? is_ascending(columns_.value_begins, bytes) && header_.value_bytes == 0
            : std::size_t{header_.row_count} * header_.value_bytes == bytes;
    if (!is_sound) return "has values that do not fill their place";
    return header_.value_bytes <= kValueBytesHardMax ? nullptr : "has a value that is too long";
  }

  const char* kinds_fault() const noexcept {
    if (!header_.has(kHasErases) && !header_.has(kHasApart)) return nullptr;
    const bool has_more = has_bits_beyond(columns_.erases, columns_.aparts) ||
                          has_bits_beyond(columns_.aparts, columns_.deadlines);
    if (has_more) return "has kinds beyond its rows";
    const Block block(raw_);
    for (std::uint32_t row = 0; row < block.row_count(); ++row) {
      if (const char* const fault = row_fault(block, row)) return fault;
    }
    return nullptr;
  }

  /// Whether the last byte of a column of bits has some that are no row's.
  bool has_bits_beyond(std::size_t column, std::size_t end) const noexcept {
    if (column == end) return false;
    const auto last = base::load_number<std::uint8_t>(raw_.data() + end - 1);
    return last >> ((header_.row_count - 1) % 8 + 1) != 0;
  }

  const char* row_fault(const Block& block, std::uint32_t row) const noexcept {
    switch (block.kind(row)) {
      case engine::OperationKind::kPut:
        return nullptr;
      case engine::OperationKind::kPutApart:
        return engine::decode_value_reference(block.value(row)) ? nullptr
                                                                : "has a reference to nowhere";
      case engine::OperationKind::kErase:
        break;
    }
    if (!block.value(row).empty()) return "has an erase with a value";
    if (block.deadline_ms(row) != engine::kNever) return "has an erase with a deadline";
    const bool is_both = header_.has(kHasApart) && block.load_bit(columns_.aparts, row);
    return is_both ? "has an erase with a reference" : nullptr;
  }

  const char* keys_fault() const noexcept {
    const Block block(raw_);
    const std::size_t in_front = header_.prefix_bytes + header_.head_key_bytes();
    for (std::uint32_t row = 0; row < block.row_count(); ++row) {
      const std::string_view rest = block.rest(row);
      const std::size_t key_bytes = in_front + rest.size();
      if (key_bytes == 0 || key_bytes > kKeyBytesHardMax) return "has a key of no legal length";
      if (header_.has(kRestsAreWhole) && block.head(row) != head_of(rest)) {
        return "has a head of another key";
      }
      if (row == 0) continue;
      const bool is_equal = block.head(row - 1) == block.head(row);
      const bool ascends =
          is_equal ? block.rest(row - 1) < rest : block.head(row - 1) < block.head(row);
      if (!ascends) return "has keys out of order";
    }
    return nullptr;
  }

  const std::string_view raw_;
  BlockHeader header_;
  BlockColumns columns_{};
};

const char* block_fault(std::string_view raw) noexcept {
  return BlockCheck(raw)();
}

Result<void> check_block(std::string_view raw, std::string_view path, std::uint64_t offset) {
  const char* const fault = block_fault(raw);
  if (fault == nullptr) return {};
  return std::unexpected(
      Error(ErrorCode::kCorruption,
            std::string(path) + " at " + std::to_string(offset) + ": the block " + fault));
}

// The length comes first: it is in a register, or next to where the rest is.
bool Block::is_row(std::uint32_t row, std::string_view suffix) const noexcept {
  const std::string_view behind = rest(row);
  const std::size_t in_head = header_.head_key_bytes();
  if (suffix.size() != in_head + behind.size()) return false;
  if (in_head != 0 && head(row) != head_of(suffix)) return false;
  return std::memcmp(behind.data(), suffix.data() + in_head, behind.size()) == 0;
}

// All tags are looked at in groups of eight; the last group is the last eight, seen in part
// already.
std::optional<std::uint32_t> Block::find(std::string_view key, std::uint16_t tag) const noexcept {
  if (!key.starts_with(prefix())) return std::nullopt;
  const std::string_view suffix = key.substr(header_.prefix_bytes);
  const char* const tags = raw_ + columns_.tags;
  const std::uint32_t count = header_.row_count;
  if (count < kTagsPerMatch) {
    for (std::uint32_t row = 0; row < count; ++row) {
      const bool is_match = base::load_number<std::uint16_t>(tags + std::size_t{2} * row) == tag;
      if (is_match && is_row(row, suffix)) return row;
    }
    return std::nullopt;
  }
  for (std::uint32_t first = 0;; first += kTagsPerMatch) {
    if (first + kTagsPerMatch > count) first = count - kTagsPerMatch;
    std::uint32_t matches = match_tags(tags + std::size_t{2} * first, tag);
    for (; matches != 0; matches &= matches - 1) {
      const auto row = first + static_cast<std::uint32_t>(std::countr_zero(matches)) / 2;
      if (is_row(row, suffix)) return row;
    }
    if (first + kTagsPerMatch == count) return std::nullopt;
  }
}

/// How many heads are below `head`. The halving has no branch to be mispredicted.
std::uint32_t Block::first_head_from(std::uint32_t from) const noexcept {
  const char* const heads = raw_ + columns_.heads;
  std::uint32_t first = 0;
  for (std::uint32_t count = header_.row_count; count > 1;) {
    const std::uint32_t half = count / 2;
    const auto middle =
        base::load_number<std::uint32_t>(heads + std::size_t{4} * (first + half - 1));
    first += middle < from ? half : 0;
    count -= half;
  }
  return first + static_cast<std::uint32_t>(head(first) < from);
}

std::uint32_t Block::lower_bound_of_suffix(std::string_view suffix) const noexcept {
  const std::uint32_t wanted = head_of(suffix);
  std::uint32_t low = first_head_from(wanted);
  if (low == header_.row_count || head(low) != wanted) return low;
  // Rows with this very head: their rests decide. Of a key that ends within its head all of them
  // are behind: they have its bytes, and then more.
  const std::size_t in_head = header_.head_key_bytes();
  if (suffix.size() < in_head) return low;
  const std::string_view wanted_rest = suffix.substr(in_head);
  std::uint32_t high = wanted == UINT32_MAX ? header_.row_count : first_head_from(wanted + 1);
  ASHLAR_DEBUG_ASSERT(low < high, "a head that was found has a row");
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (rest(middle) < wanted_rest) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::uint32_t Block::lower_bound(std::string_view key) const noexcept {
  const std::string_view all = prefix();
  const int order = key.substr(0, all.size()).compare(all);
  if (order != 0) return order < 0 ? 0 : header_.row_count;
  return lower_bound_of_suffix(key.substr(all.size()));
}

void Block::begin_keys(std::string& buffer) const {
  // No rest is longer than where they differ all of them together, which is a few thousand bytes.
  const std::size_t rest_bytes_max =
      header_.has(kRestsDiffer) ? header_.values_begin - columns_.rests : header_.rest_bytes;
  const std::size_t bytes = header_.prefix_bytes + header_.head_key_bytes() + rest_bytes_max;
  if (buffer.size() < bytes) buffer.resize(bytes);
  std::memcpy(buffer.data(), prefix().data(), prefix().size());
}

std::string Block::key(std::uint32_t row) const {
  ASHLAR_ASSERT(row < header_.row_count, "a key is asked of a row that is there");
  std::string buffer;
  begin_keys(buffer);
  buffer.resize(key(row, buffer).size());
  return buffer;
}

}  // namespace ashlar::table
