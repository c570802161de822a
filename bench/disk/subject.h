/// \file
/// One engine in the setting of one row: its directory, and the store in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bench_directory.h"
#include "disk/disk_row.h"

namespace ashlar::bench {

/// The key that a row stores at `position`: of an ascending row the keys follow one another, of a
/// random one they are those of the other rows.
std::string_view key_of(const DiskRow& row, std::uint64_t position, std::string& buffer);

/// `row` with as many fewer keys as rounds are shorter than they are unless told otherwise.
DiskRow scaled(const DiskRow& row, const Settings& settings);

/// Threads: confined, the store itself apart.
class Subject {
 public:
  Subject(const DiskEngine& engine, const DiskRow& row);

  DiskStore& store() { return *store_; }
  bool is_open() const noexcept { return store_ != nullptr; }
  void open() { store_ = engine_.open(settings_); }
  void close() { store_.reset(); }

  /// Closes the store, removes it, and opens an empty one.
  void begin_anew();

  /// Stores all keys of the row as its state asks for, and waits until the store is idle. Of an
  /// empty state nothing is stored.
  ///
  /// Returns: how many writes failed
  std::uint64_t load();

  /// Reads all of the store in order and a part of it at random, so that what fits is in its cache.
  ///
  /// Returns: how many answers were wrong
  std::uint64_t warm_up();

  const DiskRow& row() const noexcept { return row_; }
  const std::string& path() const noexcept { return settings_.directory; }

 private:
  const DiskEngine& engine_;
  DiskRow row_;
  BenchDirectory directory_;
  StoreSettings settings_;
  std::unique_ptr<DiskStore> store_;
};

/// A side of a disk row.
class DiskContender : public Contender {
 public:
  DiskContender(const DiskEngine& engine, const DiskRow& row)
      : Contender(engine.name), subject_(engine, row) {}

 protected:
  /// Opens the store and brings it into the state of the row.
  void open_loaded() {
    subject_.open();
    add_wrong(subject_.load());
  }

  Subject& subject() noexcept { return subject_; }
  DiskStore& store() noexcept { return subject_.store(); }
  const DiskRow& row() const noexcept { return subject_.row(); }

 private:
  Subject subject_;
};

}  // namespace ashlar::bench
