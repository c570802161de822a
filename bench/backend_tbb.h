/// \file
/// The peer tbb::concurrent_hash_map: its own scalable allocator for nodes, room made ahead.
#pragma once

#include <tbb/concurrent_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "backend.h"
#include "key16.h"

namespace ashlar::bench {

/// Keys of any length, as Ashlar has them; looked up by view, without making a string.
struct TbbStringKeys {
  static constexpr std::string_view kName = "tbb";
  using Key = std::string;
  static std::string_view key_of(std::string_view key) noexcept { return key; }

  struct Compare {
    using is_transparent = void;
    static std::size_t hash(std::string_view key) noexcept { return hash_of(key); }
    static bool equal(std::string_view left, std::string_view right) noexcept {
      return left == right;
    }
  };
};

/// Keys of sixteen bytes and no other length, in place.
struct TbbFixedKeys {
  static constexpr std::string_view kName = "tbb, 16-byte keys in place";
  using Key = Key16;
  static Key16 key_of(std::string_view key) noexcept { return Key16(key); }

  struct Compare {
    static std::size_t hash(const Key16& key) noexcept { return hash_of(key); }
    static bool equal(const Key16& left, const Key16& right) noexcept { return left == right; }
  };
};

/// Threads: thread-safe.
template <typename Keys>
class TbbBackend : public BatchByLoop<TbbBackend<Keys>> {
 public:
  static constexpr std::string_view kName = Keys::kName;

  explicit TbbBackend(std::uint64_t key_count) : map_(key_count) {}

  bool put(std::string_view key, std::string_view value) {
    typename Map::accessor row;
    map_.insert(row, Keys::key_of(key));
    row->second.assign(value);
    return true;
  }

  template <typename Check>
  bool get(std::string_view key, Check check) {
    CopiedValue copy;
    {
      typename Map::const_accessor row;
      if (!map_.find(row, Keys::key_of(key))) return false;
      copy.assign(row->second);
    }
    return check(copy.view());
  }

  bool erase(std::string_view key) { return map_.erase(Keys::key_of(key)); }

 private:
  using Map = tbb::concurrent_hash_map<typename Keys::Key, std::string, typename Keys::Compare>;

  Map map_;
};

}  // namespace ashlar::bench
