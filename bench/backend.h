/// \file
/// What the driver asks of a store. Every back-end runs the same loops; what differs is only here.
///
/// A read copies the value into memory of the caller and then hands it to `check`, which tells
/// whether it is right: no back-end gets away with a view into its own memory under a lock.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "keys.h"

namespace ashlar::bench {

/// One write of a batch.
struct Pair {
  std::string_view key;
  std::string_view value;
};

/// Operations in one batch of the batch rows.
inline constexpr std::size_t kBatchCount = 10;

/// Takes any check of a value in `Backend` below.
struct AnyCheck {
  bool operator()(std::string_view) const { return true; }
  bool operator()(std::size_t, std::string_view) const { return true; }
};

/// A store of keys and values. Made with the number of keys that it will hold, so that it can make
/// room ahead; every method returns whether all went well, which for a read means that the key was
/// there and its check passed.
template <typename Store>
concept Backend = requires(Store& store, std::string_view bytes, AnyCheck check,
                           std::span<const std::string_view> keys, std::span<const Pair> pairs) {
  requires std::constructible_from<Store, std::uint64_t>;
  { Store::kName } -> std::convertible_to<std::string_view>;
  { store.put(bytes, bytes) } -> std::same_as<bool>;
  { store.get(bytes, check) } -> std::same_as<bool>;
  { store.erase(bytes) } -> std::same_as<bool>;
  { store.batch_get(keys, check) } -> std::same_as<bool>;
  { store.batch_set(pairs) } -> std::same_as<bool>;
};

/// Rows copied out by a scan, as pairs of a key and a value of the lengths in keys.h.
///
/// Threads: externally synchronised.
class RowBuffer {
 public:
  static constexpr std::size_t kRowsMax = 100;

  void clear() noexcept { count_ = 0; }

  /// Appends a row. Returns: false when its lengths are not those of keys.h or there is no room.
  bool append(std::string_view key, std::string_view value) noexcept {
    if (key.size() != kKeyBytes || value.size() != kValueBytes || count_ == kRowsMax) return false;
    char* row = rows_[count_++].data();
    std::memcpy(row, key.data(), kKeyBytes);
    std::memcpy(row + kKeyBytes, value.data(), kValueBytes);
    return true;
  }

  std::size_t count() const noexcept { return count_; }
  std::string_view key(std::size_t row) const noexcept { return {rows_[row].data(), kKeyBytes}; }
  std::string_view value(std::size_t row) const noexcept {
    return {rows_[row].data() + kKeyBytes, kValueBytes};
  }

 private:
  std::size_t count_ = 0;
  std::array<std::array<char, kKeyBytes + kValueBytes>, kRowsMax> rows_;
};

/// A back-end that can also walk its keys in order: `scan(from, rows)` copies up to
/// `RowBuffer::kRowsMax` rows from the first key at or after `from`.
template <typename Store>
concept OrderedBackend =
    Backend<Store> && requires(Store& store, std::string_view from, RowBuffer& rows) {
      { store.scan(from, rows) } -> std::same_as<bool>;
    };

/// Where a peer copies a value to.
class CopiedValue {
 public:
  void assign(std::string_view value) noexcept {
    bytes_ = value.size() <= buffer_.size() ? value.size() : buffer_.size();
    std::memcpy(buffer_.data(), value.data(), bytes_);
  }
  std::string_view view() const noexcept { return {buffer_.data(), bytes_}; }

 private:
  std::size_t bytes_ = 0;
  std::array<char, kValueBytes + 28> buffer_;  // Longer than any right answer.
};

/// The batch operations of stores that have none: a loop.
template <typename Store>
class BatchByLoop {
 public:
  template <typename Check>
  bool batch_get(std::span<const std::string_view> keys, Check check) {
    bool is_right = true;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      is_right &= self().get(keys[i], [&](std::string_view value) { return check(i, value); });
    }
    return is_right;
  }

  bool batch_set(std::span<const Pair> pairs) {
    bool is_done = true;
    for (const auto& pair : pairs) is_done &= self().put(pair.key, pair.value);
    return is_done;
  }

 private:
  friend Store;
  BatchByLoop() = default;
  Store& self() noexcept { return static_cast<Store&>(*this); }
};

/// Fills `store` with the first `count` keys in their first version. Returns: how many writes
/// failed.
template <Backend Store>
std::uint64_t load(Store& store, std::uint64_t count) {
  ValueMaker values;
  std::uint64_t failed_count = 0;
  for (std::uint64_t index = 0; index < count; ++index) {
    failed_count += store.put(Key(index).view(), values.make(index, 0)) ? 0U : 1U;
  }
  return failed_count;
}

}  // namespace ashlar::bench
