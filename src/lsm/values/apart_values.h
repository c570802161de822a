/// \file
/// All values of an engine that stand apart from their rows: those in the log and what is kept of
/// it, and those in collected files. It finds them, proves them, and knows who refers to what.
///
/// Invariants:
///   V40 of value_reference.h: a value that is read is the one that was written, or an error.
///   V41 of large_values.h, V42 of value_ledger.h, V43 of collected_file.h
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ashlar/result.h"
#include "ashlar/value.h"
#include "base/ref.h"
#include "base/thread_safety.h"
#include "engine/large_values.h"
#include "engine/visible_cursor.h"
#include "lsm/values/cached_values.h"
#include "lsm/values/collected_file.h"
#include "lsm/values/value_ledger.h"
#include "os/disk.h"

namespace ashlar::lsm {

/// Threads:  thread-safe once `open` has returned.
/// Lifetime: the disk, and `log`, must outlive it; and what it keeps values in, its last read.
class ApartValues final : public engine::ValueSource {
 public:
  /// Input: directory  of the tables, and of collected files
  ///        log        null: no value of this engine stands in a log
  ApartValues(os::Disk& disk, std::string directory, engine::LargeValues* log)
      : disk_(disk), directory_(std::move(directory)), log_(log) {}

  /// Opens the collected files that open tables refer to, and removes all others. Called once, when
  /// the tables are open.
  ///
  /// Errors: kCorruption  a file that is referred to is damaged; kUnavailable, kIo
  Result<void> open(std::uint64_t database_id);

  /// Where values that were read are kept. Before the first read; null, as at first: nowhere.
  void keep_in(CachedValues* cached) noexcept { cached_ = cached; }

  /// Whether every piece that one of `shares` is of is there.
  ///
  /// Errors: kCorruption  one is missing: names it, and `table`, which refers to it
  Result<void> expect(std::span<const table::ValueShare> shares, const std::string& table) const;

  /// Reads the value that `reference` refers to into `to`, and proves it.
  ///
  /// Errors: kCorruption  it is not what it was, or not there: names file and offset
  ///         kIo
  /// Cost:   that of CachedValues::read when it is in memory; else a read of the disk unless the
  ///         page cache has it, and a checksum
  Result<void> read(std::string_view reference, Value& to) const override;

  /// As `read`, past what is kept in memory: for those who read each value once.
  Result<void> read_from_disk(std::string_view reference, Value& to) const;

  /// All pieces there are, ascending.
  std::vector<engine::ValuePiece> pieces() const;

  /// Begins a collected file under `number`, one of those of tables.
  ///
  /// Errors: kIo, kOutOfSpace
  Result<std::unique_ptr<CollectedWriter>> begin(std::uint64_t number) const;

  /// Opens a file that was finished, for reading. Its name is durable.
  ///
  /// Errors: as CollectedFile::open
  Result<void> add(std::uint64_t number);

  /// Removes a file that did not come to be of use. What cannot be removed now the next opening
  /// removes.
  void give_up(std::uint64_t number);

  /// Removes everything that nobody refers to. Not beside `begin` to the end of what refers to it.
  ///
  /// Errors: kIo
  Result<void> drop_unreferred();

  /// Whether values may stand apart at all.
  bool has_log() const noexcept { return log_ != nullptr; }

  ValueLedger& ledger() noexcept { return ledger_; }
  const ValueLedger& ledger() const noexcept { return ledger_; }

  /// The file and the offset at which `position` lies: "PATH at 4096".
  std::string place_of(std::uint64_t position) const;

 private:
  using FileRef = base::Ref<const CollectedFile>;

  std::string path_of(std::uint64_t number) const {
    return directory_ + "/" + collected_name(number);
  }
  FileRef find(std::uint64_t number) const;
  Result<void> read_proved(const engine::ValueReference& reference, std::span<char> to) const;
  Result<void> read_bytes(std::uint64_t position, std::span<char> to) const;

  os::Disk& disk_;
  const std::string directory_;
  engine::LargeValues* const log_;
  std::uint64_t database_id_ = 0;   // Set by `open`.
  CachedValues* cached_ = nullptr;  // Set by `keep_in`.
  ValueLedger ledger_;

  mutable base::Mutex mutex_;                                         // A leaf.
  std::map<std::uint64_t, FileRef> files_ ASHLAR_GUARDED_BY(mutex_);  // By their numbers.
};

}  // namespace ashlar::lsm
