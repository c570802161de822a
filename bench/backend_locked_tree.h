/// \file
/// The peer of ordered scans: a std::map behind a read-write mutex.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "backend.h"
#include "key16.h"

namespace ashlar::bench {

/// Threads: thread-safe.
class LockedTreeBackend : public BatchByLoop<LockedTreeBackend> {
 public:
  static constexpr std::string_view kName = "shared_mutex + std::map";

  explicit LockedTreeBackend(std::uint64_t /*key_count*/) {}

  bool put(std::string_view key, std::string_view value) {
    const std::scoped_lock lock(mutex_);
    map_[Key16(key)].assign(value);
    return true;
  }

  template <typename Check>
  bool get(std::string_view key, Check check) {
    CopiedValue copy;
    {
      const std::shared_lock lock(mutex_);
      const auto found = map_.find(Key16(key));
      if (found == map_.end()) return false;
      copy.assign(found->second);
    }
    return check(copy.view());
  }

  bool erase(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    return map_.erase(Key16(key)) == 1;
  }

  bool scan(std::string_view from, RowBuffer& rows) {
    const std::shared_lock lock(mutex_);
    rows.clear();
    bool is_done = true;
    for (auto at = map_.lower_bound(Key16(from)); at != map_.end(); ++at) {
      is_done &= rows.append(at->first.view(), at->second);
      if (rows.count() == RowBuffer::kRowsMax) break;
    }
    return is_done;
  }

 private:
  std::shared_mutex mutex_;
  std::map<Key16, std::string> map_;  // Guarded by `mutex_`.
};

}  // namespace ashlar::bench
