#include "lsm/version.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/assert.h"

namespace ashlar::lsm {
namespace {

std::string name_of(std::uint32_t level, const Table& table) {
  return "table " + std::to_string(table.info().number) + " in level " + std::to_string(level);
}

std::unexpected<Error> refusal(std::string what) {
  return std::unexpected(Error(ErrorCode::kCorruption, std::move(what)));
}

/// Whether `left` may stand right before `right` in `level` (V2, V3).
bool is_in_order(std::uint32_t level, const TableInfo& left, const TableInfo& right) noexcept {
  return level == 0 ? left.age_rank > right.age_rank : left.largest < right.smallest;
}

/// Whether a search for a place in `level` passes `left` on its way to `right`.
bool stands_before(std::uint32_t level, const TableRef& left, const TableRef& right) noexcept {
  if (level == 0) return left->info().age_rank > right->info().age_rank;
  return left->info().smallest < right->info().smallest;
}

}  // namespace

/// Makes the arrays anew, after the tables have changed.
void Version::Level::index_tables() {
  smallest_heads.clear();
  largest_heads.clear();
  bytes_before.clear();
  bytes = 0;
  for (const TableRef& table : tables) {
    smallest_heads.push_back(base::key_head(table->info().smallest));
    largest_heads.push_back(base::key_head(table->info().largest));
    bytes_before.push_back(bytes);
    bytes += table->info().file_bytes;
  }
}

/// The first table that may have `key`: where the heads are equal, the keys themselves decide.
std::size_t Version::first_ending_at_or_after(const Level& level,
                                              std::string_view key) const noexcept {
  const std::uint64_t head = base::key_head(key);
  const auto& heads = level.largest_heads;
  const auto equal = std::ranges::equal_range(heads, head);
  const auto first = level.tables.begin() + (equal.begin() - heads.begin());
  const auto end = level.tables.begin() + (equal.end() - heads.begin());
  const auto found = std::ranges::partition_point(
      first, end, [key](const TableRef& table) { return table->info().largest < key; });
  return static_cast<std::size_t>(found - level.tables.begin());
}

const Table* Version::find(std::uint32_t level, std::string_view key) const noexcept {
  ASHLAR_ASSERT(level > 0, "tables of level 0 overlap: none of them is the one");
  const Level& searched = levels_[level];
  const std::size_t index = first_ending_at_or_after(searched, key);
  if (index == searched.tables.size()) return nullptr;
  const Table* const table = searched.tables[index].get();
  const std::uint64_t head = base::key_head(key);
  // The table itself, which lies elsewhere, is looked at when the heads have left it open only.
  if (head != searched.smallest_heads[index]) {
    return head > searched.smallest_heads[index] ? table : nullptr;
  }
  return table->info().smallest <= key ? table : nullptr;
}

std::span<const TableRef> Version::overlap_below(std::uint32_t level, std::string_view smallest,
                                                 std::string_view largest) const noexcept {
  ASHLAR_ASSERT(level > 0, "what overlaps in level 0 does not stand together");
  const Level& searched = levels_[level];
  const std::size_t begin = first_ending_at_or_after(searched, smallest);
  std::size_t end = first_ending_at_or_after(searched, largest);
  if (end < searched.tables.size() && searched.tables[end]->info().smallest <= largest) ++end;
  return std::span(searched.tables).subspan(begin, std::max(begin, end) - begin);
}

std::vector<TableRef> Version::overlapping(std::uint32_t level, std::string_view smallest,
                                           std::string_view largest) const {
  std::vector<TableRef> found;
  if (level > 0) {
    const auto span = overlap_below(level, smallest, largest);
    found.assign(span.begin(), span.end());
    return found;
  }
  for (const TableRef& table : levels_[0].tables) {
    if (table->info().overlaps(smallest, largest)) found.push_back(table);
  }
  return found;
}

std::uint64_t Version::overlapping_bytes(std::uint32_t level, std::string_view smallest,
                                         std::string_view largest) const noexcept {
  const auto span = overlap_below(level, smallest, largest);
  if (span.empty()) return 0;
  const Level& searched = levels_[level];
  const auto begin = static_cast<std::size_t>(span.data() - searched.tables.data());
  const std::size_t end = begin + span.size();
  const std::uint64_t end_bytes =
      end == searched.tables.size() ? searched.bytes : searched.bytes_before[end];
  return end_bytes - searched.bytes_before[begin];
}

bool Version::is_clear(std::uint32_t level, std::string_view smallest,
                       std::string_view largest) const {
  if (level > 0) return overlap_below(level, smallest, largest).empty();
  return std::ranges::none_of(levels_[0].tables, [&](const TableRef& table) {
    return table->info().overlaps(smallest, largest);
  });
}

std::uint64_t Version::table_count() const noexcept {
  std::uint64_t count = 0;
  for (const Level& level : levels_) count += level.tables.size();
  return count;
}

Result<Version> Version::apply(const VersionEdit& edit) const {
  Version next = *this;
  for (const auto& [level, number] : edit.removals) {
    ASHLAR_ASSERT(level < kLevelCount, "an edit is about a level that there is");
    const auto is_it = [number](const TableRef& table) { return table->info().number == number; };
    if (std::erase_if(next.levels_[level].tables, is_it) != 1) {
      return refusal("table " + std::to_string(number) + " is not in level " +
                     std::to_string(level));
    }
  }
  for (const auto& [level, table] : edit.additions) {
    ASHLAR_ASSERT(level < kLevelCount, "an edit is about a level that there is");
    ASHLAR_ASSERT(table, "a table that is added is there");
    next.levels_[level].tables.push_back(table);
  }
  for (std::uint32_t i = 0; i < kLevelCount; ++i) {
    Level& level = next.levels_[i];
    std::ranges::sort(level.tables, [i](const TableRef& left, const TableRef& right) {
      return stands_before(i, left, right);
    });
    level.index_tables();
  }
  ASHLAR_TRY(next.validate());
  return next;
}

/// Whether V2 to V4 hold. What is wrong may come from a manifest, so it is no broken rule of ours.
Result<void> Version::validate() const {
  std::unordered_set<std::uint64_t> numbers;
  for (std::uint32_t i = 0; i < kLevelCount; ++i) {
    const Table* before = nullptr;
    for (const TableRef& table : levels_[i].tables) {
      if (!numbers.insert(table->info().number).second) {
        return refusal(name_of(i, *table) + " is in the list twice");
      }
      if (before != nullptr && !is_in_order(i, before->info(), table->info())) {
        return refusal(name_of(i, *table) + (i == 0 ? " is as new as " : " overlaps with ") +
                       name_of(i, *before));
      }
      before = table.get();
    }
  }
  return {};
}

void Version::check() const {
  ASHLAR_ASSERT(validate().has_value(), "V2, V3 and V4 hold in every version");
  for (const Level& level : levels_) {
    Level made_anew{.tables = level.tables};
    made_anew.index_tables();
    ASHLAR_ASSERT(level.smallest_heads == made_anew.smallest_heads, "heads are the tables' own");
    ASHLAR_ASSERT(level.largest_heads == made_anew.largest_heads, "heads are the tables' own");
    ASHLAR_ASSERT(level.bytes_before == made_anew.bytes_before, "sums of bytes are the tables'");
    ASHLAR_ASSERT(level.bytes == made_anew.bytes, "a level has the bytes of its tables");
  }
}

engine::TimeMs first_untold_ms(const Version& version) noexcept {
  engine::TimeMs first_ms = engine::kNever;
  for (std::uint32_t level = 0; level < kLevelCount; ++level) {
    for (const TableRef& table : version.tables(level)) {
      first_ms = std::min(first_ms, table->untold_ms());
    }
  }
  return first_ms;
}

}  // namespace ashlar::lsm
