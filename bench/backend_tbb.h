/// \file
/// The peer tbb::concurrent_hash_map: its own scalable allocator for nodes, room made ahead, keys
/// in place.
#pragma once

#include <tbb/concurrent_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "backend.h"
#include "key16.h"

namespace ashlar::bench {

/// Threads: thread-safe.
class TbbBackend : public BatchByLoop<TbbBackend> {
 public:
  static constexpr std::string_view kName = "tbb";

  explicit TbbBackend(std::uint64_t key_count) : map_(key_count) {}

  bool put(std::string_view key, std::string_view value) {
    Map::accessor row;
    map_.insert(row, Key16(key));
    row->second.assign(value);
    return true;
  }

  template <typename Check>
  bool get(std::string_view key, Check check) {
    CopiedValue copy;
    {
      Map::const_accessor row;
      if (!map_.find(row, Key16(key))) return false;
      copy.assign(row->second);
    }
    return check(copy.view());
  }

  bool erase(std::string_view key) { return map_.erase(Key16(key)); }

 private:
  struct HashCompare {
    static std::size_t hash(const Key16& key) noexcept { return hash_of(key); }
    static bool equal(const Key16& left, const Key16& right) noexcept { return left == right; }
  };
  using Map = tbb::concurrent_hash_map<Key16, std::string, HashCompare>;

  Map map_;
};

}  // namespace ashlar::bench
