/// \file
/// What the rows of the disk engines ask of a store. Every engine runs the same loops; what differs
/// is only behind this interface, one file an engine.
///
/// A call through it costs a nanosecond or two, the same for all; an operation of a store on disk
/// costs from 40 ns (a step of a walk) to microseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backend.h"
#include "disk/disk_values.h"

namespace ashlar::bench {

/// How blocks are stored.
enum class BlockCompression : std::uint8_t { kNone, kLz4, kZstd };

/// Where values lie: with their keys, or in files of their own.
enum class ValuePlace : std::uint8_t { kWithKeys, kBlobFiles };

/// Where a store keeps what it has read: all in its own cache, or, of data that is larger than
/// memory, within a limit that counts the page cache of the system as well.
enum class Caching : std::uint8_t { kAllInCache, kLimited };

/// How a store is opened.
struct StoreSettings {
  std::string directory;                               ///< Exists.
  std::size_t memory_bytes = std::size_t{512} << 20U;  ///< For caches, filters and memtables.
  std::size_t value_bytes = kValueBytes;
  BlockCompression compression = BlockCompression::kNone;
  ValuePlace value_place = ValuePlace::kWithKeys;
  Caching caching = Caching::kAllInCache;

  /// What every engine gets for a memtable: a sixteenth, as Ashlar takes it by itself.
  std::size_t memtable_bytes() const noexcept { return memory_bytes / 16; }
};

/// What a read found.
enum class Found : std::uint8_t {
  kRight,   ///< A whole value of this key.
  kWrong,   ///< Something else.
  kAbsent,  ///< No such key.
  kFailed,  ///< The store had an error.
};

/// A row that a walk stands on. Lifetime: the views die with the next call of the reader.
struct StoreRow {
  std::string_view key;
  std::string_view value;
};

/// Reads of one thread.
///
/// Threads:  confined.
/// Lifetime: must not outlive its store.
class DiskReader {
 public:
  explicit DiskReader(std::size_t value_bytes) : value_bytes_(value_bytes) {}
  DiskReader(const DiskReader&) = delete;
  DiskReader& operator=(const DiskReader&) = delete;
  virtual ~DiskReader() = default;

  /// Reads the latest value of `key`, copies it out and looks at it.
  virtual Found get(std::string_view key) = 0;

  /// The same for several keys at once, where the store can. Returns: whether all were `kRight`
  virtual bool multi_get(std::span<const std::string_view> keys) = 0;

  /// Makes the walk see all that was written before the call. One that was never refreshed may see
  /// what was there when the reader was made.
  virtual void refresh() = 0;

  /// Positions the walk, or steps it. Returns: the row, or nullptr beyond either end and after an
  /// error
  virtual const StoreRow* seek(std::string_view from) = 0;
  virtual const StoreRow* seek_to_first() = 0;
  virtual const StoreRow* seek_to_last() = 0;
  virtual const StoreRow* next() = 0;
  virtual const StoreRow* previous() = 0;

  /// Whether the walk met an error.
  virtual bool has_failed() const = 0;

 protected:
  Found judge(std::string_view key, std::string_view value) const noexcept {
    const bool is_right = DiskValueMaker::is_value_of(key, value, value_bytes_);
    return is_right ? Found::kRight : Found::kWrong;
  }

 private:
  std::size_t value_bytes_;
};

/// An open store. Writes survive the process; what they return is whether they were acknowledged.
///
/// Threads: thread-safe.
class DiskStore {
 public:
  DiskStore() = default;
  DiskStore(const DiskStore&) = delete;
  DiskStore& operator=(const DiskStore&) = delete;
  virtual ~DiskStore() = default;  ///< Closes it.

  virtual bool put(std::string_view key, std::string_view value) = 0;
  virtual bool write(std::span<const Pair> pairs) = 0;
  virtual bool erase(std::string_view key) = 0;
  virtual std::unique_ptr<DiskReader> make_reader() = 0;

  /// Brings all that was written into the files that reads use, merged as far as that goes.
  virtual bool compact() = 0;
};

}  // namespace ashlar::bench
