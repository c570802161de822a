/// \file
/// Several writes that happen together or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/expiry.h"

namespace ashlar {

/// A list of writes for `Db::write`, applied in the order in which they were added.
///
/// The batch copies keys and values. Limits are checked by `Db::write`, which names the operation
/// at fault; a batch that ran out of memory or of `kBatchBytesHardMax` while it was filled is
/// refused there too, whole. A batch may be written more than once and to more than one database.
///
/// Threads: externally synchronised.
class WriteBatch {
 public:
  /// Adds: store `value` under `key` until `expiry`, replacing any earlier value and expiry.
  ///
  /// Cost: amortised one copy of key and value.
  void put(std::string_view key, std::string_view value, Expiry expiry = Expiry::never()) noexcept;

  /// Adds: remove `key` if it is there.
  void erase(std::string_view key) noexcept;

  /// Forgets all operations and keeps the memory for the next ones.
  void clear() noexcept;

  /// How many operations the batch holds.
  std::size_t count() const noexcept { return entries_.size(); }

  /// Bytes of all keys and values together.
  std::size_t bytes() const noexcept { return bytes_.size(); }

  /// What one operation of a batch does.
  enum class Kind : std::uint8_t { kPut, kErase };

  /// One operation as it lies in the batch.
  struct Entry {
    std::size_t offset;  ///< Of the key in the batch's bytes; the value follows it.
    std::uint32_t key_bytes;
    std::uint32_t value_bytes;
    Expiry expiry;
    Kind kind;
  };

  /// The operations, in order.
  ///
  /// Lifetime: valid until the batch is changed, as are the views made from it.
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  std::string_view key_of(const Entry& entry) const noexcept {
    return std::string_view(bytes_).substr(entry.offset, entry.key_bytes);
  }
  std::string_view value_of(const Entry& entry) const noexcept {
    return std::string_view(bytes_).substr(entry.offset + entry.key_bytes, entry.value_bytes);
  }

  /// True when an operation was left out because the batch had no room for it.
  bool is_overfull() const noexcept { return is_overfull_; }

 private:
  void add(Kind kind, std::string_view key, std::string_view value, Expiry expiry) noexcept;

  std::vector<Entry> entries_;
  std::string bytes_;
  bool is_overfull_ = false;
};

}  // namespace ashlar
