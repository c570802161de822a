/// \file
/// Exact eviction policies, simulated: what a cache of so many entries would have hit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ashlar::bench {

/// Entries of a model as a doubly linked ring in arrays; each index below `index_count` may be in
/// at most one list. Lists are named by their sentinels.
///
/// Threads: externally synchronised.
class Lists {
 public:
  /// `index_count` entries, which stand in no list, and one empty list: its sentinel is
  /// `index_count`.
  explicit Lists(std::size_t index_count);

  std::uint32_t add_list();
  void push_front(std::uint32_t sentinel, std::uint32_t index);
  void remove(std::uint32_t index);
  bool is_empty(std::uint32_t sentinel) const { return next_[sentinel] == sentinel; }
  std::uint32_t back(std::uint32_t sentinel) const { return previous_[sentinel]; }
  bool contains(std::uint32_t index) const { return next_[index] != kNowhere; }

 private:
  static constexpr std::uint32_t kNowhere = 0xffffffffU;

  std::vector<std::uint32_t> next_;
  std::vector<std::uint32_t> previous_;
};

/// Least recently used goes first.
///
/// Threads: externally synchronised.
class LruModel {
 public:
  /// Input: index_count  all requests are below it;  entry_count_max  1 or more
  LruModel(std::size_t index_count, std::size_t entry_count_max);

  /// Asks for `index`, and takes it in when it was not there. Returns: true for a hit.
  bool request(std::uint32_t index);

 private:
  Lists lists_;
  std::uint32_t all_;
  std::size_t entry_count_ = 0;
  std::size_t entry_count_max_;
};

/// Least frequently used while it was held goes first; among those, the least recently used.
///
/// Threads: externally synchronised.
class LfuModel {
 public:
  /// Input: as `LruModel`
  LfuModel(std::size_t index_count, std::size_t entry_count_max);

  /// As `LruModel::request`.
  bool request(std::uint32_t index);

 private:
  /// The sentinel of the entries that were asked for `count` times, 1 or more.
  std::uint32_t list_of(std::uint32_t count);
  void evict();

  Lists lists_;
  std::vector<std::uint32_t> list_by_count_;  // Sentinels, by request count less one.
  std::vector<std::uint32_t> request_count_;  // By index; 0 when it is not held.
  std::uint32_t lowest_count_ = 1;            // No list below it has an entry.
  std::size_t entry_count_ = 0;
  std::size_t entry_count_max_;
};

}  // namespace ashlar::bench
