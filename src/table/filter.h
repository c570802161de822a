/// \file
/// Whether a table may have a key: a Bloom filter in lines of 64 bytes, so that a question costs
/// one cache line. All bits of a key lie in the line that its hash chooses.
///
/// Of a hash the lower 32 bits choose the line, by multiplication; what that leaves of them, with
/// the bits 32 to 47, chooses the bits in it.
///
/// Source: Putze, Sanders, Singler: "Cache-, hash- and space-efficient Bloom filters", 2007.
///
/// Invariants:
///   G7  A filter says yes to every key that it was made of.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/hints.h"
#include "base/memory/mapped_allocator.h"
#include "base/memory/reservation.h"

namespace ashlar::table {

inline constexpr unsigned kFilterBitsMax = 24;

/// One cache line of bits.
struct alignas(64) FilterLine {
  std::array<std::uint64_t, 8> words{};
};
static_assert(sizeof(FilterLine) == 64, "a probe costs one miss");

/// Where the bits of one hash lie.
class FilterProbe {
 public:
  static constexpr unsigned kBitsMax = 7;

  FilterProbe(std::uint64_t hash, std::uint64_t line_count) noexcept {
    const std::uint64_t product = (hash & 0xffff'ffffU) * line_count;
    line_ = product >> 32U;
    const std::uint64_t rest = (product & 0xffff'ffffU) ^ (hash >> 32U & 0xffffU) << 16U;
    // The upper bits of a product depend on all bits of its factors: seven times nine of them.
    bits_ = (rest + 1) * 0x9e37'79b9'7f4a'7c15U;
    bits_ ^= bits_ >> 32U;
  }

  std::uint64_t line() const noexcept { return line_; }

  /// The `index`-th bit, from 0 to 511.
  unsigned bit(unsigned index) const noexcept {
    return static_cast<unsigned>(bits_ >> 9U * index & 511U);
  }

 private:
  std::uint64_t line_;
  std::uint64_t bits_;
};

/// Threads: immutable.
class Filter {
 public:
  /// Of no keys known: says yes to all.
  Filter() = default;

  /// Takes over what `FilterBuilder::finish` made.
  ///
  /// Returns: nullopt when `stored` is not whole lines, or no number of bits a key is set in it
  static std::optional<Filter> load(std::string_view stored, unsigned bits_per_hash);

  /// As `load`, of what stands in the first `bytes` of `lines`. They are in a mapping of their own:
  /// among what is allocated and freed all the time filters, which stay, would keep most of that
  /// from going back to the system.
  static std::optional<Filter> load_in_place(base::Reservation lines, std::size_t bytes,
                                             unsigned bits_per_hash);

  /// Starts loading the line that `may_contain` will look at: for when several are asked together.
  void prefetch(std::uint64_t hash) const noexcept {
    if (line_count_ > 0) base::prefetch(&line_at(FilterProbe(hash, line_count_).line()));
  }

  /// Returns: false when no key with this hash is in the table
  /// Cost:    one cache miss when nothing is cached
  bool may_contain(std::uint64_t hash) const noexcept {
    if (line_count_ == 0) return true;
    const FilterProbe probe(hash, line_count_);
    const FilterLine& line = line_at(probe.line());
    // All bits without a branch between them: six shifts are less than one wrong guess.
    std::uint64_t all = 1;
    for (unsigned i = 0; i < bits_per_hash_; ++i) {
      all &= line.words[probe.bit(i) / 64] >> probe.bit(i) % 64;
    }
    return all != 0;
  }

  std::size_t bytes() const noexcept { return line_count_ * sizeof(FilterLine); }

 private:
  const FilterLine& line_at(std::uint64_t index) const noexcept {
    return reinterpret_cast<const FilterLine*>(lines_->begin())[index];
  }

  std::optional<base::Reservation> lines_;
  std::size_t line_count_ = 0;
  unsigned bits_per_hash_ = 0;
};

/// The lines as they are stored.
inline std::string_view stored_lines(std::span<const FilterLine> lines) noexcept {
  return {reinterpret_cast<const char*>(lines.data()), lines.size_bytes()};
}

/// Collects hashes and makes a filter of them.
///
/// Threads: externally synchronised.
class FilterBuilder {
 public:
  /// Of `bits_per_key` bits for each hash; 0: no filter.
  explicit FilterBuilder(unsigned bits_per_key) noexcept;

  void add(std::uint64_t hash) {
    if (bits_per_key_ > 0) hashes_.push_back(hash);
  }

  /// How many bits are set for a hash: what a reader must be told. 0: no filter.
  unsigned bits_per_hash() const noexcept;

  /// How long the filter of what was added so far would be.
  std::size_t bytes() const noexcept;

  /// The lines, one after the other.
  base::MappedVector<FilterLine> finish() const;

 private:
  const unsigned bits_per_key_;
  base::MappedVector<std::uint64_t> hashes_;
};

}  // namespace ashlar::table
