#include "table/filter.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/coding.h"

namespace ashlar::table {

constexpr std::size_t kBitsPerLine = 8 * sizeof(FilterLine);

std::optional<Filter> Filter::load_in_place(base::Reservation lines, std::size_t bytes,
                                            unsigned bits_per_hash) {
  if (bytes % sizeof(FilterLine) != 0) return std::nullopt;
  // No lines and no bits go together, and stand for a table without a filter.
  if ((bytes == 0) != (bits_per_hash == 0)) return std::nullopt;
  if (bits_per_hash > FilterProbe::kBitsMax) return std::nullopt;
  // The upper half of a product of 32 bits chooses the line.
  if (bytes / sizeof(FilterLine) > UINT32_MAX) return std::nullopt;
  Filter filter;
  ASHLAR_ASSERT(bytes <= lines.bytes(), "lines were read into memory that is there");
  filter.lines_.emplace(std::move(lines));
  filter.line_count_ = bytes / sizeof(FilterLine);
  filter.bits_per_hash_ = bits_per_hash;
  return filter;
}

std::optional<Filter> Filter::load(std::string_view stored, unsigned bits_per_hash) {
  auto lines = base::Reservation::make(stored.size());
  if (!lines) throw std::bad_alloc();
  if (!stored.empty()) std::memcpy(lines->begin(), stored.data(), stored.size());
  return load_in_place(*std::move(lines), stored.size(), bits_per_hash);
}

FilterBuilder::FilterBuilder(unsigned bits_per_key) noexcept : bits_per_key_(bits_per_key) {
  ASHLAR_ASSERT(bits_per_key <= kFilterBitsMax, "a filter has a sensible number of bits");
}

// In one line the best number is a little below that of an undivided filter, 0.69 of the bits.
unsigned FilterBuilder::bits_per_hash() const noexcept {
  if (hashes_.empty()) return 0;
  return std::clamp(bits_per_key_ * 6 / 10, 1U, FilterProbe::kBitsMax);
}

std::size_t FilterBuilder::bytes() const noexcept {
  const std::size_t bits = hashes_.size() * bits_per_key_;
  return (bits + kBitsPerLine - 1) / kBitsPerLine * sizeof(FilterLine);
}

namespace {

[[maybe_unused]] bool knows_all(const std::optional<Filter>& filter,
                                const base::MappedVector<std::uint64_t>& hashes) {
  return filter &&
         std::ranges::all_of(hashes, [&](std::uint64_t hash) { return filter->may_contain(hash); });
}

}  // namespace

base::MappedVector<FilterLine> FilterBuilder::finish() const {
  base::MappedVector<FilterLine> lines(bytes() / sizeof(FilterLine));
  ASHLAR_ASSERT(lines.size() <= UINT32_MAX, "32 bits of a hash choose the line");
  for (const std::uint64_t hash : hashes_) {
    const FilterProbe probe(hash, lines.size());
    for (unsigned i = 0; i < bits_per_hash(); ++i) {
      lines[probe.line()].words[probe.bit(i) / 64] |= std::uint64_t{1} << probe.bit(i) % 64;
    }
  }
  ASHLAR_DEBUG_ASSERT(knows_all(Filter::load(stored_lines(lines), bits_per_hash()), hashes_),
                      "G7: a filter says yes to its own keys");
  return lines;
}

}  // namespace ashlar::table
