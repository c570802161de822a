/// \file
/// The design of the document that the project started from, rebuilt: one hash map of strings
/// behind one read-write mutex, with a deadline beside each value that every read looks at.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend.h"
#include "key16.h"

namespace ashlar::bench {

/// Threads: thread-safe.
class LockedMapBackend : public BatchByLoop<LockedMapBackend> {
 public:
  static constexpr std::string_view kName = "shared_mutex + unordered_map";

  explicit LockedMapBackend(std::uint64_t key_count) { map_.reserve(key_count); }

  bool put(std::string_view key, std::string_view value) {
    const std::scoped_lock lock(mutex_);
    auto found = map_.find(key);
    if (found == map_.end()) found = map_.try_emplace(std::string(key)).first;
    found->second.value.assign(value);
    found->second.deadline_ns = kNever;
    return true;
  }

  template <typename Check>
  bool get(std::string_view key, Check check) {
    CopiedValue copy;
    {
      const std::shared_lock lock(mutex_);
      const auto found = map_.find(key);
      if (found == map_.end() || is_expired(found->second)) return false;
      copy.assign(found->second.value);
    }
    return check(copy.view());
  }

  bool erase(std::string_view key) {
    const std::scoped_lock lock(mutex_);
    const auto found = map_.find(key);
    if (found == map_.end()) return false;
    map_.erase(found);
    return true;
  }

 private:
  static constexpr std::int64_t kNever = 0;

  struct Entry {
    std::string value;
    std::int64_t deadline_ns = kNever;
  };
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name.
    std::size_t operator()(std::string_view key) const noexcept { return hash_of(key); }
  };

  static bool is_expired(const Entry& entry) {
    return entry.deadline_ns != kNever &&
           std::chrono::steady_clock::now().time_since_epoch().count() >= entry.deadline_ns;
  }

  std::shared_mutex mutex_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> map_;  // Guarded by `mutex_`.
};

}  // namespace ashlar::bench
