/// \file
/// The peer that a careful user builds in an afternoon: 64 mutexes, each over an
/// absl::flat_hash_map.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "backend.h"
#include "key16.h"

namespace ashlar::bench {

/// Threads: thread-safe.
class AbslBackend : public BatchByLoop<AbslBackend> {
 public:
  static constexpr std::string_view kName = "64 x mutex + absl";

  explicit AbslBackend(std::uint64_t key_count) {
    for (auto& shard : shards_) shard.map.reserve(key_count / kShardCount * 11 / 10);
  }

  bool put(std::string_view key, std::string_view value) {
    auto& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    shard.map.try_emplace(Key16(key)).first->second.assign(value);
    return true;
  }

  template <typename Check>
  bool get(std::string_view key, Check check) {
    CopiedValue copy;
    {
      auto& shard = shard_of(key);
      const std::scoped_lock lock(shard.mutex);
      const auto found = shard.map.find(Key16(key));
      if (found == shard.map.end()) return false;
      copy.assign(found->second);
    }
    return check(copy.view());
  }

  bool erase(std::string_view key) {
    auto& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    return shard.map.erase(Key16(key)) == 1;
  }

 private:
  static constexpr std::size_t kShardCount = 64;

  struct Hash {
    std::size_t operator()(const Key16& key) const noexcept { return hash_of(key); }
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    absl::flat_hash_map<Key16, std::string, Hash> map;  // Guarded by `mutex`.
  };

  // The bytes of a key are random as they stand (G2): no second hash is spent on the choice.
  Shard& shard_of(std::string_view key) noexcept {
    return shards_[static_cast<unsigned char>(key[0]) % kShardCount];
  }

  std::array<Shard, kShardCount> shards_;
};

}  // namespace ashlar::bench
