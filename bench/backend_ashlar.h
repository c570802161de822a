/// \file
/// Ashlar, through its public API only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "ashlar/db.h"
#include "backend.h"

namespace ashlar::bench {

/// `Db::open`, or an exception that says why not.
inline Db open_or_throw(const Options& options) {
  auto opened = Db::open(options);
  if (!opened) throw std::runtime_error("Db::open: " + std::string(opened.error().message()));
  return std::move(*opened);
}

/// Threads: thread-safe, except the batch of `batch_set`.
class AshlarBackend {
 public:
  static constexpr std::string_view kName = "ashlar";

  explicit AshlarBackend(std::uint64_t /*key_count*/)
      : db_(open_or_throw({.memory_budget_bytes = std::size_t{4} << 30U})) {}

  bool put(std::string_view key, std::string_view value) { return db_.put(key, value).has_value(); }

  // The Value is the copy.
  template <typename Check>
  bool get(std::string_view key, Check check) {
    const auto found = db_.get(key);
    if (!found) return false;
    const auto& value = *found;
    return value && check(value->view());
  }

  bool erase(std::string_view key) {
    const auto was_there = db_.erase(key);
    return was_there && *was_there;
  }

  template <typename Check>
  bool batch_get(std::span<const std::string_view> keys, Check check) {
    const auto found = db_.multi_get(keys);
    if (!found) return false;
    bool is_right = found->size() == keys.size();
    for (std::size_t i = 0; i < found->size(); ++i) {
      const auto& value = (*found)[i];
      is_right &= value && check(i, value->view());
    }
    return is_right;
  }

  bool batch_set(std::span<const Pair> pairs) {
    batch_.clear();
    for (const auto& pair : pairs) batch_.put(pair.key, pair.value);
    return db_.write(batch_).has_value();
  }

  bool scan(std::string_view from, RowBuffer& rows) {
    auto opened = db_.scan({.from = std::string(from), .to = {}});
    if (!opened) return false;
    rows.clear();
    bool is_done = true;
    for (opened->seek_to_first(); opened->is_valid(); opened->next()) {
      is_done &= rows.append(opened->key(), opened->value());
      if (rows.count() == RowBuffer::kRowsMax) break;
    }
    return is_done && opened->status().has_value();
  }

  Db& db() noexcept { return db_; }

 private:
  Db db_;
  WriteBatch batch_;
};

}  // namespace ashlar::bench
